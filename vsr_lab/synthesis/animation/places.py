"""Places of shots: painted plates, from the sky to blurred objects in the foreground."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vsr_lab.synthesis.animation import nature, town
from vsr_lab.synthesis.animation.mood import Manner, Weather
from vsr_lab.synthesis.animation.stage import HIGH, Box, Plate
from vsr_lab.synthesis.shapes.cel import Cel, Ink
from vsr_lab.synthesis.shapes.colour import Colour, drawn, hsv, mix, shade
from vsr_lab.synthesis.shapes.curves import bent, points

Rng = np.random.Generator
Reach = tuple[float, float]  # how far the camera goes from its rest, to the left (<= 0) and to the right


@dataclass(frozen=True)
class Place:
    """Painted layers (plates) of the background and foreground of a scene.

    Attributes:
        behind, before: layers behind and in front of the characters.
        ground: y of the ground on which characters stand, in units of 1/360 of the frame height.
    """

    behind: list[Plate]
    before: list[Plate]
    ground: float
    outdoors: bool


class Painter:
    """Paints the plates of one shot, each large enough for the camera's motion at its depth."""

    def __init__(self, rng: Rng, manner: Manner, weather: Weather, wide: float, reach: Reach) -> None:
        self.rng, self.manner, self.weather, self.wide, self.reach = rng, manner, weather, wide, reach
        # Painted light is in the colours themselves, so that windows can glow; no lines.
        day = (1.0, 1.0, 1.0)
        self._ink = Ink(
            0, None, (0, 0), 0, mix(day, weather.light, 0.65) if weather.dark else mix(day, weather.light, 0.4)
        )
        self._bare = Ink(0, None, (0, 0), 0)

    def box(self, depth: float) -> Box:
        """Area (x, y, width, height) of a plate that can come into view; depth: see `View.matrix`."""
        return self.reach[0] * depth - 40, -40, self.wide + (self.reach[1] - self.reach[0]) * depth + 80, HIGH + 80

    def plate(
        self, depth: float, paint: Callable[[Cel, Box], None], soft: float = 0, drift: float = 0, lit: bool = False
    ) -> Plate:
        """Paint a plate with the function `paint`; `lit` means that its colours already include the light."""
        cel, box = Cel(self._bare if lit else self._ink), self.box(depth)
        if drift:
            box = (box[0] - 160, box[1], box[2] + 320, box[3])
        paint(cel, box)
        noise = int(self.rng.integers(1 << 31))
        grain = self.manner.grain * (0.4 if lit else 1)  # skies are painted smoothly
        return Plate(cel, box, depth, noise, self.manner.rough, grain, soft, drift)


def draw_place(p: Painter, kind: str) -> Place:
    """Paint a place: hills, mountains, forest, city, seaside or room."""
    rng, weather = p.rng, p.weather
    if kind == "room":
        floor = float(rng.uniform(255, 285))
        return Place([p.plate(0.8, lambda c, b: town.room(c, rng, b, floor, weather))], [], floor + 55, False)
    horizon = float(rng.uniform(200, 250))
    behind = [p.plate(0.04, lambda c, b: nature.sky(c, rng, b, weather, horizon + 40), lit=True)]
    drift = float(rng.uniform(-0.35, 0.35)) * float(rng.random() < 0.4)
    behind.append(p.plate(0.10, lambda c, b: _clouds(c, p, b, horizon), drift=drift, lit=True))
    ground = float(rng.uniform(305, 325))
    makers = {"hills": _hills, "mountains": _mountains, "forest": _forest, "city": _city, "seaside": _seaside}
    behind += makers[kind](p, horizon, ground)
    return Place(behind, _before(p, kind), ground, True)


def _clouds(cel: Cel, p: Painter, box: Box, horizon: float) -> None:
    rng, weather = p.rng, p.weather
    nature.streaks(cel, rng, box, weather, horizon)
    for _ in range(int(box[2] / 260 * (0.5 + 2 * weather.clouds))):
        low = float(rng.uniform(0.25, 1.0))
        size = float(rng.uniform(26, 85)) * (1.25 - 0.7 * low)
        nature.cloud(cel, rng, float(rng.uniform(box[0], box[0] + box[2])), horizon * low, size, weather)


def _green(rng: Rng, weather: Weather) -> Colour:
    hue = float(rng.choice([0.26, 0.30, 0.33, 0.22, 0.10, 0.42], p=[0.25, 0.25, 0.2, 0.12, 0.1, 0.08]))
    return mix(hsv(hue, float(rng.uniform(0.45, 0.75)), float(rng.uniform(0.45, 0.75))), weather.horizon, 0.08)


def _hills(p: Painter, horizon: float, ground: float) -> list[Plate]:
    rng, weather, green = p.rng, p.weather, _green(p.rng, p.weather)

    def near(c: Cel, b: Box) -> None:
        for x in np.arange(b[0], b[0] + b[2], 70):
            if rng.random() < 0.45:
                tall = float(rng.uniform(60, 150))
                nature.tree(
                    c,
                    rng,
                    float(x + rng.uniform(0, 60)),
                    ground - 18,
                    tall,
                    mix(green, shade(green), float(rng.random()) * 0.5),
                    hsv(0.07, 0.4, 0.35),
                )
        nature.hills(c, rng, b, ground - 14, 16, green, 0)
        nature.flowers(c, rng, b, ground - 8, HIGH + 20, int(b[2] / 5 * float(rng.random())))
        nature.grass(c, rng, b, ground - 6, green, 9, 0.5)

    return [
        p.plate(0.2, lambda c, b: nature.hills(c, rng, b, horizon + 5, 55, weather.far(green, 0.62), 0.5)),
        p.plate(0.4, lambda c, b: nature.hills(c, rng, b, horizon + 42, 42, weather.far(green, 0.3), 0.6)),
        p.plate(1.0, near),
    ]


def _mountains(p: Painter, horizon: float, ground: float) -> list[Plate]:
    rng, weather = p.rng, p.weather
    rock, green = hsv(float(rng.uniform(0.55, 0.7)), 0.35, 0.5), _green(p.rng, p.weather)

    def firs(c: Cel, b: Box) -> None:
        for x in np.sort(rng.uniform(b[0], b[0] + b[2], int(b[2] / 16))):
            nature.conifer(
                c,
                rng,
                float(x),
                horizon + 60 + float(rng.uniform(-6, 8)),
                float(rng.uniform(34, 80)),
                weather.far(shade(green, 0.6), 0.22),
            )
        nature.hills(c, rng, b, horizon + 66, 14, weather.far(green, 0.15), 0)

    def near(c: Cel, b: Box) -> None:
        nature.hills(c, rng, b, ground - 12, 14, green, 0)
        nature.grass(c, rng, b, ground - 4, green, 11, 0.7)

    return [
        p.plate(
            0.15,
            lambda c, b: nature.mountains(
                c, rng, b, horizon + 10, float(rng.uniform(90, 170)), weather.far(rock, 0.5), weather
            ),
        ),
        p.plate(
            0.28,
            lambda c, b: nature.mountains(
                c, rng, b, horizon + 35, float(rng.uniform(50, 90)), weather.far(rock, 0.25), weather
            ),
        ),
        p.plate(0.5, firs),
        p.plate(1.0, near),
    ]


def _forest(p: Painter, horizon: float, ground: float) -> list[Plate]:
    rng, weather, green = p.rng, p.weather, _green(p.rng, p.weather)

    def trunks(c: Cel, b: Box, air: float, tall: float, gap: float) -> None:
        base = horizon + (ground - horizon) * (1 - air) + 4
        for x in np.arange(b[0], b[0] + b[2], gap):
            bark = weather.far(hsv(0.08, 0.38, 0.4), air)
            nature.tree(
                c,
                rng,
                float(x + rng.uniform(-0.3, 0.3) * gap),
                base,
                tall * float(rng.uniform(0.8, 1.3)),
                weather.far(mix(green, shade(green), float(rng.random())), air),
                bark,
            )
        nature.hills(c, rng, b, base, 12, weather.far(green, air), 0)

    def near(c: Cel, b: Box) -> None:
        trunks(c, b, 0.0, 330, 230)
        nature.grass(c, rng, b, ground - 2, green, 12, 0.8)
        nature.flowers(c, rng, b, ground, HIGH + 20, int(b[2] / 14))

    return [
        p.plate(0.3, lambda c, b: trunks(c, b, 0.6, 150, 44)),
        p.plate(0.55, lambda c, b: trunks(c, b, 0.3, 215, 90)),
        p.plate(1.0, near),
    ]


def _city(p: Painter, horizon: float, ground: float) -> list[Plate]:
    rng, weather = p.rng, p.weather

    def near(c: Cel, b: Box) -> None:
        town.skyline(c, rng, b, ground - 30, float(rng.uniform(150, 230)), weather, 0.05)
        for x in np.arange(b[0], b[0] + b[2], 120):
            if rng.random() < 0.5:
                nature.tree(
                    c,
                    rng,
                    float(x + rng.uniform(0, 90)),
                    ground - 26,
                    float(rng.uniform(60, 95)),
                    _green(rng, weather),
                    hsv(0.07, 0.35, 0.35),
                )
        town.street(c, rng, b, ground - 30, weather)

    layers = [
        p.plate(0.15, lambda c, b: town.skyline(c, rng, b, horizon + 30, 130, weather, 0.68)),
        p.plate(0.3, lambda c, b: town.skyline(c, rng, b, horizon + 60, 165, weather, 0.4)),
        p.plate(1.0, near),
    ]
    if rng.random() < 0.55:
        layers.insert(2, p.plate(0.6, lambda c, b: town.wires(c, rng, b, ground, 235, weather)))
    return layers


def _seaside(p: Painter, horizon: float, ground: float) -> list[Plate]:
    rng, weather = p.rng, p.weather
    sand = mix(hsv(0.11, float(rng.uniform(0.25, 0.45)), 0.93), weather.horizon, 0.15)

    def beach(c: Cel, b: Box) -> None:
        nature.hills(c, rng, b, ground - 20, 10, sand, 0)
        for _ in range(int(b[2] / 9)):
            x, y = float(rng.uniform(b[0], b[0] + b[2])), float(rng.uniform(ground - 10, HIGH + 30))
            c.line(
                bent((x, y), (x + float(rng.uniform(5, 30)), y + 1), 0.06),
                1.2,
                colour=shade(sand, float(rng.uniform(0.2, 0.7))),
                opacity=0.6,
            )
        foam = nature.ridge(rng, b, ground - 22, 5, 0.4, 16)
        c.fill(np.concatenate([foam, foam[::-1] + (0, 5)]), (1, 1, 1), 0.9)

    layers = [p.plate(0.2, lambda c, b: nature.sea(c, rng, b, horizon, weather)), p.plate(1.0, beach)]
    if rng.random() < 0.6:
        layers.insert(1, p.plate(0.25, lambda c, b: _island(c, rng, b, horizon, weather)))
    return layers


def _island(cel: Cel, rng: Rng, box: Box, horizon: float, weather: Weather) -> None:
    x = float(rng.uniform(box[0] + 80, box[0] + box[2] - 160))
    colour = weather.far(_green(rng, weather), 0.4)
    cel.fill(
        points(
            (x, horizon + 1),
            (x, horizon + 1),
            (x + 30, horizon - 22),
            (x + 70, horizon - 34),
            (x + 120, horizon - 12),
            (x + 160, horizon + 1),
            (x + 160, horizon + 1),
        ),
        colour,
    )
    for _ in range(7):
        nature.foliage(
            cel,
            rng,
            x + float(rng.uniform(30, 115)),
            horizon - float(rng.uniform(8, 26)),
            float(rng.uniform(7, 14)),
            colour,
        )


def _before(p: Painter, kind: str) -> list[Plate]:
    """Blurred plates close to the camera; often none."""
    rng, weather = p.rng, p.weather
    if rng.random() < 0.5:
        return []
    if kind == "city":

        def paint(c: Cel, b: Box) -> None:
            for x in np.arange(b[0], b[0] + b[2], float(rng.uniform(26, 50))):
                c.fill(town.rect(float(x), HIGH - 42, 4, 90), shade((0.45, 0.47, 0.52)), sharp=True)
            c.fill(town.rect(b[0], HIGH - 46, b[2], 6), shade((0.5, 0.52, 0.56), 0.7), sharp=True)
    else:
        green = shade(_green(rng, weather), 0.8)

        def paint(c: Cel, b: Box) -> None:
            nature.grass(c, rng, b, HIGH + 20, green, 62, 0.14)
            if rng.random() < 0.5:
                nature.foliage(c, rng, b[0] + b[2] * float(rng.uniform(0, 0.2)), 6, 80, green)

    return [p.plate(1.6, paint, soft=float(rng.uniform(0.8, 2.5)))]


def backdrop(p: Painter, soft: float) -> Plate:
    """A slanted gradient with blurred shapes, for close-ups."""
    rng = p.rng
    first, second = drawn(rng, (0.3, 0.8), (0.35, 0.95)), drawn(rng, (0.2, 0.7), (0.6, 1.0))

    def paint(c: Cel, b: Box) -> None:
        x, y, wide, high = b
        c.fill(
            town.rect(x, y, wide, high),
            c.gradient((x, y), (x + wide, y + high), [shade(first, 0.6), first, second]),
            sharp=True,
        )
        for _ in range(int(rng.integers(6, 22))):
            r = float(rng.uniform(10, 80))
            c.dot(
                float(rng.uniform(x, x + wide)),
                float(rng.uniform(y, y + high)),
                r,
                r,
                mix(second, (1, 1, 1), 0.5),
                float(rng.uniform(0.05, 0.3)),
            )

    return p.plate(0.3, paint, soft=soft)
