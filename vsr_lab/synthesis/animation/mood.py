"""Time of day and drawing style, which are constant over a shot."""

from dataclasses import dataclass

import numpy as np

from vsr_lab.synthesis.shapes.cel import Ink
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix

_SKIES: dict[str, tuple[Colour, Colour, Colour, Colour, Colour]] = {
    # top of the sky, its middle, horizon, sun or moon, the light on drawings
    "day": ((0.10, 0.36, 0.78), (0.36, 0.67, 0.93), (0.80, 0.93, 0.98), (1, 0.98, 0.88), (1, 1, 1)),
    "afternoon": ((0.22, 0.47, 0.80), (0.58, 0.76, 0.88), (0.98, 0.92, 0.78), (1, 0.95, 0.75), (1, 0.97, 0.92)),
    "sunset": ((0.22, 0.20, 0.46), (0.82, 0.38, 0.44), (1.0, 0.76, 0.42), (1, 0.86, 0.55), (1.0, 0.85, 0.77)),
    "dawn": ((0.40, 0.50, 0.80), (0.90, 0.72, 0.78), (1.0, 0.91, 0.76), (1, 0.95, 0.85), (0.98, 0.93, 0.95)),
    "overcast": ((0.50, 0.56, 0.64), (0.66, 0.71, 0.77), (0.82, 0.85, 0.87), (0.95, 0.95, 0.95), (0.90, 0.92, 0.96)),
    "night": ((0.02, 0.04, 0.14), (0.06, 0.12, 0.30), (0.20, 0.28, 0.48), (0.95, 0.96, 0.85), (0.56, 0.62, 0.86)),
}


@dataclass(frozen=True)
class Weather:
    """Colours of a sky (three), of its sun and of the light on drawings, and whether it is dark."""

    name: str
    top: Colour
    middle: Colour
    horizon: Colour
    sun: Colour
    light: Colour
    clouds: float

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return sum(self.light) < 2.3

    def far(self, colour: Colour, distance: float) -> Colour:
        """A colour seen through `distance` (0..1) of air."""
        return mix(colour, mix(self.horizon, self.middle, 0.5), distance)


def draw_weather(rng: np.random.Generator) -> Weather:
    """Choose a sky at random; one in six has unusual colours."""
    name = str(rng.choice(list(_SKIES), p=[0.27, 0.2, 0.17, 0.1, 0.1, 0.16]))
    top, middle, horizon, sun, light = _SKIES[name]
    if rng.random() < 0.16:
        hue = float(rng.random())
        top, middle, horizon = (
            mix(c, hsv(hue + d, s, sum(c) / 2.4), 0.7)
            for c, d, s in ((top, 0, 0.7), (middle, 0.06, 0.5), (horizon, 0.14, 0.3))
        )
    return Weather(name, top, middle, horizon, sun, light, float(rng.uniform(0.2, 1.0)))


@dataclass(frozen=True)
class Manner:
    """Drawing style of a film.

    Attributes:
        anime: people have large painted eyes.
        hold: number of frames for which a drawing is shown.
        rough: displacement of brush edges, in units of 1/360 of the frame height.
    """

    ink: Ink
    anime: bool
    hold: int
    rough: float
    grain: float


def draw_manner(rng: np.random.Generator, light: Colour) -> Manner:
    """Choose a style at random: anime (thin lines), cartoon (bold lines) or flat graphics (no lines)."""
    which = int(rng.choice(3, p=[0.6, 0.27, 0.13]))
    width = float((rng.uniform(0.9, 1.7), rng.uniform(1.9, 3.4), 0.0)[which])
    black = hsv(float(rng.choice([0.0, 0.07, 0.65, 0.85])), float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.06, 0.2)))
    ink = Ink(
        width=width,
        colour=black if rng.random() < 0.7 else None,
        weight=(float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.3, 0.7))),
        tones=int(rng.choice([1, 2])) if which == 0 else int(rng.random() < 0.75),
        light=light,
    )
    flat = which == 2
    hold = int(rng.choice([2, 3], p=[0.75, 0.25])) if which == 0 else int(rng.choice([1, 2], p=[0.3, 0.7]))
    return Manner(
        ink,
        which == 0,
        hold,
        0.0 if flat else float(rng.uniform(0.1, 0.5)),
        0.0 if flat else float(rng.uniform(0.008, 0.035)),
    )
