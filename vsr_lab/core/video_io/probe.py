"""What a video file says of itself, read from its container without decoding a frame."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.stream import VideoStream

from vsr_lab.core.clip import Colour
from vsr_lab.core.errors import UserError

# FFmpeg's AVColorSpace, AVColorTransferCharacteristic and AVFieldOrder numbers (ITU-T H.273).
_MATRICES = {0: "rgb", 1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
_UNTAGGED = 2
_HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_FULL_RANGE = 2
# Where decord is known to return wrong frames without a word.
_UNSAFE_CONTAINERS = {"mpegts": "MPEG-TS"}
_UNSAFE_CODECS = {"av1": "AV1"}


@dataclass(frozen=True)
class Probe:
    """A video stream's facts. timestamps: seconds from the first frame, in display order.

    width and height are those of the coded picture; a reader turns it by `rotation` degrees.
    """

    path: Path
    width: int
    height: int
    codec: str
    pixel_format: str
    colour: Colour
    rate: Fraction
    timestamps: npt.NDArray[np.float64]
    audio: int
    rotation: int

    @property
    def frames(self) -> int:
        return len(self.timestamps)


def probe(path: Path) -> Probe:
    """Read the container's index of `path`.

    Raises UserError for what is no video, is cut short, or would be read wrong (HDR, 10 bit, MPEG-TS, AV1).
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UserError(path, "has no video stream", "give a video file")
            stream = container.streams.video[0]
            _refuse_unreadable(path, container.format.name, stream)
            rotation = _rotation(container, stream)
            packets = [packet for packet in container.demux(stream) if packet.size and packet.pts is not None]
            if any(packet.is_discard for packet in packets):
                raise UserError(path, "hides frames by an edit list", "write it anew: ffmpeg -i IN -c:v ffv1 OUT.mkv")
            ticks = [packet.pts for packet in packets if packet.pts is not None]
            stated = None if stream.frames else _stated_seconds(container, stream)
            return _describe(path, stream, ticks, stated, len(container.streams.audio), rotation)
    except av.error.FFmpegError as error:
        problem = "is not a video that can be read" if path.stat().st_size else "is empty"
        raise UserError(path, f"{problem} ({error.strerror})", "is it complete?") from error


def _refuse_unreadable(path: Path, container: str, stream: VideoStream) -> None:
    context = stream.codec_context
    transfer = _HDR_TRANSFERS.get(int(context.color_trc or 0))
    if transfer:
        raise UserError(path, f"is HDR ({transfer})", "tone-map it to BT.709 first")
    if container in _UNSAFE_CONTAINERS:
        raise UserError(path, f"is {_UNSAFE_CONTAINERS[container]}", "remux it first: ffmpeg -i IN -c copy OUT.mkv")
    if context.name in _UNSAFE_CODECS or context.name.endswith("av1"):
        raise UserError(path, "is AV1, which the reader cannot decode", "transcode it to lossless H.264 or FFV1")
    deepest = max((component.bits for component in context.format.components), default=8) if context.format else 8
    if deepest > 8:
        raise UserError(path, f"has {deepest} bits a sample", "only 8-bit video is read exactly; convert it first")


def _rotation(container: InputContainer, stream: VideoStream) -> int:
    """Degrees by which the first frame says it is to be turned; the container stands at its start again after."""
    frame = next(container.decode(stream), None)
    container.seek(0, stream=stream)
    return int(frame.rotation) if frame else 0


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """How long the container says the video is, where it says so: Matroska gives no number of frames."""
    stated = stream.metadata.get("DURATION")
    if stated:
        hours, minutes, seconds = stated.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    whole = container.duration  # of the longest stream, so it tells nothing where there is sound
    return whole / 1e6 if whole and not container.streams.audio else None


def _describe(
    path: Path, stream: VideoStream, ticks: list[int], stated: float | None, audio: int, rotation: int
) -> Probe:
    context = stream.codec_context
    if not ticks or (stream.frames and len(ticks) < stream.frames):
        raise UserError(path, f"is cut short ({len(ticks)} of {stream.frames} frames)", "fetch it again")
    base = stream.time_base or Fraction(1, 1)
    start = min(ticks)
    timestamps = np.sort(np.array([float((tick - start) * base) for tick in ticks]))
    longest = float(np.diff(timestamps).max()) if len(timestamps) > 1 else 1.0
    if stated and stated - float(start * base) - timestamps[-1] > 2.5 * longest:
        raise UserError(path, f"is cut short ({timestamps[-1]:.2f} of {stated:.2f} seconds)", "fetch it again")
    height = context.height
    tag = int(context.colorspace)
    pixel_format = context.pix_fmt or ""
    rgb = tag == 0 or pixel_format.startswith(("rgb", "bgr", "gbr", "0rgb", "0bgr"))
    matrix = "rgb" if rgb else _MATRICES.get(tag, "bt601")
    full = rgb or int(context.color_range) == _FULL_RANGE or pixel_format.startswith("yuvj")
    return Probe(
        path=path,
        width=context.width,
        height=height,
        codec=context.name,
        pixel_format=pixel_format,
        colour=Colour(matrix, full, assumed=not rgb and tag == _UNTAGGED),
        rate=Fraction(stream.average_rate or stream.base_rate or 25),
        timestamps=timestamps,
        audio=audio,
        rotation=rotation,
    )
