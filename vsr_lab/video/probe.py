"""Properties of a video file, from its packets and first frame, and choice of a decoder that reads it correctly."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsr_lab.core.clip import Colour
from vsr_lab.core.errors import UserError
from vsr_lab.core.orientation import UPRIGHT, Orientation
from vsr_lab.video.color_conversion import ChromaLocation, bits_of, chroma_location_of, has_alpha, is_gray, is_rgb
from vsr_lab.video.completeness import STATING, check_clear, check_complete, check_edit_list, select_video_stream
from vsr_lab.video.packets import PacketIndex, PacketLog, decoder_of, last_duration, open_input, packets_of

# FFmpeg's AVColorSpace and AVColorTransferCharacteristic numbers (ITU-T H.273).
_MATRICES = {0: "rgb", 1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
_UNSUPPORTED_MATRICES = {8: "YCgCo", 10: "BT.2020 constant luminance", 11: "SMPTE 2085", 12: "chromaticity-derived",
                     13: "chromaticity-derived constant luminance", 14: "ICtCp", 15: "IPT-PQ-C2", 16: "YCgCo-Re",
                     17: "YCgCo-Ro"}  # fmt: skip
_UNTAGGED = 2
_OFTEN = 512  # packets between two calls of `advanced`
_SD_LINES = 576  # without a matrix tag BT.601 is assumed up to this height, BT.709 above
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_FULL_RANGE = 2


@dataclass(frozen=True)
class Probe:
    """Properties of a video stream.

    `orientation` is the rotation or mirroring that makes a frame upright. `width`, `height` and `sample_aspect` are
    those of the stored frame, `size` and `aspect` those of the upright frame.

    Attributes:
        path: the file.
        container: libav's name of the format.
        stream: index of the stream.
        width, height: size of the stored frame in pixels.
        codec: libav's name of the codec.
        pixel_format: libav's name of the pixel format.
        bits: bits per sample.
        colour: YUV matrix and range.
        chroma_location: position of the chroma samples relative to the luma samples.
        rate: frames per second.
        index: timestamps and keyframes of the frames.
        audio: number of audio streams.
        orientation: rotation and mirroring of the frames.
        sample_aspect: width of a pixel over its height.
        interlaced: whether the first frame is flagged as interlaced.
        transfer: transfer function by which linear light is coded when it is read; "" for coded pictures.
        hdr: transfer function of an HDR file, "PQ" or "HLG", else "".
        peak: peak luminance of the mastering display in cd/m2, for HDR.
        backend: decoder to use, which reads the file correctly: "decord" or "pyav".
        reason: why this decoder was chosen.
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
    orientation: Orientation
    sample_aspect: Fraction
    interlaced: bool
    hdr: str
    peak: float
    backend: str = "pyav"
    reason: str = ""
    transfer: str = ""

    @cached_property
    def timestamps(self) -> npt.NDArray[np.float64]:
        """Seconds from the first frame, in display order, increasing."""
        return self.index.seconds

    @property
    def frames(self) -> int:
        return len(self.index.ticks)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright frame."""
        return (self.width, self.height) if self.orientation.transpose else (self.height, self.width)

    @property
    def aspect(self) -> Fraction:
        """Pixel aspect ratio, width over height, of the upright frame; 1 if the file does not specify it."""
        return 1 / self.sample_aspect if self.orientation.transpose else self.sample_aspect


def probe(path: Path, cut_short: bool = False, advanced: Callable[[int], object] | None = None) -> Probe:
    """Read the properties of a video file, from all its packets and its first frame.

    Args:
        path: the file.
        cut_short: whether a truncated file is accepted.
        advanced: called at times with the number of bytes that were read so far.

    Raises:
        UserError: the file is not a video, is truncated or encrypted, is a list of other files, has no frame that can
            be decoded, or has an unsupported codec, matrix, edit list, rotation or kind of pictures (single fields).
    """
    try:
        with open_input(path) as container:
            stream = select_video_stream(container, path)
            if "mp4" in container.format.name:
                check_edit_list(path, stream.id)
            log, frame, decode = PacketLog(stream), None, decoder_of(stream)
            every: Any = list(container.streams) if container.format.name in STATING else stream
            try:
                for packet in _watched(packets_of(container, every), advanced):
                    if packet.has_sidedata("encryption_info"):
                        raise UserError(path, "is encrypted (Common Encryption)", "decrypt it first")
                    if log.add(packet):
                        frame = frame or _first_frame(decode, packet)
            except av.error.FFmpegError:
                if not cut_short:
                    raise
            reordered = bool(stream.codec_context.has_b_frames) or log.is_delayed
            guessed = container.format.name == "avi" and reordered
            index = log.index(stream.time_base or Fraction(1, 1000), _stated_rate(stream), decoding=guessed)
            index = replace(index, last=last_duration(container, stream, index))
            if frame is None:
                check_clear(path)
            if not cut_short:
                check_complete(path, container, stream, index, reach=log.reach)
            if frame is None or not index.ticks.size:
                raise UserError(
                    path, "holds no frame that can be decoded and is shown", "copy or download the file again"
                )
            # The decoder reorders frames and the container does not: its times are of decoding (AVI, some MP4).
            disordered = bool(stream.codec_context.has_b_frames) and not index.reordered
            if not index.counted and (disordered or frame.pts not in index.ticks):
                index = replace(index, keys=index.keys[:0], counted=True)  # of which no time is used
            return _describe(path, container, stream, index, frame)
    except av.error.FFmpegError as error:
        check_clear(path)
        problem = "is not a video that can be read" if path.stat().st_size else "is empty"
        raise UserError(
            path, f"{problem} ({error.strerror})", "copy or download the file again, or give a video"
        ) from error


def _watched(packets: Iterator[Any], advanced: Callable[[int], object] | None) -> Iterator[Any]:
    for number, packet in enumerate(packets):
        if advanced and packet.pos and number % _OFTEN == 0:
            advanced(packet.pos)
        yield packet


def _first_frame(
    decode: Callable[["Packet[VideoStream]"], list[VideoFrame]], packet: "Packet[VideoStream]"
) -> VideoFrame | None:
    try:
        frames = decode(packet)
    except av.error.InvalidDataError:
        return None  # damage.py reports it; later packets may decode
    return frames[0] if frames else None


def _stated_rate(stream: VideoStream) -> Fraction:
    return Fraction(stream.average_rate or stream.base_rate or 25)


def _rate(stream: VideoStream, index: PacketIndex) -> Fraction:
    """Frames per second; if fields have packets of their own, the container may state fields per second."""
    if not index.halves or index.counted or len(index.ticks) < 2:
        return _stated_rate(stream)
    return (len(index.ticks) - 1) / (int(index.ticks[-1] - index.ticks[0]) * index.base)


def _describe(
    path: Path, container: InputContainer, stream: VideoStream, index: PacketIndex, frame: VideoFrame
) -> Probe:
    codec, pixel_format = stream.codec_context.name, frame.format.name
    if codec == "hevc" and frame.interlaced_frame:  # libav's flag for pictures of a single field
        raise UserError(path, "is interlaced HEVC that stores fields separately", "run ffmpeg -i IN -vf weave OUT.mkv")
    colour, orientation = _colour(path, frame), _orientation(path, frame)
    found = Probe(
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
    )
    if trouble := _not_for_decord(found, several=len(container.streams.video) > 1):
        return replace(found, reason=trouble)
    return replace(found, backend="decord", reason="8-bit RGB or 4:4:4 in closed GOPs")


def _colour(path: Path, frame: VideoFrame) -> Colour:
    """Matrix and range of the first frame. Raises UserError for a matrix that is not linear in R'G'B'."""
    tag, pixel_format = int(frame.colorspace), frame.format.name
    if is_rgb(pixel_format):
        return Colour("rgb", True)
    if tag in _UNSUPPORTED_MATRICES:
        raise UserError(
            path, f"has the color matrix {_UNSUPPORTED_MATRICES[tag]}, which is not supported", "convert it to BT.709"
        )
    full = int(frame.color_range) == _FULL_RANGE or pixel_format.startswith("yuvj")
    guessed = "bt601" if frame.height <= _SD_LINES else "bt709"
    known = tag in _MATRICES and tag != 0
    if is_gray(pixel_format):
        return Colour(_MATRICES[tag] if known else guessed, full or int(frame.color_range) == 0)
    return Colour(_MATRICES[tag] if known else guessed, full, assumed=not known)


def describe_change(probe: Probe, frame: VideoFrame) -> str:
    """Describe a change of size, matrix or range since the first frame, or between RGB and YUV, or to more bits.

    The result is "" if there is no such change.
    """
    colour, matrix = probe.colour, _MATRICES.get(int(frame.colorspace), "")
    if (frame.width, frame.height) != (probe.width, probe.height):
        return f"changes from {probe.width}x{probe.height} to {frame.width}x{frame.height}"
    if is_rgb(frame.format.name) != is_rgb(probe.pixel_format) or bits_of(frame.format.name) > probe.bits:
        return f"changes from {probe.pixel_format} to {frame.format.name}"
    if colour.matrix == "rgb":
        return ""
    if matrix not in ("", "rgb", colour.matrix):
        return f"changes from {colour.matrix} to {matrix}"
    if (stated := int(frame.color_range)) and (stated == _FULL_RANGE) != colour.full_range:
        return f"changes from {_range(colour.full_range)} to {_range(not colour.full_range)} range"
    return ""


def _range(full: bool) -> str:
    return "full" if full else "limited"


def _orientation(path: Path, frame: VideoFrame) -> Orientation:
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d, _, _, _, _ = struct.unpack("=9i", bytes(data))
    if a and d and not b and not c:
        return Orientation(False, d < 0, a < 0)
    if b and c and not a and not d:
        return Orientation(True, b < 0, c < 0)
    raise UserError(
        path, "is rotated by an angle that is not a multiple of 90 degrees", "rotate its frames by ffmpeg -i IN OUT.mkv"
    )


def _peak(frame: VideoFrame) -> float:
    """Peak luminance of the mastering display in cd/m2 (SMPTE ST 2086); 1000 if the file is not tagged."""
    data = frame.side_data.get("MASTERING_DISPLAY_METADATA")
    if data is None:
        return 1000.0
    brightest, over, _, known = struct.unpack_from("=4i", bytes(data), 72)  # AVMasteringDisplayMetadata
    return brightest / over if known and over and brightest > 0 else 1000.0


def _not_for_decord(probe: Probe, several: bool) -> str:
    """Why decord 0.6.0 would not read the file correctly, as measured in tests/parity; "" if it does."""
    samples = probe.pixel_format
    troubles = {
        "decord drops alpha": has_alpha(samples),
        "decord seeks wrongly in this container": not {"matroska", "mp4"} & set(probe.container.split(",")),
        "decord is not measured on this codec": probe.codec not in {"h264", "ffv1", "vp9"},
        "decord keeps 8 bits": probe.bits > 8,
        "decord repeats chroma instead of enlarging it": not (is_rgb(samples) or "444" in samples),
        "decord reads an untagged matrix as BT.601": probe.colour.assumed,
        "decord shows what an edit list hides": probe.index.hidden > 0,
        "decord seeks wrongly in open GOPs": probe.index.leading,
        "times are missing or not of display": probe.index.counted,
        "turned or mirrored": probe.orientation != UPRIGHT,
        "decord pads narrow pictures wrongly": probe.width < 80,
        "several video streams": several,
    }
    return next((reason for reason, applies in troubles.items() if applies), "")
