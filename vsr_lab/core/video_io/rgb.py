"""Decoded frames to RGB by an explicit matrix, range and chroma siting."""

import itertools
from fractions import Fraction

import av.filter
import cv2
import numpy as np
import numpy.typing as npt
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from vsr_lab.core.clip import AnyFrames, Colour

# ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant luminance), SMPTE 240M, and FCC's of 1953: the shares of red and
# blue in luma.
LUMA_SHARES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
# Saying limited on both sides keeps swscale from touching values: codes are only shifted up to 16 bits, and chroma
# enlarged by its cubic (a = -0.6). Its own conversion to RGB is up to 1 level off for deep sources.
_WIDEN = (
    "in_range=limited:out_range=limited:in_color_matrix=bt709:out_color_matrix=bt709"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
)


def is_rgb(pixel_format: str) -> bool:
    """True for a format whose samples are red, green and blue (or a palette of them)."""
    return VideoFormat(pixel_format).is_rgb or pixel_format == "pal8"


def is_gray(pixel_format: str) -> bool:
    """True for a format without chroma."""
    return pixel_format.startswith(("gray", "ya", "mono"))


def bits_of(pixel_format: str) -> int:
    """Bits of the deepest sample."""
    if pixel_format == "pal8":
        return 8
    return max((component.bits for component in VideoFormat(pixel_format).components), default=8)


def rgb_matrix(colour: Colour, bits: int, peak: int) -> npt.NDArray[np.float64]:
    """3 x 4: codes of Y Cb Cr shifted up to 16 bits, and 1, to R G B in 0..peak.

    Raises KeyError for a matrix that is not in LUMA_SHARES.
    """
    red, blue = LUMA_SHARES[colour.matrix]
    green = 1 - red - blue
    mix = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    )
    step = 1 << 8  # one 8-bit code, at 16 bits
    if colour.full_range:
        top = ((1 << bits) - 1) << (16 - bits)
        mix, offset = mix / top, np.array([0, 128, 128]) * step
    else:
        mix, offset = mix / (np.array([219, 224, 224]) * step), np.array([16, 128, 128]) * step
    return peak * np.hstack([mix, -(mix @ offset)[:, None]])


class RgbConverter:
    """RGB of decoded frames of one size and format: uint8 of 8-bit sources, uint16 on the full 16-bit scale of deeper.

    siting: where chroma lies, as libavfilter names it ("left", "center", "topleft"), "auto" for what frames say.
    """

    def __init__(self, like: VideoFrame, colour: Colour, siting: str) -> None:
        self._format = like.format.name
        bits = bits_of(self._format)
        self._dtype = np.uint8 if bits <= 8 else np.uint16
        self._matrix: npt.NDArray[np.float64] | None = None
        if is_rgb(self._format):
            scale, out = "", "rgb24" if bits <= 8 else "rgb48le"
        elif is_gray(self._format):
            scale, out = "", "gray16le"
        else:
            scale, out = f"{_WIDEN}:in_chroma_loc={siting}", "yuv444p16le"
        if out == "gray16le":  # swscale takes gray for full range and spreads it to 16 bits
            self._low, self._high = (0, 1) if colour.full_range else _luma_range(bits)
        elif out == "yuv444p16le":
            self._matrix = rgb_matrix(colour, bits, np.iinfo(self._dtype).max)
        self._graph = filter_graph(like, scale, out)

    def fits(self, frame: VideoFrame) -> bool:
        """True where this converter was made for frames of that format."""
        return frame.format.name == self._format

    def __call__(self, frame: VideoFrame) -> AnyFrames:
        """H W 3."""
        self._graph.push(frame)
        samples = self._graph.vpull().to_ndarray(channel_last=True)
        peak = np.iinfo(self._dtype).max
        if samples.ndim == 2:
            gray = (samples / 65535 - self._low) / (self._high - self._low)
            return np.rint(gray.clip(0, 1) * peak).astype(self._dtype)[..., None].repeat(3, 2)
        if self._matrix is None:
            return samples  # pyright: ignore[reportReturnType]
        # OpenCV multiplies in float32 and rounds into uint16, clamped.
        rgb = cv2.transform(np.ascontiguousarray(samples), self._matrix.astype(np.float32))
        return np.minimum(rgb, peak).astype(self._dtype)


def _luma_range(bits: int) -> tuple[float, float]:
    top = (1 << bits) - 1
    return (16 << (bits - 8)) / top, (235 << (bits - 8)) / top


def filter_graph(like: VideoFrame, scale: str, out: str) -> av.filter.Graph:
    """libavfilter's `scale` with these options and then `format=out`, for frames like this one."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=like.width, height=like.height, format=like.format, time_base=like.time_base or Fraction(1, 1000)
    )
    chain = [source, graph.add("scale", scale), graph.add("format", out), graph.add("buffersink")]
    for first, second in itertools.pairwise(chain):
        first.link_to(second)
    graph.configure()
    return graph
