"""Timestamps of the output: exact multiples of the frame duration if it is constant, else those of the source.

For a part of a file, this module also finds the packets of other streams and the chapters that belong to it.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from vsr_lab.video.packets import PacketIndex, Ticks, packets_of

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.,])(\d\d+)")
_TICKS = 10_000  # smallest number of ticks a second, so that start times are kept
_NTSC = (Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(48000, 1001))


@dataclass(frozen=True)
class Timing:
    """Timestamps and durations of the output's frames.

    Attributes:
        base: time base in seconds.
        rate: frames per second; if the rate varies, the one that the header states.
        constant: whether all frames have the same duration.
        ticks: timestamps in units of base, (T,).
        durations: durations in units of base, (T,).
    """

    base: Fraction
    rate: Fraction
    constant: bool
    ticks: Ticks
    durations: Ticks

    @property
    def start(self) -> Fraction:
        """Timestamp of the first frame in seconds."""
        return int(self.ticks[0]) * self.base


def timing_of(index: PacketIndex, stated: Fraction, shift: Fraction = Fraction(0), coarse: bool = False) -> Timing:
    """Compute the timestamps and durations of the output's frames from those of the source's frames.

    Args:
        index: index of the source's frames.
        stated: frames per second according to the source's header.
        shift: seconds that are added to all timestamps.
        coarse: use one tick per frame, for containers that number frames and have no timestamps (AVI).
    """
    count = len(index.ticks)
    start = int(index.ticks[0]) * index.base + shift
    rate = next((rate for rate in _rates(index, stated) if _is_constant(index, rate)), None)
    if rate is None:
        ticks = index.ticks + round(shift / index.base)
        last = index.last or int(np.diff(ticks)[-1])
        return Timing(index.base, stated, False, ticks, np.append(np.diff(ticks), last))
    factor = 1 if coarse else -(-_TICKS // rate.numerator)
    base = 1 / rate if coarse else Fraction(1, rate.numerator * factor)
    step = round(1 / (rate * base))
    ticks = round(start / base) + step * np.arange(count, dtype=np.int64)
    return Timing(base, rate, True, ticks, np.full(count, step))


def _rates(index: PacketIndex, stated: Fraction) -> list[Fraction]:
    """Possible frame rates: the stated one, the nearest common one, and the mean of the timestamps."""
    common = [*_NTSC, Fraction(round(stated))] if stated > 1 else []
    span = int(index.ticks[-1] - index.ticks[0]) * index.base
    mean = [Fraction(round(len(index.ticks) / (span * len(index.ticks) / (len(index.ticks) - 1))))] if span else []
    near = [rate for rate in common if rate and abs(rate / stated - 1) < Fraction(1, 500)]
    return [stated, *near, *(rate for rate in mean if rate)]


def _is_constant(index: PacketIndex, rate: Fraction) -> bool:
    """Whether timestamps are multiples of 1 / rate, rounded to ticks of the source."""
    count = len(index.ticks)
    if count == 1:
        return True
    exact = np.array([float(n / (rate * index.base)) for n in (0, count - 1)])
    offsets = index.ticks - index.ticks[0] - np.linspace(exact[0], exact[1], count)
    return bool(np.abs(offsets).max() <= 1.0)


Window: TypeAlias = tuple[Fraction, Fraction]  # start and end in seconds of the file's clock
_INTERLEAVED = 10  # seconds by which streams of a file are apart at most


def packets_between(container: InputContainer, video: int, along: Collection[int], window: Window) -> Iterator[Any]:
    """Yield the packets of some streams that begin inside a window of time, in the order of the file.

    A subtitle that begins before the window but is still shown at the start of the window is yielded too, with the
    start of the window as its timestamp. Cover pictures are always yielded.

    Args:
        container: the open file.
        video: index of the video stream; its packets are not yielded, but used to detect the end of the window.
        along: indices of the streams whose packets are yielded.
        window: start and end in seconds, as in the timestamps of the file.
    """
    if not along:
        return
    start, end = window
    with suppress(av.error.FFmpegError):  # containers without an index are read from the start
        container.seek(max(0, round((start - _INTERLEAVED) * 1_000_000)))
    for packet in packets_of(container, [container.streams[index] for index in sorted({video, *along})]):
        if packet.stream.disposition & Disposition.attached_pic:
            packet.pts = packet.dts = None  # by a seek, it is given the time 0
        time = packet.pts if packet.pts is not None else packet.dts
        seconds = None if time is None else time * packet.time_base
        if packet.stream_index == video:
            if seconds is not None and seconds > end + _INTERLEAVED:
                return
        elif seconds is None or start <= seconds < end:
            yield packet
        elif packet.stream.type == "subtitle" and seconds < start < seconds + packet.duration * packet.time_base:
            late = round((start - seconds) / packet.time_base)
            packet.pts, packet.duration = packet.pts + late, packet.duration - late
            packet.dts = packet.pts
            yield packet


def chapters_between(chapters: Sequence[Any], window: Window) -> tuple[Any, ...]:
    """Chapters that overlap a window of time (start and end in seconds), cut at the ends of the window."""
    start, end = window
    cut = [
        {
            **chapter,
            "start": max(chapter["start"], round(start / chapter["time_base"])),
            "end": min(chapter["end"], round(end / chapter["time_base"])),
        }
        for chapter in chapters
    ]
    return tuple(chapter for chapter in cut if chapter["start"] < chapter["end"])


def later_timecode(timecode: str, frames: int, rate: Fraction) -> str:
    """Add a number of frames to a timecode (SMPTE ST 12-1).

    Drop-frame timecode, whose last separator is no colon, skips frame numbers at the start of every minute except every
    tenth: two numbers at 30000/1001 frames per second, four at 60000/1001.

    Args:
        timecode: such as "01:00:00:00" or, with drop frames, "01:00:00;00".
        frames: number of frames.
        rate: frames per second.

    Returns:
        The timecode, which restarts after 24 hours; "" if `timecode` is not valid at this rate.
    """
    found, base = _TIMECODE.fullmatch(timecode), round(rate)
    if not found or int(found[5]) >= base or (found[4] != ":" and base % 30):
        return ""
    hours, minutes, seconds, number = (int(found[group]) for group in (1, 2, 3, 5))
    dropped = 0 if found[4] == ":" else base // 15
    minute, ten_minutes = 60 * base - dropped, 600 * base - 9 * dropped
    passed = 60 * hours + minutes
    count = (60 * passed + seconds) * base + number - dropped * (passed - passed // 10)
    tens, rest = divmod((count + frames) % (144 * ten_minutes), ten_minutes)
    seconds, number = divmod(tens * 600 * base + rest + dropped * max(0, (rest - dropped) // minute), base)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{found[4]}{number:02}"
