"""One drawing: fills, cel shadows and ink lines, as SVG, which resvg renders at any size."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray

from vsr_lab.synthesis.shapes.colour import Colour, css, shade, times
from vsr_lab.synthesis.shapes.curves import (
    STILL,
    Matrix,
    Points,
    ellipse,
    moved,
    outline,
    smooth_path,
    straight_path,
    stroke,
    within,
)

Layer = NDArray[Any]  # uint8 (height, width, 4): RGB and alpha, straight


class Ink:
    """Style of lines and shadows.

    Attributes:
        width: line width in units of 1/360 of the frame height; 0: no lines.
        colour: colour of lines; None: a darker tone of each fill.
        weight: (x, y) direction of the side on which lines are thicker.
        tones: number of shadow tones, 0..2.
        light: colour of the light on all colours.
    """

    def __init__(
        self, width: float, colour: Colour | None, weight: tuple[float, float], tones: int, light: Colour = (1, 1, 1)
    ) -> None:
        self.width, self.colour, self.weight, self.tones, self.light = width, colour, weight, tones, light


class Cel:
    """A canvas for one drawing.

    Coordinates are transformed by the current matrix, and later shapes cover earlier ones.
    """

    def __init__(self, ink: Ink) -> None:
        self.ink = ink
        self.matrix = STILL
        self._parts: list[str] = []
        self._defs: list[str] = []
        self._names = count()

    @contextmanager
    def at(self, matrix: Matrix) -> Generator[None]:
        """Context manager that transforms the shapes drawn inside it by `matrix`."""
        before = self.matrix
        self.matrix = within(before, matrix)
        yield
        self.matrix = before

    @property
    def scale(self) -> float:
        """Scale of the current matrix."""
        return float(abs(np.linalg.det(self.matrix[:, :2]))) ** 0.5

    def paint(self, colour: Colour) -> str:
        """The colour under the light, as SVG."""
        return css(times(colour, self.ink.light))

    def fill(self, shape: Points, colour: Colour | str, opacity: float = 1, sharp: bool = False) -> None:
        """Draw a shape without a contour. colour may be a gradient, `url(#...)`."""
        path = (straight_path if sharp else smooth_path)(moved(shape, self.matrix))
        self._add(path, colour if isinstance(colour, str) else self.paint(colour), opacity)

    def shape(
        self,
        shape: Points,
        colour: Colour | str,
        shadows: Sequence[Points] = (),
        line: float = 1,
        base: Colour | None = None,
    ) -> None:
        """Draw a fill, its shadows and its contour.

        Args:
            shape: contour points.
            colour: colour or gradient of the fill.
            shadows: shadow shapes, each darker than the previous one, clipped to the fill; those beyond the number of
                tones of the ink are not drawn.
            line: width as a multiple of the ink's width.
            base: colour from which the colours of shadows and line are derived, if the fill is a gradient.
        """
        plain = base or (colour if not isinstance(colour, str) else (0.3, 0.3, 0.35))
        self.fill(shape, colour)
        tones = list(shadows)[: self.ink.tones]
        if tones:
            with self.clipped(shape):
                for depth, tone in enumerate(tones):
                    self.fill(tone, shade(plain, 1 + 0.6 * depth))
        self.contour(shape, line, plain)

    def contour(self, shape: Points, line: float = 1, base: Colour = (0.2, 0.2, 0.25)) -> None:
        """Draw the ink line around a shape."""
        if self.ink.width * line:
            path = outline(moved(shape, self.matrix), self.ink.width * line, self.ink.weight)
            self._add(path, self._inked(base))

    def line(
        self,
        shape: Points,
        line: float = 1,
        base: Colour = (0.2, 0.2, 0.25),
        head: float = 0.35,
        tail: float = 0.35,
        colour: Colour | None = None,
        opacity: float = 1,
    ) -> None:
        """Draw an open ink line, or with `colour` a brush stroke of width `line`."""
        width = line * self.scale if colour else self.ink.width * line
        if width:
            paint = self.paint(colour) if colour else self._inked(base)
            self._add(stroke(moved(shape, self.matrix), width, head, tail), paint, opacity)

    def ring(self, outer: Points, inner: Points, colour: Colour, opacity: float = 1) -> None:
        """Fill the area that is inside `outer` and outside `inner`."""
        path = smooth_path(moved(outer, self.matrix)) + smooth_path(moved(inner, self.matrix))
        self._add(path, self.paint(colour), opacity, "evenodd")

    def dot(self, x: float, y: float, rx: float, ry: float | None, colour: Colour | str, opacity: float = 1) -> None:
        """Draw a filled ellipse."""
        self.fill(ellipse(x, y, rx, ry), colour, opacity)

    @contextmanager
    def clipped(self, shape: Points) -> Generator[None]:
        """Context manager that clips what is drawn to the shape."""
        name = f"c{next(self._names)}"
        self._defs.append(f'<clipPath id="{name}"><path d="{smooth_path(moved(shape, self.matrix))}"/></clipPath>')
        self._parts.append(f'<g clip-path="url(#{name})">')
        yield
        self._parts.append("</g>")

    @contextmanager
    def blurred(self, radius: float) -> Generator[None]:
        """Context manager that blurs what is drawn by a Gaussian of `radius` units."""
        name = f"f{next(self._names)}"
        deviation = radius * self.scale
        self._defs.append(
            f'<filter id="{name}" x="-50%" y="-50%" width="200%" height="200%">'
            f'<feGaussianBlur stdDeviation="{deviation:.2f}"/></filter>'
        )
        self._parts.append(f'<g filter="url(#{name})">')
        yield
        self._parts.append("</g>")

    def gradient(self, start: tuple[float, float], end: tuple[float, float], stops: Sequence[Colour]) -> str:
        """Define a linear gradient between two points; the result can be used as a colour."""
        (x1, y1), (x2, y2) = moved(np.array([start, end]), self.matrix)
        place = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
        return self._gradient("linearGradient", place, [(css(times(stop, self.ink.light)), 1.0) for stop in stops])

    def glow(self, x: float, y: float, radius: float, colour: Colour, opacity: float = 1) -> None:
        """Draw a disc of light that fades towards its border."""
        (cx, cy), far = moved(np.array([[x, y]]), self.matrix)[0], radius * self.scale
        fades = [
            (css(colour), opacity),
            (css(colour), opacity * 0.35),
            (css(colour), opacity * 0.08),
            (css(colour), 0.0),
        ]
        self.dot(
            x, y, radius, radius, self._gradient("radialGradient", f'cx="{cx:.2f}" cy="{cy:.2f}" r="{far:.2f}"', fades)
        )

    def text(
        self, x: float, y: float, size: float, text: str, family: str, colour: Colour, line: Colour | None
    ) -> None:
        """Draw a line of text centred at x, on the baseline y, with a contour of colour `line`."""
        (px, py), high = moved(np.array([[x, y]]), self.matrix)[0], size * self.scale
        edge = f'stroke="{css(line)}" stroke-width="{high * 0.16:.2f}" stroke-linejoin="round"' if line else ""
        start = f'<text x="{px:.2f}" y="{py:.2f}" font-family="{family}" font-size="{high:.2f}" text-anchor="middle" '
        if line:
            self._parts.append(f"{start}{edge}>{text}</text>")
        self._parts.append(f'{start}fill="{css(colour)}">{text}</text>')

    def svg(self, view: Matrix, size: tuple[int, int]) -> str:
        """Format the drawing as SVG for a picture of size (height, width); `view` maps units to pixels."""
        a, b, c, d, e, f = view.T.ravel()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[1]}" height="{size[0]}">'
            f"<defs>{''.join(self._defs)}</defs>"
            f'<g transform="matrix({a:.6f} {b:.6f} {c:.6f} {d:.6f} {e:.4f} {f:.4f})">{"".join(self._parts)}</g></svg>'
        )

    def _inked(self, base: Colour) -> str:
        ink = self.ink.colour
        return self.paint(ink) if ink else self.paint(times(times(base, base), (0.5, 0.42, 0.5)))

    def _add(self, path: str, paint: str, opacity: float = 1, rule: str = "nonzero") -> None:
        extra = f' opacity="{opacity:.3f}"' if opacity < 1 else ""
        extra += ' fill-rule="evenodd"' if rule == "evenodd" else ""
        self._parts.append(f'<path d="{path}" fill="{paint}"{extra}/>')

    def _gradient(self, kind: str, place: str, stops: Sequence[tuple[str, float]]) -> str:
        name = f"g{next(self._names)}"
        inner = "".join(
            f'<stop offset="{i / max(1, len(stops) - 1):.3f}" stop-color="{colour}" stop-opacity="{alpha:.3f}"/>'
            for i, (colour, alpha) in enumerate(stops)
        )
        self._defs.append(f'<{kind} id="{name}" gradientUnits="userSpaceOnUse" {place}>{inner}</{kind}>')
        return f"url(#{name})"


@lru_cache(maxsize=4)
def render(svg: str, fonts: tuple[str, ...] = ()) -> Layer:
    """Render an SVG to pixels; repeated drawings are cached."""
    coded = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=list(fonts))
    picture = np.asarray(cv2.imdecode(np.frombuffer(bytes(coded), np.uint8), cv2.IMREAD_UNCHANGED))
    return np.ascontiguousarray(picture[..., [2, 1, 0, 3]])
