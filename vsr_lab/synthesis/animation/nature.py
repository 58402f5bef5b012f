"""Painted backgrounds of nature: skies, clouds, mountains, hills, trees, grass, the sea."""

import numpy as np

from vsr_lab.synthesis.animation.mood import Weather
from vsr_lab.synthesis.animation.stage import HIGH, Box
from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import Points, bent, ellipse, points

Rng = np.random.Generator


def sky(cel: Cel, rng: Rng, box: Box, weather: Weather, horizon: float) -> None:
    """Paint a sky with a gradient down to y = `horizon`, with a sun, or a moon and stars."""
    x, y, wide, high = box
    stops = [weather.top, mix(weather.top, weather.middle, 0.6), weather.middle, weather.horizon]
    cel.fill(_rect(x, y, wide, high), cel.gradient((0, y), (0, horizon), stops), sharp=True)
    if weather.dark:
        for _ in range(int(wide * high / 900)):
            size = float(rng.uniform(0.3, 1.1))
            cel.dot(
                float(rng.uniform(x, x + wide)),
                float(rng.uniform(y, horizon)),
                size,
                size,
                (1, 1, 0.95),
                float(rng.uniform(0.3, 1)),
            )
    sx, sy = x + wide * float(rng.uniform(0.2, 0.8)), float(rng.uniform(HIGH * 0.1, horizon * 0.75))
    if weather.clouds < 0.9:
        cel.glow(sx, sy, 150, weather.sun, 0.55)
        disc = float(rng.uniform(11, 24))
        cel.dot(sx, sy, disc, disc, weather.sun)
        if weather.dark:
            cel.dot(sx - disc * 0.3, sy - disc * 0.2, disc * 0.25, disc * 0.2, shade(weather.sun, 0.3))


def cloud(cel: Cel, rng: Rng, x: float, y: float, size: float, weather: Weather) -> None:
    """Paint a cumulus cloud with a flat base, in three tones."""
    lit = tint(mix(weather.sun, (1, 1, 1), 0.6), 0.6)
    if weather.dark:
        lit = mix(weather.middle, (0.8, 0.85, 1), 0.35)
    dark = mix(mix(weather.middle, weather.horizon, 0.35), shade(lit), 0.35)
    count = int(rng.integers(9, 16))
    along = np.sort(rng.uniform(-1, 1, count))
    tops = (1 - np.abs(along) ** 1.6) * rng.uniform(0.35, 1.0, count)
    puffs: list[tuple[float, float, float]] = []
    for u, top in zip(along, tops, strict=True):
        for level in np.arange(0, top + 0.05, 0.22):
            r = size * float(rng.uniform(0.16, 0.3)) * (1.1 - 0.4 * level)
            puffs.append((x + size * (u + float(rng.normal(0, 0.05))), y - size * 0.75 * level - r * 0.35, r))
    base = points(
        (x - size * 1.5, y + 3), (x + size * 1.5, y + 3), (x + size * 1.5, y - size * 3), (x - size * 1.5, y - size * 3)
    )
    with cel.clipped(_corners(base)):
        for grow, shift, colour in (
            (1.08, 0.0, mix(dark, weather.horizon, 0.25)),
            (0.98, 0.10, mix(dark, lit, 0.45)),
            (0.84, 0.24, lit),
        ):
            for px, py, r in puffs:
                cel.fill(ellipse(px - shift * r * 0.8, py - shift * r, r * grow, r * grow * 0.92, count=10), colour)
        for px, py, r in puffs[::2]:
            cel.fill(ellipse(px + r * 0.2, py + r * 0.6, r * 0.6, r * 0.3), dark, 0.3)


def streaks(cel: Cel, rng: Rng, box: Box, weather: Weather, horizon: float) -> None:
    """Paint high thin clouds."""
    for _ in range(int(3 + 6 * weather.clouds)):
        x, y = float(rng.uniform(box[0], box[0] + box[2])), float(rng.uniform(box[1], horizon * 0.9))
        long = float(rng.uniform(40, 170))
        colour = mix(weather.horizon, weather.sun, 0.5)
        cel.line(
            bent((x, y), (x + long, y - long * 0.08), 0.03),
            float(rng.uniform(2, 6)),
            colour=colour,
            opacity=float(rng.uniform(0.25, 0.6)),
        )


def ridge(rng: Rng, box: Box, level: float, tall: float, rough: float, step: float = 7) -> Points:
    """A random skyline over the width of the box, at heights from y = `level` up to about `tall` above it."""
    x = np.arange(box[0] - step, box[0] + box[2] + 2 * step, step)
    y = np.zeros(len(x))
    for octave in range(1, 7):
        knots = rng.uniform(-1, 1, int(len(x) / 22 * 2**octave) + 3)
        y += np.interp(np.linspace(0, len(knots) - 1, len(x)), np.arange(len(knots)), knots) * rough**octave
    return np.stack([x, level - tall * (0.5 + y)], 1)


def mountains(cel: Cel, rng: Rng, box: Box, level: float, tall: float, colour: Colour, weather: Weather) -> None:
    """Paint jagged mountains with shaded faces and snow at the top, paler towards their foot."""
    line = ridge(rng, box, level, tall, 0.58)
    foot = box[1] + box[3]
    body = np.concatenate([line, [[line[-1, 0], foot], [line[0, 0], foot]]])
    cel.fill(
        body, cel.gradient((0, level - tall), (0, level + 25), [colour, colour, weather.far(colour, 0.65)]), sharp=True
    )
    peaks = [i for i in range(2, len(line) - 4) if line[i, 1] <= line[i - 2 : i + 3, 1].min()]
    for i in peaks:
        x, y = line[i]
        drop = max(10.0, level - y) * float(rng.uniform(0.5, 0.9))
        right = line[min(len(line) - 1, i + int(rng.integers(2, 5)))]
        face = points(
            (x, y),
            right,
            (right[0] + drop * 0.35, right[1] + drop * 0.5),
            (x + drop * 0.3, y + drop),
            (x + drop * 0.05, y + drop * 0.6),
            (x + drop * 0.12, y + drop * 0.35),
        )
        cel.fill(face, shade(colour, 0.8), 0.55, sharp=True)
        if level - y > tall * 0.62:
            low = (level - y) * 0.22
            left = line[i - 1]
            cap = points(
                (x, y),
                right if right[1] < y + low else (x + low * 0.6, y + low),
                (x + low * 0.2, y + low * 0.7),
                (x, y + low * 1.1),
                (x - low * 0.25, y + low * 0.7),
                left if left[1] < y + low else (x - low * 0.6, y + low),
            )
            cel.fill(cap, mix((0.96, 0.98, 1.0), weather.horizon, 0.3), 0.9, sharp=True)


def hills(cel: Cel, rng: Rng, box: Box, level: float, tall: float, colour: Colour, trees: float) -> None:
    """Paint hills with woods on top; `trees` is the density of the woods, 0..1."""
    line = ridge(rng, box, level, tall, 0.36, 16)
    foot = box[1] + box[3]
    body = np.concatenate([line, line[-1:], [[line[-1, 0], foot]] * 2, [[line[0, 0], foot]] * 2, line[:1]])
    for x, y in line[:: max(1, int(4 - 3 * trees))]:
        if rng.random() < trees:
            foliage(cel, rng, float(x), float(y) - 3, tall * float(rng.uniform(0.12, 0.3)), shade(colour, 0.7))
    cel.fill(body, cel.gradient((0, level - tall), (0, level + tall), [tint(colour, 0.5), colour, shade(colour, 0.4)]))
    for _ in range(int(box[2] / 18)):
        x = float(rng.uniform(box[0], box[0] + box[2]))
        y = level + float(rng.uniform(-tall * 0.2, tall * 1.2))
        long = float(rng.uniform(12, 60))
        if y > np.interp(x, line[:, 0], line[:, 1]) + 6:
            cel.line(
                bent((x, y), (x + long, y + 2), 0.08),
                float(rng.uniform(1, 3.5)),
                colour=shade(colour, 0.5) if rng.random() < 0.6 else tint(colour, 0.6),
                opacity=0.5,
            )


def foliage(cel: Cel, rng: Rng, x: float, y: float, size: float, colour: Colour) -> None:
    """Paint a crown of leaves in three tones, lit from the upper left."""
    heaps = [
        (float(rng.normal(0, 0.5)) * size, float(rng.normal(-0.1, 0.38)) * size, size * float(rng.uniform(0.35, 0.6)))
        for _ in range(9)
    ]
    for grow, shift, tone in ((1.1, 0.0, shade(colour, 1.2)), (0.9, 0.16, colour), (0.6, 0.36, tint(colour, 0.7))):
        for dx, dy, r in heaps:
            cel.fill(_leafy(rng, x + dx - shift * r, y + dy - shift * r * 1.2, r * grow), tone)


def _leafy(rng: Rng, x: float, y: float, r: float) -> Points:
    count = max(9, min(22, int(r)))
    around = ellipse(x, y, r, r * 0.85, count=count)
    return (x, y) + (around - (x, y)) * rng.uniform(0.82, 1.18, (count, 1))


def tree(cel: Cel, rng: Rng, x: float, y: float, tall: float, colour: Colour, bark: Colour) -> None:
    """Paint a broad-leaved tree at (x, y)."""
    lean = float(rng.normal(0, 0.06)) * tall
    cel.line(
        points((x, y + 3), (x + lean * 0.4, y - tall * 0.35), (x + lean, y - tall * 0.7)),
        tall * 0.12,
        colour=bark,
        head=0.02,
        tail=1.4,
    )
    cel.line(
        points((x + 0.015 * tall, y), (x + lean * 0.4 + 0.02 * tall, y - tall * 0.35)), tall * 0.04, colour=shade(bark)
    )
    for side in (-1, 1):
        cel.line(
            points((x + lean * 0.5, y - tall * 0.36), (x + side * tall * 0.17, y - tall * 0.62)),
            tall * 0.05,
            colour=bark,
            head=0.02,
        )
    foliage(cel, rng, x + lean, y - tall * 0.72, tall * 0.36, colour)


def conifer(cel: Cel, rng: Rng, x: float, y: float, tall: float, colour: Colour) -> None:
    """Paint a conifer at (x, y)."""
    cel.fill(_rect(x - tall * 0.02, y - tall * 0.15, tall * 0.04, tall * 0.16), (0.25, 0.17, 0.13), sharp=True)
    for i in range(5):
        top, wide = y - tall * (0.36 + 0.16 * i), tall * (0.21 - 0.034 * i)
        skirt = [
            (x + wide * u, top + tall * 0.26 + float(rng.uniform(-1, 1)) * tall * 0.02 + (tall * 0.03 if j % 2 else 0))
            for j, u in enumerate(np.linspace(1, -1, 9))
        ]
        body = points((x, top - tall * 0.02), *skirt)
        cel.fill(body, mix(shade(colour, 1.2), colour, i / 5), sharp=True)
        cel.fill(
            points((x, top), (x - wide * 0.8, top + tall * 0.24), (x - wide * 0.2, top + tall * 0.2)),
            tint(colour, 0.35),
            0.7,
            sharp=True,
        )


def grass(cel: Cel, rng: Rng, box: Box, level: float, colour: Colour, tall: float, density: float) -> None:
    """Paint blades of grass along the line y = level. Lengths are in units of 1/360 of the frame height.

    Args:
        cel: canvas.
        rng: random generator.
        box: area to paint, (x, y, width, height).
        level: y of the line.
        colour: colour of the blades.
        tall: typical height of the blades.
        density: number of blades per unit of width.
    """
    for x in np.sort(rng.uniform(box[0], box[0] + box[2], int(box[2] * density))):
        high = tall * float(rng.uniform(0.4, 1.2))
        tone = (shade(colour, 0.9), colour, tint(colour, 0.6))[int(rng.integers(3))]
        lean = float(rng.normal(0, 0.35)) * high
        y = level + float(rng.uniform(0, tall * 0.6))
        cel.line(
            points((x, y), (x + lean * 0.3, y - high * 0.6), (x + lean, y - high)),
            high * 0.13,
            colour=tone,
            head=0.02,
            tail=1,
        )


def flowers(cel: Cel, rng: Rng, box: Box, top: float, bottom: float, count: int) -> None:
    """Paint small flowers between y = `top` and y = `bottom`; those further down are nearer and larger."""
    hue = float(rng.random())
    for y in np.sort(rng.uniform(top, bottom, count)):
        x, r = float(rng.uniform(box[0], box[0] + box[2])), 1.1 + 2.6 * (y - top) / max(1, bottom - top)
        colour = hsv(hue + float(rng.normal(0, 0.04)), float(rng.uniform(0.3, 0.8)), 1.0)
        for angle in np.linspace(0, 2 * np.pi, 5, endpoint=False):
            cel.dot(
                x + r * 0.7 * float(np.cos(angle)), float(y) + r * 0.5 * float(np.sin(angle)), r * 0.5, r * 0.4, colour
            )
        cel.dot(x, float(y), r * 0.32, r * 0.28, (1, 0.85, 0.3))


def sea(cel: Cel, rng: Rng, box: Box, horizon: float, weather: Weather) -> None:
    """Paint water below the horizon, with waves and reflections."""
    deep = mix(mix(weather.top, (0.02, 0.35, 0.5), 0.5), weather.middle, 0.2)
    x, foot = box[0], box[1] + box[3]
    fill = cel.gradient((0, horizon), (0, foot), [mix(deep, weather.horizon, 0.45), deep, shade(deep, 0.5)])
    cel.fill(_rect(x, horizon, box[2], foot - horizon), fill, sharp=True)
    for y in horizon + (foot - horizon) * rng.uniform(0.01, 1, 150) ** 1.7:
        near = (float(y) - horizon) / (foot - horizon)
        long, px = float(rng.uniform(8, 40)) * (0.3 + 2.2 * near), float(rng.uniform(x, x + box[2]))
        tone = mix(weather.horizon, (1, 1, 1), 0.5) if rng.random() < 0.55 else shade(deep, 0.8)
        cel.line(
            bent((px, y), (px + long, y), 0.03), 0.5 + 2.2 * near, colour=tone, opacity=float(rng.uniform(0.3, 0.85))
        )


def _rect(x: float, y: float, wide: float, high: float) -> Points:
    return points((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


def _corners(shape: Points) -> Points:
    """Make every point of a shape a corner."""
    return np.repeat(shape, 2, 0)
