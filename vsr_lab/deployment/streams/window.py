"""Packets and chapters that belong to a part of a file, for the streams other than the video."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, TypeAlias

import av.error
from av.container import InputContainer
from av.stream import Disposition

from vsr_lab.video.packets import packets_of

Window: TypeAlias = tuple[Fraction, Fraction]  # start and end in seconds of the file's clock
_INTERLEAVED = 10  # seconds by which streams of a file are apart at most


def packets_between(container: InputContainer, video: int, along: Collection[int], window: Window) -> Iterator[Any]:
    """Yield the packets of some streams that begin inside a window of time, in the order of the file.

    A subtitle that begins earlier but is still shown at the start of the window is yielded too, with the start of the
    window as its timestamp. Cover pictures are always yielded.

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
    """Chapters that overlap a window, cut at its ends."""
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
