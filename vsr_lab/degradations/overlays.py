"""What is drawn on top of a picture and belongs to it: a timestamp, a cursor.

The truth has them as well, sharp. A model trained without would learn to wipe out what says when a thing happened, or
what the user points at, and to invent what lies beneath.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, draw_seed, uniform

_FINE = 12  # drawn so many times too large, then averaged down: to 1, 2, 3, 4 or 6 times with one and the same shape


def _stamped(frames: Tensor, picture: Image.Image, zoom: int, y: int, x: int) -> Tensor:
    """frames (..., 3, H, W) with an RGBA picture (of _FINE times its size) at row y, column x, all at zoom."""
    fine = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)
    drawn = torch.nn.functional.avg_pool2d(fine, _FINE // zoom).to(frames)
    top, left = max(-y * zoom, 0), max(-x * zoom, 0)
    bottom = min(drawn.shape[-2], frames.shape[-2] - y * zoom)
    right = min(drawn.shape[-1], frames.shape[-1] - x * zoom)
    if bottom <= top or right <= left:
        return frames
    colour, cover = drawn[:3, top:bottom, left:right], drawn[3:, top:bottom, left:right]
    frames = frames.clone()
    window = frames[..., y * zoom + top : y * zoom + bottom, x * zoom + left : x * zoom + right]
    window.copy_(window * (1 - cover) + colour)
    return frames


def _premultiplied(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture).astype(np.float32)
    values[..., :3] *= values[..., 3:] / 255
    return Image.fromarray(values.round().astype(np.uint8), "RGBA")


class TimestampOverlay(Degradation):
    """Date, time and camera in white with a black rim in a corner, counting on with the frames.

    size: height of the letters as a part of the picture's, drawn from a range, at least 7 pixels; rate: frames/s.
    params: start (seconds since 1970), camera, style, corner (0 to 3: top left, top right, bottom left, bottom right).
    """

    temporal = True
    modifies_target = True
    _STYLES = ("%Y-%m-%d %H:%M:%S  CAM {camera:02d}", "%d/%m/%Y %H:%M:%S", "CAM{camera}  %m-%d-%Y %a %H:%M:%S")

    def __init__(self, size_min: float, size_max: float, rate: float = 25.0) -> None:
        self.size_min = size_min
        self.size_max = size_max
        self.rate = rate

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "start": float(rng.integers(1_000_000_000, 1_900_000_000)) + uniform(rng, 0, 1),
            "camera": int(rng.integers(1, 17)),
            "corner": int(rng.integers(0, 4)),
            "style": int(rng.integers(0, len(self._STYLES))),
            "size": uniform(rng, self.size_min, self.size_max),
        }

    def text(self, t: int, params: Params) -> str:
        """What frame t says."""
        now = datetime.fromtimestamp(params["start"], UTC) + timedelta(seconds=t / self.rate)
        return now.strftime(self._STYLES[params["style"]]).format(camera=params["camera"])

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        height, width = hr.shape[-2] // zoom, hr.shape[-1] // zoom
        size = max(7, round(params["size"] * height))
        frames: list[Tensor] = []
        for t, frame in enumerate(hr.unbind(-4)):
            line = _line(self.text(t, params), size)
            below, beside = params["corner"] // 2, params["corner"] % 2
            y = height - line.height // _FINE - size // 2 if below else size // 2
            x = max(width - line.width // _FINE - size // 2, 0) if beside else size // 2
            frames.append(_stamped(frame, line, zoom, y, x))
        return torch.stack(frames, -4)


@lru_cache(maxsize=32)
def _line(text: str, size: int) -> Image.Image:
    """text in letters of `size` pixels, every one as wide as the next, _FINE times too large; colours premultiplied."""
    font = ImageFont.load_default(size * _FINE)
    advance, rim = round(0.7 * size) * _FINE, _FINE * max(1, size // 10)
    picture = Image.new("RGBA", (advance * len(text) + 2 * rim, (size + size // 3) * _FINE))
    draw = ImageDraw.Draw(picture)
    for i, letter in enumerate(text):
        place = (rim + advance * (i + 0.5), rim)
        draw.text(place, letter, "white", font, anchor="ma", stroke_width=rim, stroke_fill="black")
    return _premultiplied(picture)


class CursorOverlay(Degradation):
    """A mouse pointer that goes from place to place, slowing down at each. size: pixels of what `apply` is given.

    The truth has the pointer too. Footage that was recorded with one needs no other.
    """

    temporal = True
    modifies_target = True

    def __init__(self, size_min: int, size_max: int) -> None:
        self.size_min = size_min
        self.size_max = size_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"size": int(rng.integers(self.size_min, self.size_max + 1)), "seed": draw_seed(rng)}

    def path(self, frames: int, params: Params) -> np.ndarray:
        """Where the tip is, (T, 2) as parts of width and height; smooth."""
        rng = np.random.default_rng(params["seed"])
        places: list[np.ndarray] = []
        here = rng.uniform(0.1, 0.9, 2)
        while len(places) < frames:
            there, steps = rng.uniform(0.05, 0.95, 2), int(rng.integers(12, 40))
            way = np.linspace(0, 1, steps, endpoint=False)
            eased = way**3 * (10 - 15 * way + 6 * way**2)  # minimum jerk: Flash and Hogan 1985
            places += [here + (there - here) * part for part in eased]
            here = there
        return np.array(places[:frames])

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        size = hr.shape[-1] // zoom, hr.shape[-2] // zoom
        arrow = _arrow(params["size"])
        places = np.rint(self.path(hr.shape[-4], params) * size).astype(int)
        frames = [
            _stamped(frame, arrow, zoom, int(y), int(x)) for frame, (x, y) in zip(hr.unbind(-4), places, strict=True)
        ]
        return torch.stack(frames, -4)


@lru_cache(maxsize=8)
def _arrow(size: int) -> Image.Image:
    """The common white arrow with a black rim, `size` pixels high, _FINE times too large."""
    unit = size * _FINE / 19
    shape = [(1, 1), (1, 16), (4.6, 12.8), (7, 18.2), (9.4, 17.2), (7.1, 12), (12, 12)]
    picture = Image.new("RGBA", (size * _FINE, size * _FINE))
    points = [(x * unit, y * unit) for x, y in shape]
    ImageDraw.Draw(picture).polygon(points, "white", "black", max(1, round(unit)))
    return _premultiplied(picture)
