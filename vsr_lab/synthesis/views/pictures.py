"""Pictures on screens: wallpapers, landscapes, charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, Colour, mix, rgb
from vsr_lab.synthesis.drawing.style import Style, pick

_SKIES = ("3a6fb0 9cc4e4 f4e3c8", "1d2b53 7e5a86 f2a65e", "87b6d8 cfe2ee ffffff", "2a1a3e a8445f f7c66b")
_GROUNDS = ("2f5d3a 4c8a4f", "3b3a52 6a5b7b", "6b4a2e a87c4a", "1f4a55 3d8a8c")
_WALLS_DARK = ("14213d 274b7a 7a2e5d", "0f2027 203a43 2c7a6b", "2b1055 5a3fa0 d76d77", "1a1a2e 16213e 0f6080")
_WALLS_LIGHT = ("8ec5fc c9b8f5 f3d1f4", "a1c4fd c2e9fb f6f1d5", "f6d365 e8708a", "7fc8a9 c9e7b4 f4f3d0")

Array = NDArray[np.float64]


def _gradient(height: Array, stops: str) -> Array:
    """Colours for heights 0..1, channels last."""
    colours = np.array([rgb(code) for code in stops.split()], np.float64)
    places = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(height, places, colours[:, band]) for band in range(3)], -1)


def _ridge(rng: np.random.Generator, x: Array, rough: float) -> Array:
    """A random fractal line over x in 0..1, about -1..1."""
    line = np.zeros_like(x)
    for octave in range(1, 7):
        knots = rng.uniform(-1, 1, (1 << octave) + 1)
        line += np.interp(x, np.linspace(0, 1, len(knots)), knots) * rough**octave
    return line


def _wave(rng: np.random.Generator, x: Array) -> Array:
    """A smooth line over x in 0..1: a cubic through three random values."""
    first, second, third = rng.uniform(-0.5, 0.5, 3)
    return first * (1 - x) ** 3 + second * x * (1 - x) * 3 + third * x**3


def _grid(width: float, height: float, zoom: float) -> tuple[Array, Array, float]:
    wide, high = max(1, int(width * zoom + 0.5)), max(1, int(height * zoom + 0.5))
    return (np.arange(wide) + 0.5)[None, :] / wide, (np.arange(high) + 0.5)[:, None] / high, float(high)


def wallpaper(rng: np.random.Generator, width: float, height: float, *, zoom: float, dark: bool) -> Image.Image:
    """Draw a slanted gradient with a few translucent waves."""
    x, y, rows = _grid(width, height, zoom)
    stops = pick(rng, _WALLS_DARK if dark else _WALLS_LIGHT)
    slant = float(rng.uniform(0.2, 0.8))
    picture = _gradient(x * slant + y * (1 - slant), stops)
    for level in np.sort(rng.uniform(0.15, 1.0, 4)):
        cover = np.clip((y - level - _wave(rng, x)) * rows + 0.5, 0, 1) * float(rng.uniform(0.12, 0.35))
        colour = np.array(rgb(pick(rng, stops.split())), np.float64)
        picture += (colour - picture) * cover[..., None]
    return Image.fromarray((picture + 0.5).astype(np.uint8))


def landscape(rng: np.random.Generator, width: float, height: float, zoom: float) -> Image.Image:
    """Draw hills under a sky with a sun and some grain, in place of a photograph."""
    x, y, rows = _grid(width, height, zoom)
    aspect = width / height
    picture = _gradient(np.broadcast_to(y, (y.size, x.size)) * 1.2, pick(rng, _SKIES))
    far = np.sqrt(((x - rng.uniform(0.2, 0.8)) * aspect) ** 2 + (y - rng.uniform(0.15, 0.45)) ** 2)
    light = np.maximum(np.clip((0.08 - far) * 40, 0, 1), np.clip(1 - far / 0.5, 0, 1) ** 2 * 0.6)
    picture += (np.array((255, 244, 214)) - picture) * light[..., None]
    near = rgb(pick(rng, _GROUNDS).split()[0])
    for depth, level in enumerate((0.55, 0.68, 0.82)):
        line = level + _ridge(rng, x, 0.45 - 0.05 * depth) * 0.22
        cover = np.clip((y - line) * rows + 0.5, 0, 1)[..., None]
        colour = np.array(mix((150, 170, 195), near, (depth + 1) / 3), np.float64)
        picture += (colour * (1.15 - 0.5 * np.clip(y - line, 0, 1))[..., None] - picture) * cover
    grain = Image.fromarray(rng.integers(0, 255, (int(height), int(width)), np.uint8))
    noise = np.asarray(grain.resize((x.size, y.size), Image.Resampling.BICUBIC), np.float64) - 127
    return Image.fromarray(np.clip(picture + 0.04 * noise[..., None] + 0.5, 0, 255).astype(np.uint8))


def chart(rng: np.random.Generator, canvas: Canvas, box: Sequence[float], style: Style) -> None:
    """Draw a chart with axes and labels in a box (x, y, width, height): bars, or two lines."""
    (x, y, width, height), ui, font = box, style.ui, style.label(-2)
    canvas.rect(x, y, width, height, ui.window, 4, ui.border)
    left, top, wide, high = x + 34, y + 12, width - 46, height - 32
    for step in range(5):
        level = top + high * step / 4
        canvas.rect(left, level, wide, 1, mix(ui.window, ui.border, 0.7))
        label = str((4 - step) * 25)
        canvas.text(left - 6 - font.width(label), level + 4, label, font, ui.muted)
    count = max(4, int(wide // 34))
    for index in range(count):
        canvas.text(left + wide * (index + 0.2) / count, top + high + 13, str(2010 + index), font, ui.muted)
    second = mix(style.accent, ui.link, 0.7)
    if rng.random() < 0.5:
        for index, tall in enumerate(rng.uniform(0.1, 0.95, count) * high):
            colour, start = style.accent if index % 2 else second, left + wide * (index + 0.2) / count
            canvas.rect(start, top + high - tall, wide / count * 0.6, tall, colour)
        return
    for colour in (second, style.accent):
        _curve(rng, canvas, (left, top, wide, high), 2 * count, colour)


def _curve(rng: np.random.Generator, canvas: Canvas, box: Sequence[float], count: int, colour: Colour) -> None:
    left, top, wide, high = box
    walk = np.cumsum(rng.uniform(-1, 1.2, count))
    walk = (walk - walk.min()) / (walk.max() - walk.min() + 1e-9) * 0.85 + 0.05
    points = [(left + wide * i / (count - 1), top + high * (1 - float(v))) for i, v in enumerate(walk)]
    canvas.line(points, colour, 1.6)
    for px, py in points[:: max(1, count // 8)]:
        canvas.disc(px, py, 2.2, colour)
