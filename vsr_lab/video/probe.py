"""What a video file says of itself, and which reader reads it right: from its packets, with one frame decoded."""

import re
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsr_lab.core.clip import Colour
from vsr_lab.core.errors import UserError
from vsr_lab.video.chroma_location import ChromaLocation, chroma_location_of
from vsr_lab.video.color_conversion import bits_of, is_gray, is_rgb
from vsr_lab.video.edit_list import check_edits
from vsr_lab.video.packets import PacketIndex, PacketLog, open_input, packets_of
from vsr_lab.video.stream_selection import video_stream

# FFmpeg's AVColorSpace and AVColorTransferCharacteristic numbers (ITU-T H.273).
_MATRICES = {0: "rgb", 1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
_STRANGE_MATRICES = {8: "YCgCo", 10: "BT.2020 constant luminance", 11: "SMPTE 2085", 12: "chromaticity-derived",
                     13: "chromaticity-derived constant luminance", 14: "ICtCp", 15: "IPT-PQ-C2", 16: "YCgCo-Re",
                     17: "YCgCo-Ro"}  # fmt: skip
_UNTAGGED = 2
_SD_LINES = 576  # what carries no matrix tag is taken for BT.601 up to here, for BT.709 above
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_FULL_RANGE = 2


@dataclass(frozen=True)
class DisplayOrientation:
    """How a decoded picture is set upright: transposed first, then flipped."""

    transposed: bool = False
    flip_y: bool = False
    flip_x: bool = False

    def __bool__(self) -> bool:
        return self.transposed or self.flip_y or self.flip_x


@dataclass(frozen=True)
class Probe:
    """A video stream's facts.

    width, height, sample_aspect (a pixel's width over its height): of the coded picture, before `orientation` sets it
    upright; `size` and `aspect` are of the upright one. bits: of a sample. interlaced: the first frame says that it
    is two fields. hdr: "PQ", "HLG" or ""; peak: cd/m2 of the display it was graded on. backend, reason: which reader is
    right for it ("decord", "pyav"), and why.
    """

    path: Path
    container: str
    stream: int
    width: int
    height: int
    codec: str
    pixel_format: str
    bits: int
    colour: Colour
    chroma_location: ChromaLocation
    rate: Fraction
    index: PacketIndex = field(repr=False)
    audio: int
    orientation: DisplayOrientation
    sample_aspect: Fraction
    interlaced: bool
    hdr: str
    peak: float
    backend: str
    reason: str

    @cached_property
    def timestamps(self) -> npt.NDArray[np.float64]:
        """Seconds from the first frame, in display order, increasing."""
        return self.index.seconds

    @property
    def frames(self) -> int:
        return len(self.index.ticks)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright picture."""
        return (self.width, self.height) if self.orientation.transposed else (self.height, self.width)

    @property
    def aspect(self) -> Fraction:
        """Width over height of a pixel of the upright picture; 1 where the file does not say."""
        return 1 / self.sample_aspect if self.orientation.transposed else self.sample_aspect


def probe(path: Path, cut_short: bool = False) -> Probe:
    """Read every packet of `path` and decode its first frame. cut_short: take a file that ends too early.

    Raises UserError for what is no video, is cut short, or says of its colour or turn what no reader here can follow.
    """
    try:
        with open_input(path) as container:
            stream = video_stream(container, path)
            if "mp4" in container.format.name:
                check_edits(path, stream.id)
            log, frame = PacketLog(stream), None
            try:
                for packet in packets_of(container, stream):
                    log.add(packet)
                    frame = frame or _first_frame(packet)
            except av.error.FFmpegError:
                if not cut_short:
                    raise
            index = log.index(stream.time_base or Fraction(1, 1000), _stated_rate(stream))
            if not cut_short:
                _check_complete(path, container, stream, index)
            if frame is None or not index.ticks.size:
                raise UserError(path, "holds no frame that can be decoded and is shown", "fetch it again")
            # A decoder that reorders what the container keeps in one order: its times are of decoding (AVI, some mp4).
            disordered = bool(stream.codec_context.has_b_frames) and not index.reordered
            if not index.counted and (disordered or frame.pts not in index.ticks):
                index = index.without_times()
            return _describe(path, container, stream, index, frame)
    except av.error.FFmpegError as error:
        problem = "is not a video that can be read" if path.stat().st_size else "is empty"
        raise UserError(path, f"{problem} ({error.strerror})", "is it complete?") from error


def _first_frame(packet: "Packet[VideoStream]") -> VideoFrame | None:
    try:
        frames = packet.decode()
    except av.error.InvalidDataError:
        return None  # damage.py names what is lost; there may be frames yet
    return frames[0] if frames else None


def _stated_rate(stream: VideoStream) -> Fraction:
    return Fraction(stream.average_rate or stream.base_rate or 25)


def _rate(stream: VideoStream, index: PacketIndex) -> Fraction:
    """Frames a second; where fields have packets of their own the container may count those."""
    if not index.halves or index.counted or len(index.ticks) < 2:
        return _stated_rate(stream)
    return (len(index.ticks) - 1) / (int(index.ticks[-1] - index.ticks[0]) * index.base)


def _check_complete(path: Path, container: InputContainer, stream: VideoStream, index: PacketIndex) -> None:
    # mp4 tells how many packets there are, edit lists applied; other containers how many frames, or seconds.
    listed = len(stream.index_entries) if "mp4" in container.format.name else stream.frames
    found = index.packets
    if found and container.format.name == "avi":  # counts a frame shown for longer again; its clock ticks once for each
        found = max(found, int(index.ticks[-1]) + int(np.diff(index.ticks).max(initial=1)))
    if not found or found < listed:
        raise UserError(path, f"is cut short ({found} of {listed} frames)", "fetch it again")
    stated = None if listed else _stated_seconds(container, stream)
    times = index.seconds
    longest = float(np.diff(times).max()) if len(times) > 1 else 1.0
    if not index.ticks.size:
        return
    begins = max(0.0, float(int(index.ticks[0]) * index.base))  # below 0 where the clock of an MPEG-TS ran over
    if stated and stated - begins - times[-1] > 2.5 * longest:
        raise UserError(path, f"is cut short ({times[-1]:.2f} of {stated:.2f} seconds)", "fetch it again")


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the container says the video is, where it says so: Matroska gives no number of frames."""
    stated = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d*)?)", stream.metadata.get("DURATION", ""), re.ASCII)
    if stated:
        return 3600 * int(stated[1]) + 60 * int(stated[2]) + float(stated[3])
    whole = container.duration  # of the longest stream, so it tells nothing where there is sound
    return whole / 1e6 if whole and not container.streams.audio else None


def _describe(
    path: Path, container: InputContainer, stream: VideoStream, index: PacketIndex, frame: VideoFrame
) -> Probe:
    codec, pixel_format = stream.codec_context.name, frame.format.name
    if codec == "hevc" and frame.interlaced_frame:  # which libav says of pictures of one field alone
        raise UserError(path, "is HEVC whose pictures are single fields", "weave them: ffmpeg -i IN -vf weave OUT.mkv")
    colour, orientation = _colour(path, frame), _orientation(path, frame)
    trouble = _not_for_decord(container, codec, pixel_format, frame.width, colour, index, orientation)
    return Probe(
        path=path,
        container=container.format.name,
        stream=stream.index,
        width=frame.width,
        height=frame.height,
        codec=codec,
        pixel_format=pixel_format,
        bits=bits_of(pixel_format),
        colour=colour,
        chroma_location=chroma_location_of(container, stream),
        rate=_rate(stream, index),
        index=index,
        audio=len(container.streams.audio),
        orientation=orientation,
        sample_aspect=Fraction(stream.sample_aspect_ratio or 1),
        interlaced=frame.interlaced_frame,
        hdr=_HDR_TRANSFERS.get(int(frame.color_trc or stream.codec_context.color_trc or 0), ""),
        peak=_peak(frame),
        backend="pyav" if trouble else "decord",
        reason=trouble or "8-bit RGB or 4:4:4 in closed GOPs",
    )


def _colour(path: Path, frame: VideoFrame) -> Colour:
    """Raises UserError for a matrix that is not linear in R'G'B'."""
    tag, pixel_format = int(frame.colorspace), frame.format.name
    if is_rgb(pixel_format):
        return Colour("rgb", True)
    if tag in _STRANGE_MATRICES:
        raise UserError(path, f"has the matrix {_STRANGE_MATRICES[tag]}", "convert it to BT.709 first")
    full = int(frame.color_range) == _FULL_RANGE or pixel_format.startswith("yuvj")
    guessed = "bt601" if frame.height <= _SD_LINES else "bt709"
    if is_gray(pixel_format):
        return Colour(_MATRICES.get(tag, guessed), full or int(frame.color_range) == 0)
    known = tag in _MATRICES and tag != 0
    return Colour(_MATRICES[tag] if known else guessed, full, assumed=not known)


def describe_change(probe: Probe, frame: VideoFrame) -> str:
    """What a frame is that the file's first was not, by its size, matrix and range; nothing where it says the same."""
    colour, matrix = probe.colour, _MATRICES.get(int(frame.colorspace), "")
    if (frame.width, frame.height) != (probe.width, probe.height):
        return f"changes from {probe.width}x{probe.height} to {frame.width}x{frame.height}"
    if colour.matrix == "rgb":
        return ""
    if matrix not in ("", "rgb", colour.matrix):
        return f"changes from {colour.matrix} to {matrix}"
    stated = int(frame.color_range)
    if stated and (stated == _FULL_RANGE) != colour.full_range:
        return f"changes from {_range(colour.full_range)} to {_range(not colour.full_range)} range"
    return ""


def _range(full: bool) -> str:
    return "full" if full else "limited"


def _orientation(path: Path, frame: VideoFrame) -> DisplayOrientation:
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return DisplayOrientation()
    a, b, _, c, d, _, _, _, _ = struct.unpack("=9i", bytes(data))
    if a and d and not b and not c:
        return DisplayOrientation(False, d < 0, a < 0)
    if b and c and not a and not d:
        return DisplayOrientation(True, b < 0, c < 0)
    raise UserError(path, "is turned by no right angle", "turn it first: ffmpeg -i IN OUT.mkv")


def _peak(frame: VideoFrame) -> float:
    """The mastering display's brightest, in cd/m2 (SMPTE ST 2086); 1000 where the file does not say."""
    data = frame.side_data.get("MASTERING_DISPLAY_METADATA")
    if data is None:
        return 1000.0
    brightest, over, _, known = struct.unpack_from("=4i", bytes(data), 72)  # AVMasteringDisplayMetadata
    return brightest / over if known and over and brightest > 0 else 1000.0


def _not_for_decord(
    container: InputContainer,
    codec: str,
    pixel_format: str,
    width: int,
    colour: Colour,
    index: PacketIndex,
    orientation: DisplayOrientation,
) -> str:
    """Why decord 0.6.0 would read this wrong or not at all, measured in tests/parity; nothing where it is right."""
    troubles = {
        "decord seeks wrongly in this container": not {"matroska", "mp4"} & set(container.format.name.split(",")),
        "decord is not measured on this codec": codec not in {"h264", "ffv1", "vp9"},
        "decord keeps 8 bits": bits_of(pixel_format) > 8,
        "decord repeats chroma instead of enlarging it": not (is_rgb(pixel_format) or "444" in pixel_format),
        "decord reads an untagged matrix as BT.601": colour.assumed,
        "decord shows what an edit list hides": index.hidden > 0,
        "decord seeks wrongly in open GOPs": index.leading,
        "times are missing or not of display": index.counted,
        "turned or mirrored": bool(orientation),
        "decord pads narrow pictures wrongly": width < 80,
        "several video streams": len(container.streams.video) > 1,
    }
    return next((reason for reason, applies in troubles.items() if applies), "")
