"""Cartoon creatures and objects: bodies with squash and stretch, birds, vehicles."""

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, drawn, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import Points, bent, ellipse, placed, points, tube

_EARS = ("cat", "rabbit", "bear", "horns", "feeler", "none")


@dataclass(frozen=True)
class Creature:
    """A round cartoon animal. The unit of lengths is half the height of its body."""

    colour: Colour
    belly: Colour
    accent: Colour
    ears: str
    wide: float
    pear: float
    eye: float
    eyes: int
    spots: tuple[tuple[float, float, float], ...]
    tail: bool


def draw_creature(rng: np.random.Generator) -> Creature:
    """Choose the properties of a creature at random."""
    colour = drawn(rng, (0.35, 0.85), (0.55, 1.0))
    spots = [
        (float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.7, 0.2)), float(rng.uniform(0.06, 0.16)))
        for _ in range(int(rng.integers(0, 7)))
    ]
    return Creature(
        colour=colour,
        belly=mix(colour, (1, 0.97, 0.88), float(rng.uniform(0.5, 0.85))),
        accent=drawn(rng, (0.5, 0.9), (0.6, 1.0)),
        ears=_EARS[int(rng.integers(len(_EARS)))],
        wide=float(rng.uniform(0.7, 1.05)),
        pear=float(rng.uniform(-0.1, 0.35)),
        eye=float(rng.uniform(0.17, 0.3)),
        eyes=int(rng.choice([1, 2], p=[0.12, 0.88])),
        spots=tuple(spots),
        tail=bool(rng.random() < 0.6),
    )


def draw_creature_at(cel: Cel, who: Creature, step: float, eyes: float, mouth: int, gaze: float) -> None:
    """Draw a creature that stands at (0, 0). Its body is 2 units of the canvas high.

    Args:
        cel: canvas.
        who: the creature.
        step: phase of the walk in radians; 2 pi are two steps.
        eyes: 0 (shut) to 1 (open).
        mouth: 0 closed, 1 half open, 2 open.
        gaze: direction of the eyes, -1 (left) to 1 (right).
    """
    wide, pear = who.wide, who.pear
    swing = sin(step)
    if who.tail:
        tail = tube(bent((-wide * 0.7, -0.4), (-wide * 1.65, -1.0 - 0.2 * swing), 0.3, 6), (0.2, 0.16, 0.1))
        cel.shape(tail, who.colour, [tail + (0.05, 0.1)])
    for side in (-1, 1):
        lift = 0.12 * max(0.0, side * swing)
        leg = tube(
            points(
                (0.33 * side * wide, -0.35),
                (0.36 * side * wide, -0.15 - lift),
                (0.38 * side * wide + 0.1, -0.04 - lift),
            ),
            (0.16, 0.15, 0.17),
        )
        cel.shape(leg, shade(who.colour, 0.4))
    far = tube(bent((wide * 0.75, -0.95), (wide * 1.3, -0.62 + 0.3 * swing), -0.2), (0.12, 0.11, 0.14))
    cel.shape(far, shade(who.colour, 0.3))
    _ears(cel, who, swing)
    low, foot, high = wide * (1 + pear * 0.5), wide * (0.9 + pear * 0.3), wide * (0.94 - pear * 0.4)
    body = points(
        (low, -0.55), (foot, -0.15), (0, -0.05), (-foot, -0.15), (-low, -0.55), (-high, -1.3), (-wide * 0.55, -1.85),
        (0, -2.0), (wide * 0.55, -1.85), (high, -1.3),
    )  # fmt: skip
    cel.shape(body, who.colour)
    with cel.clipped(body):
        cel.fill(ellipse(0.1, -0.5, wide * 0.62, 0.52), who.belly)
        for x, y, r in who.spots:
            cel.fill(ellipse(x * wide - 0.2, -1.0 + y, r * 1.2, r), shade(who.colour, 0.5))
        if cel.ink.tones:
            cel.ring(body * 1.6 + (0, 0.3), body + (-0.16, -0.10), shade(who.colour))
            cel.fill(ellipse(-wide * 0.42, -1.62, 0.2, 0.1, -0.6), tint(who.colour, 1.2), 0.8)
    cel.contour(body, 1, who.colour)
    _creature_face(cel, who, eyes, mouth, gaze)
    near = tube(bent((-wide * 0.72, -0.95), (-wide * 1.1, -0.55 - 0.3 * swing), 0.25), (0.12, 0.12, 0.15))
    cel.shape(near, who.colour, [near + (0.06, 0.08)])


def _ears(cel: Cel, who: Creature, swing: float) -> None:
    for side in (-1, 1):
        with cel.at(placed(side * who.wide * 0.5, -1.78, turn=side * 0.25 + 0.08 * swing)):
            if who.ears == "cat":
                shape = points((-0.28, 0.15), (-0.02, -0.5), (-0.02, -0.5), (0.28, 0.15))
            elif who.ears == "rabbit":
                shape = points((-0.14, 0.1), (-0.19, -0.6), (0.0, -1.05), (0.19, -0.6), (0.14, 0.1))
            elif who.ears == "bear":
                shape = ellipse(0, -0.08, 0.27, 0.27)
            elif who.ears == "horns":
                shape = points(
                    (-0.15, 0.1), (-0.05 + 0.1 * side, -0.25), (0.2 * side, -0.5), (0.2 * side, -0.5), (0.16, 0.1)
                )
            elif who.ears == "feeler":
                cel.line(bent((0, 0.1), (side * 0.2, -0.6), 0.2 * side), 0.06, colour=shade(who.colour), head=0, tail=0)
                shape = ellipse(side * 0.2, -0.65, 0.12, 0.12)
            else:
                continue
            cel.shape(shape, who.accent if who.ears in ("horns", "feeler") else who.colour, [shape + (0.12, 0.05)])
            if who.ears in ("cat", "rabbit", "bear"):
                cel.fill(shape * 0.6 + (0, 0.02), mix(who.belly, (1, 0.6, 0.6), 0.4))


def _creature_face(cel: Cel, who: Creature, eyes: float, mouth: int, gaze: float) -> None:
    ink: Colour = (0.12, 0.08, 0.1)
    size = who.eye * (1.5 if who.eyes == 1 else 1)
    for x in [0.12] if who.eyes == 1 else [-0.12, 0.42]:
        ball = ellipse(x * who.wide, -1.38, size, size * 1.2)
        if eyes < 0.25:
            cel.line(bent((x * who.wide - size, -1.36), (x * who.wide + size, -1.36), -0.2), 1.2, ink, 0.1, 0.1)
            continue
        cel.shape(ball, (1, 1, 1), [ball + (0, -size * 2.0)])
        px = x * who.wide + gaze * size * 0.45
        cel.dot(px, -1.34, size * 0.5, size * 0.62, ink)
        cel.dot(px - size * 0.16, -1.34 - size * 0.25, size * 0.18, size * 0.2, (1, 1, 1))
    nose = ellipse(0.16 * who.wide, -1.1, 0.12, 0.085)
    cel.shape(nose, mix(who.accent, ink, 0.5))
    cel.dot(0.13 * who.wide, -1.125, 0.04, 0.022, (1, 1, 1), 0.8)
    x, y = 0.16 * who.wide, -0.95
    if mouth:
        inside = points(
            (x - 0.26, y),
            (x - 0.26, y),
            (x, y + 0.06),
            (x + 0.26, y),
            (x + 0.26, y),
            (x + 0.15, y + 0.1 + 0.13 * mouth),
            (x - 0.15, y + 0.1 + 0.13 * mouth),
        )
        cel.fill(inside, (0.42, 0.1, 0.13))
        with cel.clipped(inside):
            cel.dot(x, y + 0.14 + 0.14 * mouth, 0.18, 0.12, (0.92, 0.45, 0.45))
        cel.contour(inside, 0.8, ink)
    else:
        cel.line(
            points(
                (x - 0.27, y - 0.05), (x - 0.12, y + 0.05), (x, y - 0.03), (x + 0.12, y + 0.05), (x + 0.27, y - 0.05)
            ),
            0.9,
            ink,
            0.15,
            0.15,
        )


def bird(cel: Cel, flap: float, colour: Colour) -> None:
    """Draw a distant bird of width 1; `flap` is the position of its wings, -1 to 1."""
    for side in (-1, 1):
        wing = points(
            (0, 0),
            (side * 0.25, -0.16 - 0.2 * flap),
            (side * 0.5, 0.06 - 0.34 * flap),
            (side * 0.5, 0.06 - 0.34 * flap),
            (side * 0.22, -0.05 - 0.1 * flap),
        )
        cel.fill(wing, colour)
    cel.fill(ellipse(0.03, 0.01, 0.11, 0.045), colour)


def ball(cel: Cel, colour: Colour, second: Colour, turn: float) -> None:
    """Draw a beach ball of radius 1 on the ground at (0, 0)."""
    circle = ellipse(0, -1, 1, 1, count=14)
    cel.shape(circle, colour)
    with cel.clipped(circle), cel.at(placed(0, -1, turn=turn)):
        for i in range(3):
            a = 2 * pi * i / 3
            cel.fill(
                points(
                    (0.0, 0.0),
                    (0.0, 0.0),
                    *(1.3 * np.array([np.cos(a + d), np.sin(a + d)]) for d in (0, 0.25, 0.5, 0.75, 1.0)),
                ),
                second,
            )
        cel.dot(0, 0, 0.2, 0.2, (1, 1, 1))
    with cel.clipped(circle):
        if cel.ink.tones:
            cel.ring(circle * 1.5 + (0, 0.5), circle + (-0.22, -0.26), shade(colour), 0.55)
        cel.fill(ellipse(-0.42, -1.5, 0.24, 0.12, -0.7), (1, 1, 1), 0.75)
    cel.contour(circle, 1, colour)


def car(cel: Cel, colour: Colour, turn: float, bump: float) -> None:
    """Draw a small car that faces right, 2.6 long, on the ground at y = 0; `turn` is the rotation of its wheels."""
    y = -0.08 * bump
    body: Points = points(
        (-1.3, -0.3), (-1.3, -0.3), (-1.32, -0.72), (-1.05, -0.86), (-0.78, -1.32), (-0.2, -1.42),
        (0.38, -1.3), (0.68, -0.88), (1.2, -0.78), (1.33, -0.55), (1.3, -0.3), (1.3, -0.3),
    ) + (0, y)  # fmt: skip
    cel.shape(body, colour, [np.repeat(points((-2, -0.55), (2, -0.5), (2, 0.2), (-2, 0.2)), 2, 0) + (0, y)])
    for window in (
        points((-0.68, -0.9), (-0.55, -1.24), (-0.12, -1.3), (-0.12, -0.9)),
        points((0.0, -0.9), (0.0, -1.3), (0.3, -1.22), (0.54, -0.9)),
    ):
        pane = np.repeat(window, 2, 0) + (0, y)
        cel.shape(pane, (0.62, 0.82, 0.92), [pane + (0.16, 0.12)], line=0.8)
    cel.dot(1.2, -0.64 + y, 0.09, 0.1, (1, 0.95, 0.7))
    cel.line(points((-0.06, -0.86 + y), (-0.06, -0.36 + y)), 0.7, colour, 0.05, 0.05) if cel.ink.width else None
    for x in (-0.75, 0.8):
        wheel = ellipse(x, -0.28, 0.28)
        cel.shape(wheel, (0.16, 0.16, 0.2))
        cel.fill(ellipse(x, -0.28, 0.15), (0.8, 0.8, 0.82))
        with cel.at(placed(x, -0.28, turn=turn)):
            for a in (0, pi / 2):
                cel.line(
                    points((-0.14 * np.cos(a), -0.14 * np.sin(a)), (0.14 * np.cos(a), 0.14 * np.sin(a))),
                    0.04,
                    colour=(0.35, 0.35, 0.4),
                    head=0,
                    tail=0,
                )
