"""Video made and decoded plane by plane, and its RGB in float64: shares nothing with the reader but the codecs.

A picture drifts, and its number is drawn into its corner as eight squares, so that a shifted frame cannot pass.
"""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

Array = npt.NDArray[np.float64]
Planes = list[npt.NDArray[np.int64]]

# Red's and blue's share of luma: BT.601-7, BT.709-6, BT.2020-2, SMPTE 240M, FCC 1953.
SHARES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
_SQUARE = 8


def picture(number: int, height: int, width: int, drawn: int | None = None) -> Array:
    """RGB in [0, 1]: soft colours, hard saturated edges, all moving; along the top `drawn` in binary, or the number."""
    drawn = number if drawn is None else drawn
    y, x = np.mgrid[:height, :width] + 0.0
    x = x + 2 * number
    soft = [0.5 + 0.45 * np.sin(x / 9 + c) * np.cos((y + number) / 7 + 2 * c) for c in range(3)]
    rgb = np.stack(soft, -1)
    bars = ((x // 11 + y // 13) % 5 == 0)[..., None]
    hue = np.stack([(x // 11) % 2, (y // 13) % 2, (x // 22) % 2], -1)
    rgb = np.where(bars, hue, rgb)
    for bit in range(min(8, width // _SQUARE)):
        rgb[:_SQUARE, bit * _SQUARE : (bit + 1) * _SQUARE] = 0.9 if drawn >> bit & 1 else 0.1
    return rgb


def drawn_number(rgb: Array) -> int:
    """The number drawn into a picture. rgb in [0, 1]."""
    squares = range(min(8, rgb.shape[1] // _SQUARE))
    inner = [rgb[2 : _SQUARE - 2, bit * _SQUARE + 2 : (bit + 1) * _SQUARE - 2].mean() for bit in squares]
    return sum(1 << bit for bit, mean in enumerate(inner) if mean > 0.5)


def bits_of(format: str) -> int:
    digits = format.removesuffix("le").removesuffix("be")[-2:]
    return int(digits) if digits in {"10", "12", "14", "16"} else 8


def to_planes(rgb: Array, format: str, matrix: str, full: bool) -> Planes:
    """Codes of the planes of `format` in the order in which libavutil keeps them."""
    bits = bits_of(format)
    top = (1 << bits) - 1
    red, green, blue = np.moveaxis(rgb, -1, 0)
    if format in {"bgr24", "bgr0", "rgb24", "gbrp"} or format.startswith("gbrp"):
        return [np.rint(plane * top).astype(np.int64) for plane in (green, blue, red)]
    kr, kb = SHARES[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    step = 1 << (bits - 8)
    planes = [luma * top if full else (16 + 219 * luma) * step]
    for difference in ((blue - luma) / (1 - kb) / 2, (red - luma) / (1 - kr) / 2):
        plane = 128 * step + difference * (top if full else 224 * step)
        if "420" in format:
            plane = np.stack(
                [plane[::2], plane[1::2] if len(plane) % 2 == 0 else plane[[*range(1, len(plane), 2), -1]]]
            )
            plane = plane.mean(0)
        if "420" in format or "422" in format:
            plane = plane[:, ::2]
        planes.append(plane)
    planes = planes[:1] if format.startswith("gray") else planes
    return [np.rint(plane).clip(0, top).astype(np.int64) for plane in planes]


def frame_of(planes: Planes, format: str) -> VideoFrame:
    """A frame of these planes; packed RGB takes them as G, B, R."""
    if format in {"bgr24", "bgr0", "rgb24"}:
        packed = np.stack([planes[2], planes[0], planes[1]], -1).astype(np.uint8)
        return av.VideoFrame.from_ndarray(packed, format="rgb24").reformat(format=format)
    frame = VideoFrame(planes[0].shape[1], planes[0].shape[0], format)
    dtype = np.uint8 if bits_of(format) == 8 else np.dtype("<u2")
    for target, plane in zip(frame.planes, planes, strict=True):
        rows = np.zeros((target.height, target.line_size), np.uint8)
        data = np.ascontiguousarray(plane.astype(dtype)).view(np.uint8).reshape(len(plane), -1)
        rows[: len(data), : data.shape[1]] = data
        target.update(rows.tobytes())
    return frame


def planes_of(frame: VideoFrame) -> Planes:
    """Codes of a decoded frame; packed RGB comes as G, B, R."""
    name = frame.format.name
    if not frame.format.is_planar and name != "gray" and not name.startswith("gray"):
        red, green, blue = np.moveaxis(frame.to_ndarray(format="rgb24").astype(np.int64), -1, 0)
        return [green, blue, red]
    dtype = np.uint8 if bits_of(name) == 8 else np.dtype("<u2")
    planes: Planes = []
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, -1)
        planes.append(rows.view(dtype)[:, : plane.width].astype(np.int64))
    return planes


def decode(path: Path) -> tuple[str, list[Planes]]:
    """Every frame of a file from its start to its end, and their format."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return frames[0].format.name, [planes_of(frame) for frame in frames]


def _enlarged(plane: Array, length: int, axis: int, offset: float) -> Array:
    """Twice as long by the cubic of a = -0.6 that swscale uses. offset: of the first sample, in output samples."""
    positions = (np.arange(length) - offset) / 2
    taps = np.floor(positions).astype(int)[:, None] + np.arange(-1, 3)
    d = np.abs(positions[:, None] - taps)
    a = -0.6
    near, far = (a + 2) * d**3 - (a + 3) * d**2 + 1, a * (d**3 - 5 * d**2 + 8 * d - 4)
    weights = np.zeros((length, plane.shape[axis]))
    clamped = taps.clip(0, plane.shape[axis] - 1)
    np.add.at(weights, (np.arange(length)[:, None], clamped), np.where(d <= 1, near, np.where(d < 2, far, 0)))
    return weights @ plane if axis == 0 else plane @ weights.T


def to_rgb(planes: Planes, format: str, matrix: str, full: bool, siting: str) -> Array:
    """RGB in [0, 1], clamped. siting: "left", "center" or "topleft"."""
    bits = bits_of(format)
    top, step = (1 << bits) - 1, 1 << (bits - 8)
    codes = [plane.astype(np.float64) for plane in planes]
    if "gbr" in format or "rgb" in format or "bgr" in format:
        green, blue, red = codes
        return np.stack([red, green, blue], -1) / top
    luma = codes[0] / top if full else (codes[0] / step - 16) / 219
    if format.startswith("gray"):
        return np.repeat(luma[..., None], 3, 2).clip(0, 1)
    height, width = luma.shape
    differences: list[Array] = []
    for plane in codes[1:3]:
        if "420" in format:
            plane = _enlarged(plane, height, 0, 0.0 if siting == "topleft" else 0.5)
        if "420" in format or "422" in format:
            plane = _enlarged(plane, width, 1, 0.5 if siting == "center" else 0.0)
        differences.append((plane - 128 * step) / (top if full else 224 * step))
    kr, kb = SHARES[matrix]
    red = luma + 2 * (1 - kr) * differences[1]
    blue = luma + 2 * (1 - kb) * differences[0]
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.stack([red, green, blue], -1).clip(0, 1)


def encode(
    path: Path,
    pictures: Sequence[VideoFrame],
    codec: str,
    options: dict[str, str],
    tags: dict[str, int],
    ticks: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    turn: tuple[float, bool] | None = None,
) -> None:
    """Write frames as they are. ticks: their times in milliseconds, else 25 a second; turn: degrees, mirrored."""
    with av.open(str(path), "w", options={"strict": "-1"}) as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = pictures[0].width, pictures[0].height, pictures[0].format.name
        context = stream.codec_context
        for name, value in tags.items():
            setattr(context, name, value)
        if aspect:
            stream.sample_aspect_ratio = context.sample_aspect_ratio = aspect
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        base = Fraction(1, 1000) if ticks else Fraction(1, 25)
        context.time_base = base
        for frame, tick in zip(pictures, ticks or itertools.count(), strict=False):
            frame.pts, frame.time_base = tick, base
            frame.colorspace, frame.color_range = tags.get("colorspace", 2), tags.get("color_range", 0)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
