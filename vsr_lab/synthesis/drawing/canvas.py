"""A canvas in logical pixels: with zoom 2 the picture is the same as with zoom 1, at twice the resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import floor

from PIL import Image, ImageDraw, ImageFilter

from vsr_lab.synthesis.drawing.fonts import Font, stamp

Colour = tuple[int, int, int]
Point = tuple[float, float]
_FINE = 4  # edges are drawn this many times finer and averaged


def rgb(code: str) -> Colour:
    """Colour from six hexadecimal digits."""
    red, green, blue = bytes.fromhex(code)
    return red, green, blue


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours, with the fraction `share` (0..1) of `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


class Canvas:
    """An RGB image and its zoom. Coordinates and sizes are in logical pixels."""

    def __init__(self, width: float, height: float, zoom: float, *, colour: Colour) -> None:
        self.zoom = zoom
        self.image = Image.new("RGB", (max(1, self.px(width)), max(1, self.px(height))), colour)

    def px(self, length: float) -> int:
        """Convert logical to device pixels; halves are rounded up."""
        return floor(length * self.zoom + 0.5)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        radius: float = 0,
        border: Colour | None = None,
    ) -> None:
        """Draw a filled rectangle; `border` is the colour of an outline of one logical pixel, None: no outline."""
        if border is not None:
            self.rect(x, y, width, height, border, radius)
            self.rect(x + 1, y + 1, width - 2, height - 2, colour, max(0, radius - 1))
            return
        left, top = self.px(x), self.px(y)
        size = (self.px(x + width) - left, self.px(y + height) - top)
        if min(size) <= 0:
            return
        if radius:
            self.image.paste(colour, (left, top), rounded(size, radius * self.zoom))
        else:
            self.image.paste(colour, (left, top, left + size[0], top + size[1]))

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a filled circle around (x, y)."""
        self.rect(x - radius, y - radius, 2 * radius, 2 * radius, colour, radius)

    def text(self, x: float, baseline: float, text: str, font: Font, colour: Colour) -> float:
        """Draw one line of text; return the x of its end."""
        stamp(self.image, x, self.px(baseline), text=text, font=font, zoom=self.zoom, colour=colour)
        return x + font.width(text)

    def spans(self, x: float, baseline: float, spans: Sequence[tuple[str, Font, Colour]]) -> float:
        """Draw pieces of text in their own fonts and colours, one after the other; return the x of their end."""
        for text, font, colour in spans:
            x = self.text(x, baseline, text, font, colour)
        return x

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1) -> None:
        """Draw an antialiased polyline."""
        thick = max(1, round(width * self.zoom * _FINE))
        self._smooth(points, width, colour, lambda draw, path: draw.line(path, fill=255, width=thick))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Draw an antialiased filled polygon."""
        self._smooth(points, 1, colour, lambda draw, path: draw.polygon(path, fill=255))

    def paste(self, x: float, y: float, image: Image.Image, mask: Image.Image | None = None) -> None:
        """Paste an image in device pixels with its corner at (x, y)."""
        self.image.paste(image, (self.px(x), self.px(y)), mask)

    def _smooth(
        self,
        points: Sequence[Point],
        margin: float,
        colour: Colour,
        draw: Callable[[ImageDraw.ImageDraw, list[Point]], None],
    ) -> None:
        left = floor((min(x for x, _ in points) - margin) * self.zoom)
        top = floor((min(y for _, y in points) - margin) * self.zoom)
        wide = floor((max(x for x, _ in points) + margin) * self.zoom) + 1 - left
        high = floor((max(y for _, y in points) + margin) * self.zoom) + 1 - top
        mask = Image.new("L", (wide * _FINE, high * _FINE))
        path = [((x * self.zoom - left) * _FINE, (y * self.zoom - top) * _FINE) for x, y in points]
        draw(ImageDraw.Draw(mask), path)
        self.image.paste(colour, (left, top), mask.reduce(_FINE))


@lru_cache(maxsize=256)
def rounded(size: tuple[int, int], radius: float) -> Image.Image:
    """Mask of a rectangle with rounded corners, in device pixels."""
    mask = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    box = (0, 0, size[0] * _FINE - 1, size[1] * _FINE - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _FINE, fill=255)
    return mask.reduce(_FINE)


@lru_cache(maxsize=32)
def shadow(size: tuple[int, int], blur: int, opacity: float) -> Image.Image:
    """Shadow of a rectangle of `size` device pixels; it extends by twice `blur` on every side."""
    mask = Image.new("L", (size[0] + 4 * blur, size[1] + 4 * blur))
    mask.paste(round(255 * opacity), (2 * blur, 2 * blur, 2 * blur + size[0], 2 * blur + size[1]))
    return mask.filter(ImageFilter.GaussianBlur(blur))


def scrolled(paint: Callable[[int], Image.Image], top: float, zoom: float) -> Image.Image:
    """Image of a view that is scrolled to logical row `top`, which may be fractional.

    Between two device rows, the images are interpolated linearly, as by a compositor, so that zoom 1 and zoom 2 show
    the same position at every moment.

    Args:
        paint: function that returns the image whose top row is a given device row.
        top: logical row at the top of the image.
        zoom: device rows per logical row.
    """
    row = floor(top * zoom)
    share = top * zoom - row
    return Image.blend(paint(row), paint(row + 1), share) if share else paint(row)
