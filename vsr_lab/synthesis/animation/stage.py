"""A scene of layers at different distances, as filmed by a multiplane camera.

Positions and lengths are in units of 1/360 of the frame's height.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, cos, sin
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsr_lab.synthesis.shapes.cel import Cel, Layer, render
from vsr_lab.synthesis.shapes.curves import Matrix, placed

HIGH = 360.0  # units that a frame is high
Box = tuple[float, float, float, float]  # x, y, width, height in units; (0, 0) is the frame's upper left at rest
Light = NDArray[Any]  # float32 (height, width, 3), 0..255
Effect = Callable[[Light, int, float], Light]  # of a frame, its number, and its pixels a unit


@dataclass(frozen=True)
class View:
    """Position of the camera: x and y in units, zoom, and roll in radians."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0

    def matrix(self, wide: float, depth: float, unit: float) -> Matrix:
        """Affine matrix (2, 3) from units to pixels for a layer.

        Args:
            wide: width of the frame in units.
            depth: parallax factor of the layer: it moves `depth` times as much as the characters. It is 0 for a layer
                at infinity, 1 for the characters, and larger for nearer layers.
            unit: pixels per unit.
        """
        zoom = 1 + (self.zoom - 1) * min(depth, 1.5)
        c, s = cos(self.roll) * zoom * unit, sin(self.roll) * zoom * unit
        x, y = wide / 2 + self.x * depth, HIGH / 2 + self.y * depth
        return np.array([[c, s, wide / 2 * unit - c * x - s * y], [-s, c, HIGH / 2 * unit + s * x - c * y]])


@dataclass(frozen=True)
class Plate:
    """A painted layer, rendered once and then moved. A unit is 1/360 of the frame height.

    Attributes:
        box: area (x, y, width, height) in units.
        depth: parallax factor, see `View.matrix`.
        noise: seed of the brush strokes and the grain.
        rough: displacement of brush edges in units.
        grain: relative amplitude of random variations of the paint's brightness, 0..0.2.
        soft: blur in units.
        drift: own motion in units per frame.
    """

    cel: Cel
    box: Box
    depth: float
    noise: int
    rough: float = 0.5
    grain: float = 0.05
    soft: float = 0.0
    drift: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """An animated layer.

    Attributes:
        draw: function from a frame number to the drawing.
        depth: parallax factor, see `View.matrix`.
        hold: number of frames for which a drawing is shown.
        adds: whether the drawing is light, which is added to the layers behind it.
        fonts: font files that the drawing uses.
    """

    draw: Callable[[int], Cel]
    depth: float = 1.0
    hold: int = 2
    adds: bool = False  # light: added to what is behind
    fonts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Layers from far to near, a camera (frame number -> view), and effects that are applied to the finished frame."""

    layers: Sequence[Plate | Drawing]
    camera: Callable[[int], View]
    effects: Sequence[Effect] = field(default_factory=list)


class Stage:
    """Renders a scene in frames of (height, width)."""

    def __init__(self, scene: Scene, size: tuple[int, int], closest: float = 1.0) -> None:
        self.scene, self.size = scene, size
        self.unit = size[0] / HIGH
        self.wide = size[1] / self.unit
        self._density = self.unit * closest
        self._plates = {id(plate): self._painted(plate) for plate in scene.layers if isinstance(plate, Plate)}

    def frame(self, t: int) -> NDArray[np.uint8]:
        """Render frame t, RGB uint8 (height, width, 3)."""
        view = self.scene.camera(t)
        picture = np.zeros((*self.size, 3), np.float32)
        for layer in self.scene.layers:
            matrix = view.matrix(self.wide, layer.depth, self.unit)
            if isinstance(layer, Plate):
                _over(picture, self._moved(layer, matrix, t))
                continue
            tick = t - t % layer.hold
            pixels = render(layer.draw(tick).svg(matrix, self.size), layer.fonts)
            _over(picture, _premultiplied(pixels), layer.adds)
        for effect in self.scene.effects:
            picture = effect(picture, t, self.unit)
        return (np.clip(picture, 0, 255) + 0.5).astype(np.uint8)

    def _painted(self, plate: Plate) -> Layer:
        """Render a plate, premultiplied, at the resolution of the largest zoom."""
        x, y, wide, high = plate.box
        d = self._density
        size = ceil(high * d), ceil(wide * d)
        pixels = _premultiplied(render(plate.cel.svg(placed(-x * d, -y * d, d), size)))
        rng = np.random.default_rng(plate.noise)
        if plate.rough:
            dx, dy = (noise(rng, size, d, (9.0, 2.5)) * plate.rough * d for _ in "xy")
            across = np.arange(size[1], dtype=np.float32)[None, :] + dx
            down = np.arange(size[0], dtype=np.float32)[:, None] + dy
            pixels = cv2.remap(pixels, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        if plate.grain:
            paint = noise(rng, size, d, (60.0, 14.0)) + 0.8 * noise(rng, size, d, (28.0, 5.0), 0.22)
            paint += 0.6 * noise(rng, size, d, (2.2, 0.8))
            light = np.float32(1) + np.float32(plate.grain) * paint
            colour = np.minimum(pixels[..., :3] * light[..., None], pixels[..., 3:])
            pixels = np.dstack([colour, pixels[..., 3]]).astype(np.uint8)
        if plate.soft:
            pixels = cv2.GaussianBlur(pixels, (0, 0), plate.soft * d, borderType=cv2.BORDER_REPLICATE)
        return pixels

    def _moved(self, plate: Plate, matrix: Matrix, t: int) -> Layer:
        x, y = plate.box[:2]
        at = np.array([[1 / self._density, 0, x + plate.drift * t], [0, 1 / self._density, y]])
        full = np.vstack([matrix, [0, 0, 1]]) @ np.vstack([at, [0, 0, 1]])
        # OpenCV counts from the middle of the first pixel, the matrices from its corner.
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        full = np.linalg.inv(half) @ full @ half
        return cv2.warpAffine(
            self._plates[id(plate)], full[:2], self.size[::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )


def noise(
    rng: np.random.Generator, size: tuple[int, int], density: float, cells: Sequence[float], flat: float = 1.0
) -> NDArray[np.float32]:
    """Smooth noise with a standard deviation of about 1, (height, width): a sum of octaves with cells of given sizes.

    Octaves with cells smaller than a pixel are left out.

    Args:
        rng: random generator.
        size: height and width in pixels.
        density: pixels per unit, a unit being 1/360 of the frame height.
        cells: width of the cells of each octave, in units.
        flat: height of the cells divided by their width.
    """
    total = np.zeros(size, np.float32)
    for cell in cells:
        step = cell * density, cell * flat * density
        knots = rng.standard_normal((ceil(size[0] / step[1]) + 4, ceil(size[1] / step[0]) + 4), np.float32)
        if min(step) < 0.7:
            continue
        # Knots lie at whole cells from the plate's corner, whatever the density.
        back = np.array([[1 / step[0], 0, 1.5 + 0.5 / step[0]], [0, 1 / step[1], 1.5 + 0.5 / step[1]]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        total += cv2.warpAffine(knots, back, size[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
    return total / np.float32(len(cells) ** 0.5)


def _premultiplied(pixels: Layer) -> Layer:
    alpha = pixels[..., 3:].astype(np.uint16)
    colour = (pixels[..., :3] * alpha + 127) // 255
    return np.dstack([colour.astype(np.uint8), pixels[..., 3]])


def _over(picture: Light, layer: Layer, adds: bool = False) -> None:
    """Composite a premultiplied layer over the picture, in place."""
    rows = np.flatnonzero(layer[..., 3].any(1))
    if not rows.size:
        return
    part = slice(rows[0], rows[-1] + 1)
    top, under = layer[part], picture[part]
    if not adds:
        under *= (255 - top[..., 3:]).astype(np.float32) * np.float32(1 / 255)
    under += top[..., :3]
