"""Overlays that are part of the content: a timestamp, a mouse pointer.

The training target contains them as well, drawn in the resolution of the target. Otherwise a network would learn to
remove an overlay and to invent the picture below it.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from vsr_lab.degradations.base import AppliedToTarget, Params, Probability, Range

_FINE = 12  # drawn this many times too large, then averaged down to the size, exactly if it is a divisor of 12
_STYLES = ("%Y-%m-%d %H:%M:%S  CAM {camera:02d}", "%d/%m/%Y %H:%M:%S", "CAM{camera}  %m-%d-%Y %a %H:%M:%S")


def _paste(frame: Tensor, picture: Image.Image, zoom: int, y: int, x: int) -> Tensor:
    """Paste a premultiplied RGBA picture, _FINE times too large, onto frame (..., 3, H, W) at (zoom y, zoom x)."""
    fine = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)
    height, width = (side * zoom // _FINE for side in fine.shape[-2:])
    drawn = torch.nn.functional.adaptive_avg_pool2d(fine, (height, width)).to(frame)
    top, left = max(-y * zoom, 0), max(-x * zoom, 0)
    bottom = min(drawn.shape[-2], frame.shape[-2] - y * zoom)
    right = min(drawn.shape[-1], frame.shape[-1] - x * zoom)
    if bottom <= top or right <= left:
        return frame
    color, opacity = drawn[:3, top:bottom, left:right], drawn[3:, top:bottom, left:right]
    frame = frame.clone()
    window = frame[..., y * zoom + top : y * zoom + bottom, x * zoom + left : x * zoom + right]
    window.copy_(window * (1 - opacity) + color)
    return frame


def _premultiply(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).astype(np.float32)
    values[..., :3] *= values[..., 3:] / 255
    return Image.fromarray(values.round().astype(np.uint8), "RGBA")


class TimestampOverlay(AppliedToTarget, temporal=True):
    """Date, time and camera number in a corner, in white with a black outline; the time advances.

    Args:
        start: Time of the first frame, in whole seconds since 1970.
        fraction: Fraction of a second that is added to `start`, in [0, 1].
        camera: Number of the camera.
        corner: 0 top left, 1 top right, 2 bottom left, 3 bottom right.
        style: Number of the format of date and time, 0..2.
        size: Height of the letters as a fraction of the frame height, in [0, 1]; at least 7 pixels.
        rate: Frames per second.
    """

    start: Range[int] = (1_000_000_000, 1_899_999_999)
    fraction: Range[Probability] = (0.0, 1.0)
    camera: Range[int] = (1, 16)
    corner: Range[Annotated[int, Field(ge=0, le=3)]] = (0, 3)
    style: Range[Annotated[int, Field(ge=0, lt=len(_STYLES))]] = (0, len(_STYLES) - 1)
    size: Range[Probability] = (0.03, 0.06)
    rate: PositiveFloat = 25.0

    def text(self, t: int, params: Params) -> str:
        """Text that is drawn into frame number t."""
        start = datetime.fromtimestamp(params["start"] + params["fraction"], UTC)
        now = start + timedelta(seconds=t / self.rate)
        return now.strftime(_STYLES[params["style"]]).format(camera=params["camera"])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        height, width = hr.shape[-2] // zoom, hr.shape[-1] // zoom
        size = max(7, round(params["size"] * height))
        frames: list[Tensor] = []
        for t, frame in enumerate(hr.unbind(-4)):
            line = _draw_text(self.text(t, params), size)
            bottom, right = params["corner"] // 2, params["corner"] % 2
            y = height - line.height // _FINE - size // 2 if bottom else size // 2
            x = max(width - line.width // _FINE - size // 2, 0) if right else size // 2
            frames.append(_paste(frame, line, zoom, y, x))
        return torch.stack(frames, -4)


@lru_cache(maxsize=32)
def _draw_text(text: str, size: int) -> Image.Image:
    """Draw text in monospaced letters of `size` pixels, _FINE times too large."""
    font = ImageFont.load_default(size * _FINE)
    advance, outline = round(0.7 * size) * _FINE, _FINE * max(1, size // 10)
    picture = Image.new("RGBA", (advance * len(text) + 2 * outline, (size + size // 3) * _FINE))
    draw = ImageDraw.Draw(picture)
    for i, letter in enumerate(text):
        place = (outline + advance * (i + 0.5), outline)
        draw.text(place, letter, "white", font, anchor="ma", stroke_width=outline, stroke_fill="black")
    return _premultiply(picture)


class CursorOverlay(AppliedToTarget, temporal=True, seeded=True):
    """A mouse pointer that moves between random positions, for footage recorded without one.

    Args:
        size: Height of the pointer, in pixels of the clip that `apply` gets.
    """

    size: Range[PositiveInt] = (11, 22)

    def path(self, frames: int, params: Params) -> np.ndarray:
        """Position (x, y) of the tip of the pointer in every frame, (T, 2), as fractions of width and height."""
        rng = np.random.default_rng(params["seed"])
        places: list[np.ndarray] = []
        here = rng.uniform(0.1, 0.9, 2)
        while len(places) < frames:
            there, steps = rng.uniform(0.05, 0.95, 2), int(rng.integers(12, 40))
            time = np.linspace(0, 1, steps, endpoint=False)
            eased = time**3 * (10 - 15 * time + 6 * time**2)  # minimum jerk: Flash and Hogan 1985
            places += [here + (there - here) * part for part in eased]
            here = there
        return np.array(places[:frames])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        size = hr.shape[-1] // zoom, hr.shape[-2] // zoom
        arrow = _draw_arrow(params["size"])
        places = np.rint(self.path(hr.shape[-4], params) * size).astype(int)
        frames = zip(hr.unbind(-4), places, strict=True)
        return torch.stack([_paste(frame, arrow, zoom, int(y), int(x)) for frame, (x, y) in frames], -4)


@lru_cache(maxsize=8)
def _draw_arrow(size: int) -> Image.Image:
    """The common white arrow with a black outline, `size` pixels high, _FINE times too large."""
    unit = size * _FINE / 19
    shape = [(1, 1), (1, 16), (4.6, 12.8), (7, 18.2), (9.4, 17.2), (7.1, 12), (12, 12)]
    picture = Image.new("RGBA", (size * _FINE, size * _FINE))
    points = [(x * unit, y * unit) for x, y in shape]
    ImageDraw.Draw(picture).polygon(points, "white", "black", max(1, round(unit)))
    return _premultiply(picture)
