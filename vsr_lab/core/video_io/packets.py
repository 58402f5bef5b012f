"""What packets say of the frames in them, read without decoding: order, times, where decoding may begin."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

_INVALID = 1094995529  # AVERROR_INVALIDDATA
Ticks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PacketIndex:
    """The frames of a stream in the order in which they are shown.

    ticks: display times, increasing, in units of base. keys: ticks, increasing, at which decoding may begin, those of
    hidden frames included. counted: True where times are missing or repeated, so that a frame's number can only be
    counted from the start (ticks are decoding times then). hidden: how many packets an edit list hides; leading: some
    frame follows a keyframe in the file and precedes it on the screen (open GOP); reordered: some frame is shown in
    another order than it is decoded in; packets: all there are.
    """

    ticks: Ticks
    keys: Ticks
    base: Fraction
    counted: bool
    hidden: int
    leading: bool
    reordered: bool
    packets: int

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Display times from the first frame."""
        return np.array([float(int(tick - self.ticks[0]) * self.base) for tick in self.ticks])

    def without_times(self) -> "PacketIndex":
        """The same frames, to be counted from the start."""
        return replace(self, keys=self.keys[:0], counted=True)


def packets_of(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Every packet of a stream. Raises av.error.InvalidDataError too where PyAV cannot go on: at a stream that begins
    in the midst of the file, which it has no place for."""
    try:
        yield from container.demux(stream)
    except IndexError as error:
        raise av.error.InvalidDataError(_INVALID, "another stream begins in its midst") from error


class PacketLog:
    """Collects packets as they are read; `index` then tells what they were."""

    def __init__(self, stream: VideoStream) -> None:
        self._vp8 = stream.codec_context.name == "vp8"
        self._rows: list[tuple[int | None, int | None, bool, bool]] = []  # pts, dts, keyframe, shown

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Note a packet, unless it is empty or a VP8 frame that is never shown (RFC 6386, 9.1)."""
        if packet.size and not (self._vp8 and not memoryview(packet)[0] & 0x10):
            self._rows.append((packet.pts, packet.dts, packet.is_keyframe, not packet.is_discard))

    def index(self, base: Fraction, rate: Fraction) -> PacketIndex:
        shown = [(pts, dts) for pts, dts, _, shown in self._rows if shown]
        times = [pts for pts, _ in shown if pts is not None]
        counted = len(times) < len(shown) or len(set(times)) < len(times)
        if counted:
            decoding = [dts for _, dts in shown if dts is not None]
            usable = len(decoding) == len(shown) == len(set(decoding))
            times = decoding if usable else [round(n / (rate * base)) for n in range(len(shown))]
        keys = () if counted else (pts for pts, _, key, _ in self._rows if key and pts is not None)
        hidden = len(self._rows) - len(shown)
        delays = {pts - dts for pts, dts, _, _ in self._rows if pts is not None and dts is not None}
        return PacketIndex(
            ticks=_sorted(times),
            keys=_sorted(keys),
            base=base,
            counted=counted,
            hidden=hidden,
            leading=_has_leading(self._rows),
            reordered=len(delays) > 1,
            packets=len(self._rows),
        )


def _sorted(ticks: Iterable[int]) -> Ticks:
    return np.unique(np.fromiter(ticks, np.int64))


def _has_leading(rows: list[tuple[int | None, int | None, bool, bool]]) -> bool:
    last_key: int | None = None
    for pts, _, key, _ in rows:
        if pts is None:
            continue
        if key:
            last_key = pts
        elif last_key is not None and pts < last_key:
            return True
    return False
