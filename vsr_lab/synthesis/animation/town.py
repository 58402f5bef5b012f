"""Painted backgrounds of towns: streets, skylines, wires, rooms."""

from itertools import pairwise

import numpy as np

from vsr_lab.synthesis.animation.mood import Weather
from vsr_lab.synthesis.animation.nature import cloud, foliage, hills
from vsr_lab.synthesis.animation.stage import Box
from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, drawn, hsv, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import Points, bent, points

Rng = np.random.Generator


def rect(x: float, y: float, wide: float, high: float) -> Points:
    """A box from its upper left corner."""
    return points((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


def skyline(cel: Cel, rng: Rng, box: Box, level: float, tall: float, weather: Weather, air: float) -> None:
    """Paint a row of houses on the line y = level. Lengths are in units of 1/360 of the frame height.

    Args:
        cel: canvas.
        rng: random generator.
        box: area to paint, (x, y, width, height).
        level: y of the ground.
        tall: maximum height of the houses.
        weather: colours of sky and light.
        air: fraction by which colours are faded by distance, 0..1.
    """
    x = box[0] - 10
    while x < box[0] + box[2]:
        wide, high = tall * float(rng.uniform(0.22, 0.6)), tall * float(rng.uniform(0.3, 1.0))
        colour = hsv(
            float(rng.choice([0.05, 0.08, 0.6, 0.55, 0.95])),
            float(rng.uniform(0.04, 0.3)),
            float(rng.uniform(0.45, 0.92)),
        )
        _house(cel, rng, (x, level - high, wide, high), weather, weather.far(colour, air), air)
        x += wide * float(rng.uniform(0.85, 1.15))


def _house(cel: Cel, rng: Rng, place: Box, weather: Weather, colour: Colour, air: float) -> None:
    x, y, wide, high = place
    side = wide * float(rng.uniform(0.14, 0.3))
    cel.fill(
        rect(x, y, wide, high + 200),
        cel.gradient((0, y), (0, y + high), [tint(colour, 0.3), colour, weather.far(colour, air * 0.5)]),
        sharp=True,
    )
    cel.fill(rect(x + wide - side, y, side, high + 200), shade(colour, 0.8), 0.85, sharp=True)
    cel.fill(rect(x - 1, y - 2, wide + 2, 3.5), shade(colour, 0.5), sharp=True)
    pitch = max(5.0, wide / float(rng.integers(3, 7)))
    glass = weather.far((0.16, 0.22, 0.34) if weather.dark else mix(weather.top, (0.2, 0.25, 0.35), 0.5), air)
    ribbon = rng.random() < 0.3
    for row in np.arange(y + pitch * 0.6, y + high - pitch * 0.4, pitch * 1.25):
        for column in np.arange(x + pitch * 0.3, x + wide - side - pitch * 0.55, pitch):
            lit = weather.dark and rng.random() < 0.4
            pane = (
                mix((1.6, 1.25, 0.7), (1.5, 1.5, 1.3), float(rng.random()))
                if lit
                else mix(glass, weather.horizon, float(rng.random()) * 0.35)
            )
            w = pitch if ribbon else pitch * 0.55
            cel.fill(rect(column, row, w, pitch * 0.62), pane, sharp=True)
            if pitch > 8 and not lit:
                cel.fill(
                    points(
                        (column + w * 0.2, row),
                        (column + w * 0.5, row),
                        (column + w * 0.2, row + pitch * 0.62),
                        (column, row + pitch * 0.62),
                    ),
                    weather.horizon,
                    0.35,
                    sharp=True,
                )
            if pitch > 7:
                cel.fill(rect(column - 0.4, row + pitch * 0.62, w + 0.8, pitch * 0.07), tint(colour, 0.7), sharp=True)
    kind = rng.random()
    middle = x + wide * float(rng.uniform(0.2, 0.7))
    if kind < 0.3:
        cel.line(points((middle, y), (middle, y - high * 0.22)), 1.1, colour=shade(colour), head=0, tail=0.5)
        for i in (0.1, 0.15, 0.19):
            cel.line(
                points((middle - 4, y - high * i), (middle + 4, y - high * i)),
                0.6,
                colour=shade(colour),
                head=0,
                tail=0,
            )
    elif kind < 0.55:
        tank = shade(colour, 0.5)
        cel.fill(rect(middle, y - 12, wide * 0.24, 10), tank, sharp=True)
        cel.fill(rect(middle, y - 13.5, wide * 0.24, 2), tint(tank), sharp=True)
    elif kind < 0.7 and air < 0.5:
        sign = drawn(rng, (0.6, 0.95), (0.7, 1.0))
        glow = mix(sign, (1.5, 1.5, 1.5), 0.3) if weather.dark else sign
        cel.fill(rect(x + 2, y + high * 0.15, 7, high * 0.4), glow, sharp=True)
        for i in range(4):
            cel.fill(rect(x + 3.2, y + high * (0.18 + 0.09 * i), 4.6, high * 0.05), (1, 1, 1), 0.8, sharp=True)


def street(cel: Cel, rng: Rng, box: Box, level: float, weather: Weather) -> None:
    """Paint pavement and road below y = level."""
    x, wide = box[0], box[2]
    road = weather.far(hsv(0.62, 0.08, float(rng.uniform(0.32, 0.5))), 0.12)
    foot = box[1] + box[3]
    cel.fill(
        rect(x, level, wide, foot - level),
        cel.gradient((0, level), (0, foot), [tint(road, 0.35), road, shade(road, 0.5)]),
        sharp=True,
    )
    cel.fill(rect(x, level, wide, 7), mix(road, (0.8, 0.8, 0.78), 0.55), sharp=True)
    cel.fill(rect(x, level + 7, wide, 2.2), shade(road), sharp=True)
    for px in np.arange(x, x + wide, 22):
        cel.line(points((px, level), (px - 3, level + 7)), 0.5, colour=shade(road), head=0, tail=0)
    for px in np.arange(x, x + wide, 74):
        y = level + (foot - level) * 0.55
        cel.fill(
            points((px, y), (px + 40, y), (px + 38, y + 3.4), (px - 2.4, y + 3.4)), (0.95, 0.93, 0.85), 0.8, sharp=True
        )
    for _ in range(int(wide / 14)):
        px, py = float(rng.uniform(x, x + wide)), float(rng.uniform(level + 10, foot))
        cel.line(
            bent((px, py), (px + float(rng.uniform(6, 40)), py), 0.02),
            float(rng.uniform(0.6, 2)),
            colour=shade(road, 0.6),
            opacity=0.4,
        )


def wires(cel: Cel, rng: Rng, box: Box, level: float, tall: float, weather: Weather) -> None:
    """Paint utility poles and power lines."""
    ink = weather.far((0.16, 0.15, 0.2), 0.1)
    gap = float(rng.uniform(190, 270))
    xs = np.arange(box[0] - gap * float(rng.random()), box[0] + box[2] + gap, gap)
    arms = [0.02, 0.10, 0.17]
    for x in xs:
        cel.fill(
            points((x - 2.4, level), (x - 1.5, level - tall), (x + 1.5, level - tall), (x + 2.4, level)),
            mix(ink, (0.6, 0.58, 0.56), 0.5),
            sharp=True,
        )
        cel.fill(
            points((x + 0.4, level), (x + 0.4, level - tall), (x + 1.5, level - tall), (x + 2.4, level)),
            ink,
            0.6,
            sharp=True,
        )
        for arm in arms:
            cel.fill(rect(x - 11, level - tall * (1 - arm), 22, 1.6), ink, sharp=True)
            for dx in (-9, -3, 5, 9):
                cel.fill(rect(x + dx, level - tall * (1 - arm) - 2.6, 1.3, 2.6), mix(ink, (1, 1, 1), 0.5), sharp=True)
        cel.fill(rect(x + 3, level - tall * 0.74, 6, 11), mix(ink, (0.7, 0.7, 0.7), 0.35), sharp=True)
    for x, after in pairwise(xs):
        for arm in arms:
            y = level - tall * (1 - arm) - 2
            for dx in (-9, 9):
                cel.line(
                    bent((x + dx, y), (after + dx, y), float(-rng.uniform(0.025, 0.05)), 7),
                    0.55,
                    colour=ink,
                    head=0,
                    tail=0,
                )


def room(cel: Cel, rng: Rng, box: Box, floor: float, weather: Weather) -> None:
    """Paint a room seen from the front: wall, window, curtains, shelf, picture and floor."""
    x, y, wide, high = box
    wall = hsv(float(rng.random()), float(rng.uniform(0.05, 0.32)), float(rng.uniform(0.6, 0.92)))
    cel.fill(
        rect(x, y, wide, high),
        cel.gradient((x, y), (x + wide, floor), [tint(wall, 0.3), wall, shade(wall, 0.6)]),
        sharp=True,
    )
    if rng.random() < 0.5:
        for px in np.arange(x, x + wide, 26):
            cel.fill(rect(px, y, 11, floor - y), tint(wall, 0.5), 0.35, sharp=True)
    wood = hsv(0.07, float(rng.uniform(0.35, 0.6)), float(rng.uniform(0.35, 0.65)))
    cel.fill(rect(x, floor - 9, wide, 9), tint(wood, 0.3), sharp=True)
    cel.fill(
        rect(x, floor, wide, y + high - floor),
        cel.gradient((0, floor), (0, y + high), [shade(wood, 0.3), wood]),
        sharp=True,
    )
    for px in np.linspace(-2, 3, 34):
        a, b = x + wide * (0.5 + (px - 0.5) * 0.45), x + wide * px
        cel.line(points((a, floor), (b, y + high)), 0.9, colour=shade(wood), head=0, tail=0)
    _window(cel, rng, (x + wide * float(rng.uniform(0.12, 0.3)), 30, 190, 150), weather)
    _shelf(cel, rng, (x + wide * float(rng.uniform(0.6, 0.72)), floor - 190, 130, 190), wood)
    px, py = x + wide * float(rng.uniform(0.47, 0.53)), float(rng.uniform(50, 80))
    cel.fill(rect(px, py, 46, 60), shade(wood), sharp=True)
    cel.fill(rect(px + 4, py + 4, 38, 52), drawn(rng, (0.2, 0.6), (0.6, 0.95)), sharp=True)
    cel.fill(rect(px + 4, py + 34, 38, 22), drawn(rng, (0.3, 0.7), (0.3, 0.7)), sharp=True)
    lamp = x + wide * 0.9
    cel.line(points((lamp, floor + 2), (lamp, floor - 120)), 3, colour=shade(wood), head=0, tail=0)
    cel.fill(
        points((lamp - 14, floor - 150), (lamp + 14, floor - 150), (lamp + 24, floor - 112), (lamp - 24, floor - 112)),
        (1.4, 1.2, 0.8),
        sharp=True,
    )
    cel.glow(lamp, floor - 120, 110, (1, 0.85, 0.55), 0.5 if weather.dark else 0.15)


def _window(cel: Cel, rng: Rng, place: Box, weather: Weather) -> None:
    x, y, wide, high = place
    with cel.clipped(np.repeat(rect(x, y, wide, high), 2, 0)):
        cel.fill(
            rect(x, y, wide, high),
            cel.gradient((0, y), (0, y + high), [weather.top, weather.middle, weather.horizon]),
            sharp=True,
        )
        cloud(cel, rng, x + wide * 0.4, y + high * 0.6, 46, weather)
        hills(cel, rng, (x, y, wide, high), y + high * 0.86, 26, weather.far((0.3, 0.5, 0.3), 0.3), 0.4)
        foliage(cel, rng, x + wide * 0.9, y + high, 42, (0.3, 0.52, 0.28))
    frame: Colour = (0.95, 0.94, 0.9)
    for bar in (
        rect(x - 5, y - 5, wide + 10, 6),
        rect(x - 5, y + high - 1, wide + 10, 8),
        rect(x - 5, y, 6, high),
        rect(x + wide - 1, y, 6, high),
        rect(x + wide / 2 - 2, y, 4, high),
        rect(x, y + high * 0.45, wide, 3),
    ):
        cel.fill(bar, frame, sharp=True)
        cel.fill(bar * (1, 1) + (0, 0), shade(frame), 0.15, sharp=True)
    cel.fill(rect(x - 9, y + high + 6, wide + 18, 4), shade(frame), sharp=True)
    cloth = drawn(rng, (0.15, 0.6), (0.6, 0.95))
    for side, edge in ((-1, x), (1, x + wide)):
        curtain = points(
            (edge - side * 16, y - 12),
            (edge + side * 30 * -1, y - 12),
            (edge - side * 34, y + high * 0.5),
            (edge - side * 22, y + high + 26),
            (edge + side * 16, y + high + 26),
            (edge + side * 14, y - 12),
        )
        cel.fill(np.repeat(curtain, 2, 0), cloth, sharp=True)
        for i in range(5):
            px = edge + side * (12 - 9 * i)
            cel.line(
                bent((px, y - 10), (px + side * 3, y + high + 24), 0.02), 3.2, colour=shade(cloth, 0.7), opacity=0.6
            )
    cel.fill(rect(x - 26, y - 16, wide + 52, 5), shade(cloth), sharp=True)


def _shelf(cel: Cel, rng: Rng, place: Box, wood: Colour) -> None:
    x, y, wide, high = place
    cel.fill(rect(x, y, wide, high), shade(wood, 1.2), sharp=True)
    rows = 4
    for row in range(rows):
        base = y + high * (row + 1) / rows - 4
        px = x + 6
        while px < x + wide - 10:
            w, h = float(rng.uniform(3.5, 9)), high / rows * float(rng.uniform(0.5, 0.82))
            if rng.random() < 0.12:
                px += w * 2
                continue
            book = drawn(rng, (0.15, 0.75), (0.35, 0.9))
            cel.fill(rect(px, base - h, w, h), book, sharp=True)
            cel.fill(rect(px + w * 0.72, base - h, w * 0.28, h), shade(book), sharp=True)
            cel.fill(rect(px, base - h * 0.8, w * 0.72, h * 0.1), tint(book, 1.3), sharp=True)
            px += w + 0.3
        cel.fill(rect(x, base, wide, 5), tint(wood, 0.2), sharp=True)
        cel.fill(rect(x, base + 5, wide, 3), shade(wood, 1.6), 0.6, sharp=True)
    for px in (x, x + wide - 5):
        cel.fill(rect(px, y, 5, high), wood, sharp=True)
    cel.fill(rect(x - 2, y - 4, wide + 4, 5), tint(wood, 0.4), sharp=True)
