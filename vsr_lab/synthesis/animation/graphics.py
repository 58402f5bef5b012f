"""Motion graphics: flat shapes that appear with an overshoot, and titles."""

from math import cos, pi, sin

import numpy as np
from PIL import ImageFont

from vsr_lab.synthesis.animation.acting import spring
from vsr_lab.synthesis.animation.mood import Weather
from vsr_lab.synthesis.animation.places import Painter, draw_place
from vsr_lab.synthesis.animation.shots import Cast, Shot
from vsr_lab.synthesis.animation.stage import HIGH, Drawing, Plate, Scene, View
from vsr_lab.synthesis.animation.town import rect
from vsr_lab.synthesis.drawing.fonts import file_of, find_fonts
from vsr_lab.synthesis.shapes.cel import Cel, Ink
from vsr_lab.synthesis.shapes.colour import Colour, drawn, hsv, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import Points, ellipse, placed, points

Rng = np.random.Generator
_FIRST = "Silent Crimson Little Last Electric Paper Golden Lost Midnight Summer Brave Hidden Northern Cosmic"
_SECOND = "Harbour Engine Garden Comet Kingdom Letter Signal Orchard Parade Machine Island Song River Circus"


def titles(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """A title over moving shapes, or over a painted background."""
    hue = float(rng.random())
    colours = [
        hsv(hue + d, float(rng.uniform(0.45, 0.85)), float(rng.uniform(0.6, 1.0))) for d in (0, 0.08, 0.5, 0.58, 0.35)
    ]
    painter = Painter(rng, cast.manner, weather, wide, (0, 0))
    behind: list[Plate] = []
    if rng.random() < 0.35:
        behind = draw_place(painter, str(rng.choice(["hills", "mountains", "seaside", "city"]))).behind
    else:
        behind = [painter.plate(0.0, lambda c, b: _ground(c, rng, b, colours), lit=True)]
    shapes = [_Shape(rng, wide, colours) for _ in range(int(rng.integers(5, 14)))] if len(behind) == 1 else []
    family, path = _font(rng)
    words = (str(rng.choice(_FIRST.split())), str(rng.choice(_SECOND.split())))
    small = f"Episode {int(rng.integers(1, 27))}"
    ink, line = cast.manner.ink, shade(colours[2], 1.4)
    x, y, size = wide * float(rng.uniform(0.4, 0.6)), float(rng.uniform(130, 220)), float(rng.uniform(34, 58))

    def draw(t: int) -> Cel:
        cel = Cel(Ink(ink.width, ink.colour, ink.weight, ink.tones))
        for shape in shapes:
            shape.draw(cel, t)
        for i, word in enumerate(words):
            share = spring(t, 5 + 6 * i, 18)
            if share > 0:
                with cel.at(placed(x, y + size * 1.05 * i + 40 * (1 - share), max(share, 0.01))):
                    cel.text(0, 0, size, word, family, (1, 1, 1) if i == 0 else tint(colours[0]), line)
        if t > 26:
            cel.text(x, y + size * 1.9, size * 0.36, small, family, (1, 1, 1), line)
        return cel

    hold = int(rng.choice([1, 2]))
    return Shot(Scene([*behind, Drawing(draw, 0.0, hold, fonts=(path,))], lambda t: View()))


def _font(rng: Rng) -> tuple[str, str]:
    """Family and file of a bold font."""
    fonts = find_fonts()
    faces = [family.bold for family in (*fonts.sans, *fonts.serif) or fonts.mono]
    path = file_of(str(rng.choice(faces)))
    return str(ImageFont.truetype(path, 12).getname()[0]), path


def _ground(cel: Cel, rng: Rng, box: tuple[float, float, float, float], colours: list[Colour]) -> None:
    x, y, wide, high = box
    base = colours[0] if rng.random() < 0.5 else mix(colours[2], (0.1, 0.1, 0.2), 0.6)
    cel.fill(
        rect(x, y, wide, high),
        cel.gradient((x, y), (x + wide * 0.4, y + high), [tint(base, 0.6), base, shade(base, 0.6)]),
        sharp=True,
    )
    style = int(rng.integers(3))
    if style == 0:
        for px in np.arange(x, x + wide, 26):
            for py in np.arange(y, y + high, 26):
                cel.dot(float(px), float(py), 2.2, 2.2, tint(base, 1), 0.5)
    elif style == 1:
        for i in np.arange(-high, wide, 44):
            cel.fill(
                points((x + i, y), (x + i + 20, y), (x + i + 20 + high, y + high), (x + i + high, y + high)),
                tint(base, 0.5),
                0.4,
                sharp=True,
            )
    else:
        for angle in np.linspace(0, 2 * pi, 16, endpoint=False):
            a, b = angle - 0.1, angle + 0.1
            c = np.array([x + wide / 2, y + high * 0.6])
            cel.fill(
                points(c, c + 900 * np.array([cos(a), sin(a)]), c + 900 * np.array([cos(b), sin(b)])),
                tint(base, 0.6),
                0.5,
                sharp=True,
            )


class _Shape:
    """A flat shape that appears, rotates and floats."""

    def __init__(self, rng: Rng, wide: float, colours: list[Colour]) -> None:
        self.x, self.y = float(rng.uniform(0, wide)), float(rng.uniform(0, HIGH))
        self.size, self.start = float(rng.uniform(10, 64)), float(rng.uniform(0, 22))
        self.spin, self.phase = float(rng.uniform(-0.05, 0.05)), float(rng.uniform(0, 6))
        self.colour: Colour = (
            colours[int(rng.integers(len(colours)))] if rng.random() < 0.8 else drawn(rng, (0.3, 0.9), (0.6, 1))
        )
        sides = int(rng.choice([0, 3, 4, 5, 6, 10]))
        self.ring = rng.random() < 0.3
        self.outline: Points = ellipse(0, 0, 1, 1, count=16) if sides == 0 else _polygon(sides)

    def draw(self, cel: Cel, t: int) -> None:
        share = spring(t, self.start, 16)
        if share <= 0.01:
            return
        with cel.at(
            placed(
                self.x + 8 * sin(0.05 * t + self.phase),
                self.y + 8 * cos(0.06 * t + self.phase),
                self.size * share,
                turn=self.spin * t + self.phase,
            )
        ):
            if self.ring:
                cel.ring(self.outline, self.outline * 0.6, self.colour)
            else:
                cel.shape(self.outline, self.colour, [self.outline + (0.5, 0.55)])


def _polygon(sides: int) -> Points:
    """A regular polygon with corners; 10 sides give a star."""
    angle = np.linspace(0, 2 * pi, sides, endpoint=False)
    radius = np.where(np.arange(sides) % 2, 0.45, 1.0) if sides == 10 else np.ones(sides)
    return np.repeat(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), 3, 0)
