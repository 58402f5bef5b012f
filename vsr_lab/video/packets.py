"""Order, timestamps and keyframes of the frames of a stream, from its packets without decoding."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsr_lab.core.errors import UserError
from vsr_lab.video.h264_field_pictures import FieldPictures
from vsr_lab.video.image_sequence import ImageSequence, as_apng

# Lists of other files are not opened at all: libav would wait for the next part of a stream, or for a pipe, in them.
_LISTS = (b"#EXTM3U", b"ffconcat version", b"<MPD", b"v=0")
_FORMATS = ",".join(sorted(av.formats_available - {"hls", "concat", "dash", "sdp", "imf", "vobsub", "lavfi"}))
_PICTURES = ",".join(["concat", "image2", *sorted(name for name in av.formats_available if name.endswith("_pipe"))])
_INVALID = 1094995529  # AVERROR_INVALIDDATA
Ticks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PacketIndex:
    """Timestamps and keyframes of a video stream, read from its packets without decoding.

    Attributes:
        ticks: presentation timestamps of the frames in units of `base`, increasing.
        keys: timestamps of the keyframes, increasing, including keyframes that an edit list hides; empty if `counted`.
        base: time base in seconds.
        counted: True if timestamps are missing, repeated or unreliable (AVI), or restart in the middle. Frames are then
            identified by counting from the start, and `ticks` are decoding timestamps, evenly spaced timestamps, or
            timestamps that were made continuous.
        hidden: number of packets that an edit list hides.
        leading: True if a frame is stored after a keyframe but displayed before it (open GOP).
        reordered: True if the display order differs from the decoding order.
        packets: number of packets.
        halves: number of packets that contain the second field of a frame.
        headless: number of packets that cannot be decoded, because they are stored or shown before the first keyframe.
        last: duration of the last frame in units of base; 0 if it is not stored in the file.
        gaps: timestamps of the frames at which packets of a transport stream are missing, according to its counters.
            Joints of two recordings, where a keyframe follows, are not included.
    """

    ticks: Ticks
    keys: Ticks
    base: Fraction
    counted: bool
    hidden: int
    leading: bool
    reordered: bool
    packets: int
    halves: int
    headless: int = 0
    last: int = 0
    gaps: tuple[int, ...] = ()

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Presentation times in seconds from the first frame."""
        return (self.ticks - self.ticks[:1]).astype(np.float64) * self.base.numerator / self.base.denominator

    def number_of(self, tick: int | None) -> int | None:
        """Number of the frame with a timestamp; None if no frame has it."""
        place = len(self.ticks) if tick is None else int(np.searchsorted(self.ticks, tick))
        return place if place < len(self.ticks) and self.ticks[place] == tick else None


def open_input(path: Path) -> InputContainer:
    """Open a media file, or a folder of pictures, for demuxing with PyAV.

    The path is made absolute, because libav would interpret "12:" in "12:30.mkv" as a protocol. Invalid UTF-8 in
    metadata is replaced.

    Raises:
        av.error.FFmpegError: the file is not one that libav reads.
        UserError: the file is a playlist or script that refers to other files, or the pictures of the folder are not of
            one kind or have names that cannot be printed.
    """
    if path.is_dir():
        options = {"safe": "0", "format_whitelist": _PICTURES}
        return av.open(BytesIO(ImageSequence(path).playlist()), "r", format="concat", options=options)
    if path.suffix.lower() == ".webp" and (animation := as_apng(path)):
        return av.open(BytesIO(animation), "r", format="apng")
    try:
        return av.open(str(path.absolute()), options={"format_whitelist": _FORMATS}, metadata_errors="replace")
    except av.error.ArgumentError:  # libav does not say why
        with path.open("rb") as file:
            start = file.read(4096)
        if any(mark in start for mark in _LISTS):
            raise UserError(path, "is a list of other files", "give one of these files") from None
        raise


def packets_of(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Demux the packets of a stream.

    Raises:
        av.error.FFmpegError: the file is invalid, or a stream starts in the middle of the file, which PyAV cannot read.
    """
    try:
        yield from container.demux(stream)
    except IndexError as error:
        raise av.error.InvalidDataError(_INVALID, "another stream begins in its midst") from error


def decoder_of(stream: VideoStream) -> Callable[[Any], list[VideoFrame]]:
    """Function that decodes the packets of a stream, by libvpx for VP8 and VP9 with alpha, else by FFmpeg's decoder."""
    context: Any = stream.codec_context
    library = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(context.name)
    if library and stream.metadata.get("alpha_mode") == "1":
        decoder: Any = CodecContext.create(library, "r")
        return partial(_as_bt601, decoder.decode) if context.name == "vp8" else decoder.decode
    return context.decode


def _as_bt601(decode: Callable[[Any], list[VideoFrame]], packet: Any) -> list[VideoFrame]:
    """Frames of VP8, which is BT.601 (RFC 6386, 9.2) and is not tagged by libvpx."""
    frames = decode(packet)
    for frame in frames:
        frame.colorspace = 5
    return frames


@dataclass(frozen=True)
class _Row:
    """A packet that holds a frame or the first of its two fields."""

    pts: int | None
    dts: int | None
    key: bool
    shown: bool
    duration: int = 0
    torn: bool = False


class PacketLog:
    """Collects the timestamps of the packets of a stream, and builds a `PacketIndex` from them.

    Attributes:
        reach: latest end of a packet so far, in seconds, over all streams of the file.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self._hidden = {"vp8": _is_hidden_vp8, "vp9": _is_hidden_vp9}.get(context.name, lambda packet: False)
        self._fields = FieldPictures(stream) if context.name == "h264" else None
        self._rows: list[_Row] = []
        self._halves = 0
        self._stream = stream.index
        self._bases: dict[int, float] = {}  # of each stream, as fractions are slow
        self.reach = 0.0

    def add(self, packet: "Packet[VideoStream]") -> bool:
        """Add a packet of the file, and return whether it belongs to the stream.

        Packets of other streams, empty packets, and VP8 and VP9 frames that are never shown, are not indexed; all but
        empty packets count for `reach`.
        """
        if packet.size and packet.pts is not None:
            if (base := self._bases.get(packet.stream_index)) is None:
                base = self._bases[packet.stream_index] = float(packet.time_base or 0)
            self.reach = max(self.reach, (packet.pts + (packet.duration or 0)) * base)
        if packet.stream_index != self._stream:
            return False
        if packet.size and not self._hidden(memoryview(packet)):
            if self._fields and self._fields.is_second_field(memoryview(packet)):
                self._halves += 1
            else:
                shown = not packet.is_discard
                key, torn = packet.is_keyframe, packet.is_corrupt
                self._rows.append(_Row(packet.pts, packet.dts, key, shown, packet.duration or 0, torn))
        return True

    @property
    def is_delayed(self) -> bool:
        """Whether any packet has different presentation and decoding timestamps."""
        return any(row.pts != row.dts for row in self._rows)

    def index(self, base: Fraction, rate: Fraction, decoding: bool = False) -> PacketIndex:
        """Index of the packets that were added so far.

        Args:
            base: time base of the timestamps, in seconds.
            rate: frames per second, used if timestamps are missing.
            decoding: number the frames in the order of their decoding timestamps, because the presentation timestamps
                of the container (AVI) are unreliable.
        """
        step = 1 / (rate * base)
        whole = _from_first_key(self._rows)
        rows = _joined(whole, max(1, round(step)))
        shown = [row for row in rows if row.shown]
        times = [row.pts for row in shown if row.pts is not None]
        uncertain = decoding or len(set(times)) < len(shown)
        counted = uncertain or rows != whole
        if uncertain:
            stored = [row.dts for row in shown if row.dts is not None]
            usable = len(stored) == len(shown) == len(set(stored))
            times = stored if usable else [round(n * step) for n in range(len(shown))]
        keys = () if counted else (row.pts for row in rows if row.key and row.pts is not None)
        delays = {row.pts - row.dts for row in rows if row.pts is not None and row.dts is not None}
        return PacketIndex(
            ticks=_sorted(times),
            keys=_sorted(keys),
            base=base,
            counted=counted,
            hidden=len(rows) - len(shown),
            leading=_has_leading(rows),
            reordered=len(delays) > 1,
            packets=len(self._rows) + self._halves,
            halves=self._halves,
            headless=len(self._rows) - len(whole),
            last=max(shown, key=lambda row: row.pts or 0).duration if shown and not uncertain else 0,
            gaps=tuple(row.pts for n, row in enumerate(rows) if row.pts is not None and _is_torn(rows, n)),
        )


def last_duration(container: InputContainer, stream: VideoStream, index: PacketIndex) -> int:
    """Duration of the last frame in ticks; in MP4 it is computed from the duration of the stream."""
    if "mp4" not in container.format.name or not index.ticks.size or not stream.duration:
        return index.last
    return max(0, (stream.start_time or 0) + stream.duration - int(index.ticks[-1]))


def _is_hidden_vp8(packet: memoryview) -> bool:
    """Whether show_frame is 0 (RFC 6386, 9.1)."""
    return not packet[0] & 0x10


def _is_hidden_vp9(packet: memoryview) -> bool:
    """Whether show_frame is 0 and the packet is no superframe, which has a shown frame (VP9 bitstream, 6.2 and B)."""
    if packet[-1] & 0xE0 == 0xC0:
        return False
    bits = packet[0] << (packet[0] & 0x30 == 0x30)  # profile 3 has one more bit
    return not bits & 0x08 and not bits & 0x02  # show_existing_frame, show_frame


def _is_torn(rows: list[_Row], number: int) -> bool:
    """Whether data is missing at a packet that FFmpeg marks as corrupt, unless a keyframe follows within two packets.

    FFmpeg marks one of the two packets before a jump of the continuity counter.
    """
    return rows[number].torn and not any(row.key for row in rows[number + 1 : number + 3])


def _from_first_key(rows: list[_Row]) -> list[_Row]:
    """The packets from the first keyframe on, without packets that are shown before this keyframe.

    Such packets refer to frames before the keyframe, which are missing if a recording begins between two keyframes.
    """
    first = next((n for n, row in enumerate(rows) if row.key), 0)
    start = rows[first].pts if first else None
    if start is None:
        return rows
    return [row for row in rows[first:] if row.pts is None or row.pts >= start]


def _joined(rows: list[_Row], step: int) -> list[_Row]:
    """Make timestamps continuous: if they restart at a keyframe (joined recordings), continue one step later."""
    latest: int | None = None
    shift = 0
    joined: list[_Row] = []
    for row in rows:
        if row.pts is not None and row.key and latest is not None and row.pts + shift < latest:
            shift = latest + step - row.pts
        pts, dts = (None if time is None else time + shift for time in (row.pts, row.dts))
        latest = pts if latest is None or (pts is not None and pts > latest) else latest
        joined.append(replace(row, pts=pts, dts=dts) if shift else row)
    return joined


def _sorted(ticks: Iterable[int]) -> Ticks:
    return np.unique(np.fromiter(ticks, np.int64))


def _has_leading(rows: list[_Row]) -> bool:
    last_key: int | None = None
    for row in rows:
        if row.pts is None:
            continue
        if row.key:
            last_key = row.pts
        elif last_key is not None and row.pts < last_key:
            return True
    return False
