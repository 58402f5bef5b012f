"""Conversion of decoded frames to RGB: pixel formats, YUV matrices and ranges, and positions of chroma samples."""

import io
import re
from fractions import Fraction

import av
import av.error
import av.filter
import cv2
import numpy as np
import numpy.typing as npt
from av import VideoFormat, VideoFrame, VideoStream
from av.container import InputContainer
from av.video.plane import VideoPlane

from vsr_lab.core.clip import AnyFrames, Colour, ycbcr_matrix
from vsr_lab.video.linear_light import Floats, coded, is_linear

# Position of the first chroma sample, x and y, in luma samples.
ChromaLocation = tuple[float, float]
LEFT: ChromaLocation = (0.0, 0.5)  # MPEG-2 and later codecs, and the default
CENTER: ChromaLocation = (0.5, 0.5)  # JPEG, MPEG-1
TOP_LEFT: ChromaLocation = (0.0, 0.0)  # BT.2020, DV

_PLACES = {1: 0.0, 2: 0.5}  # Matroska's ChromaSitingHorz and ChromaSitingVert: collocated, half
_MATROSKA = re.compile(rb"\x55\xb7\x81([\x01\x02])\x55\xb8\x81([\x01\x02])", re.DOTALL)


def chroma_location_of(container: InputContainer, stream: VideoStream) -> ChromaLocation:
    """Position of chroma samples relative to luma samples, by a stream's tags; LEFT (Y4M: CENTER) without a tag."""
    extradata = stream.codec_context.extradata or b""
    if container.format.name == "yuv4mpegpipe":
        return _y4m(container.name)
    if "av1" in stream.codec_context.name:  # AV1CodecConfigurationRecord, chroma_sample_position
        return TOP_LEFT if len(extradata) > 2 and extradata[2] & 3 == 2 else LEFT
    return _by_matroska(stream)


def _y4m(path: str) -> ChromaLocation:
    with open(path, "rb") as file:  # noqa: PTH123
        header = file.readline(256)
    return LEFT if b" C420mpeg2" in header else TOP_LEFT if b" C420paldv" in header else CENTER


def _by_matroska(stream: VideoStream) -> ChromaLocation:
    """Read the position from a Matroska header that is written for the stream, because PyAV does not expose it."""
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="matroska") as copy:
            copy.add_stream_from_template(stream)
            copy.start_encoding()
            found = _MATROSKA.search(header.getvalue())
    except (av.error.FFmpegError, ValueError):
        return LEFT  # codecs that Matroska cannot hold are not tagged either
    return (_PLACES[found[1][0]], _PLACES[found[2][0]]) if found else LEFT


_CUBIC = -0.6  # swscale's default, with which most players upsample chroma


def is_rgb(pixel_format: str) -> bool:
    """Whether a pixel format is RGB or a palette of RGB colours."""
    return VideoFormat(pixel_format).is_rgb or pixel_format == "pal8"


def is_gray(pixel_format: str) -> bool:
    """Whether a pixel format has no chroma."""
    return pixel_format.startswith(("gray", "ya", "mono"))


def has_alpha(pixel_format: str) -> bool:
    """Whether a pixel format has an alpha channel."""
    format = VideoFormat(pixel_format)
    return format.has_palette or any(component.is_alpha for component in format.components)


def alpha_of(frame: VideoFrame) -> npt.NDArray[np.uint8 | np.uint16] | None:
    """Alpha channel of a frame, (H, W): uint8, or uint16 in [0, 65535] if the source has more than 8 bits.

    None if the pixel format has no alpha channel.
    """
    if not has_alpha(frame.format.name):
        return None
    kind = "rgba64le" if bits_of(frame.format.name) > 8 else "rgba"
    return frame.reformat(format=kind).to_ndarray()[..., 3]  # pyright: ignore[reportReturnType]


def bits_of(pixel_format: str) -> int:
    """Bit depth of a pixel format; the largest one if its components differ."""
    if pixel_format == "pal8":
        return 8
    return max((component.bits for component in VideoFormat(pixel_format).components), default=8)


def yuv_to_rgb_matrix(colour: Colour, bits: int, peak: int) -> npt.NDArray[np.float64]:
    """Affine matrix (3, 4) that converts integer samples (Y, Cb, Cr, 1) to R, G, B in [0, peak].

    Args:
        colour: matrix and range of the samples.
        bits: bit depth of a sample, at least 8.
        peak: value of white in RGB, such as 255.
    """
    step = 2.0 ** (bits - 8)
    scale = np.full(3, 2.0**bits - 1) if colour.full_range else np.array([219, 224, 224]) * step
    mix = np.linalg.inv(ycbcr_matrix(colour.matrix)) / scale
    offset = np.array([0 if colour.full_range else 16, 128, 128]) * step
    return peak * np.hstack([mix, -(mix @ offset)[:, None]])


class RgbConverter:
    """Converts frames of one pixel format to RGB: uint8, or uint16 in [0, 65535] if the source has more than 8 bits.

    Args:
        like: a frame with the pixel format and size of the frames to convert.
        colour: matrix and range of the frames.
        chroma_location: position of the chroma samples relative to the luma samples, such as LEFT.
        transfer: transfer function by which linear light is coded, see `coded`.
    """

    def __init__(
        self, like: VideoFrame, colour: Colour, chroma_location: ChromaLocation, *, transfer: str = ""
    ) -> None:
        self._format, self._transfer = like.format.name, transfer
        self._chroma_location = chroma_location
        bits = bits_of(self._format)
        self._rgb = is_rgb(self._format)
        self._dtype = np.uint8 if bits <= 8 else np.uint16
        self._peak = int(np.iinfo(self._dtype).max)
        planar = _planar_name(like.format, bits)
        self._samples = np.dtype(np.uint8 if bits <= 8 else ">u2" if planar.endswith("be") else "<u2")
        self._graph = None if planar == self._format or is_linear(self._format) else filter_graph(like, "", planar)
        self._matrix = np.empty(0) if self._rgb else yuv_to_rgb_matrix(colour, max(bits, 8), self._peak)
        self._gray: tuple[np.float32, np.float32] | None = None  # gain and offset of luma alone
        if is_gray(self._format):
            neutral = 128 * 2.0 ** (max(bits, 8) - 8)
            self._gray = np.float32(self._matrix[0, 0]), np.float32(self._matrix[0] @ [0, neutral, neutral, 1])

    def fits(self, frame: VideoFrame) -> bool:
        """Whether the converter can convert a frame, because it has the pixel format of `like`."""
        return frame.format.name == self._format

    def __call__(self, frame: VideoFrame) -> AnyFrames:
        """Convert a frame to RGB, (H, W, 3)."""
        if is_linear(self._format):
            return coded(frame, self._transfer)
        if self._graph:
            self._graph.push(frame)
            frame = self._graph.vpull()
        if self._rgb:
            return frame.to_ndarray(channel_last=True)  # pyright: ignore[reportReturnType]
        luma = self._plane(frame.planes[0])
        if self._gray:
            return self._quantised(luma * self._gray[0] + self._gray[1])[..., None].repeat(3, 2)
        shape, (x, y) = luma.shape, self._chroma_location
        chroma = [_upsampled(_upsampled(self._plane(p), shape[0], 0, y), shape[1], 1, x) for p in frame.planes[1:3]]
        return self._quantised(np.asarray(cv2.transform(cv2.merge([luma, *chroma]), self._matrix), np.float32))

    def _plane(self, plane: VideoPlane) -> Floats:
        rows = np.frombuffer(memoryview(plane), self._samples).reshape(plane.height, -1)
        return rows[:, : plane.width].astype(np.float32)

    def _quantised(self, levels: Floats) -> AnyFrames:
        levels += 0.5
        return np.clip(levels, 0, self._peak + 0.5, out=levels).astype(self._dtype)


def _planar_name(format: VideoFormat, bits: int) -> str:
    """The planar pixel format that holds the same samples."""
    if is_rgb(format.name):
        return "rgb24" if bits <= 8 else "rgb48le"
    if is_gray(format.name):
        return format.name if format.name.startswith("gray") else "gray" if bits <= 8 else "gray16le"
    if len({component.plane for component in format.components}) == len(format.components):
        return format.name
    across, down = format.chroma_width(64), format.chroma_height(64)
    layout = {(64, 64): "444", (32, 64): "422", (32, 32): "420", (16, 64): "411", (16, 16): "410", (64, 32): "440"}
    return f"yuv{layout[across, down]}p" + (f"{bits}le" if bits > 8 else "")


def _upsampled(plane: Floats, length: int, axis: int, first: float) -> Floats:
    """Upsample a chroma plane along one axis to the length of luma, by cubic convolution.

    first: position of the first sample, in luma samples, where chroma has half the resolution.
    """
    while plane.shape[axis] < length:
        shape = list(plane.shape)
        shape[axis] *= 2
        out = np.empty(shape, np.float32)
        for parity in (0, 1):
            position = (parity - first) / 2
            base = int(np.floor(position))
            weights = np.array([_cubic(position - base - tap) for tap in range(-1, 3)])
            kernel = weights[:, None] if axis == 0 else weights[None]
            anchor = (0, 1 - base) if axis == 0 else (1 - base, 0)
            part = plane if position == 0 else cv2.filter2D(plane, -1, kernel, None, anchor, 0, cv2.BORDER_REPLICATE)
            out[(slice(None),) * axis + (slice(parity, None, 2),)] = part
        plane = out
    return plane[(slice(None),) * axis + (slice(length),)]


def _cubic(x: float) -> float:
    x = abs(x)
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
    return near if x <= 1 else _CUBIC * (((x - 5) * x + 8) * x - 4) if x < 2 else 0.0


def filter_graph(like: VideoFrame, scale: str, out: str) -> av.filter.Graph:
    """Build the libavfilter graph `scale=SCALE,format=OUT` for frames of the size and format of `like`."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=like.width, height=like.height, format=like.format, time_base=like.time_base or Fraction(1, 1000)
    )
    graph.link_nodes(source, graph.add("scale", scale), graph.add("format", out), graph.add("buffersink")).configure()
    return graph
