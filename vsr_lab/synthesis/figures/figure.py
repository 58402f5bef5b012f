"""People from head to foot: clothes, jointed limbs, and walk cycles."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from vsr_lab.synthesis.figures.face import Face, Mood, draw_face, draw_head
from vsr_lab.synthesis.figures.hair import Hair, draw_back, draw_front, draw_hair
from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, drawn, hsv, mix, shade
from vsr_lab.synthesis.shapes.curves import Points, bent, ellipse, placed, points, tube

_DRESSES = ("blazer", "hoodie", "shirt", "coat", "dress", "sailor")


@dataclass(frozen=True)
class Person:
    """A person and their clothes.

    Attributes:
        heads: body height in head heights.
        build: width of the shoulders.
    """

    face: Face
    hair: Hair
    wear: str
    top: Colour
    under: Colour
    legs: Colour
    shoes: Colour
    accent: Colour
    heads: float
    build: float


@dataclass(frozen=True)
class Joints:
    """Pose of a person. Angles are in radians; positive angles are forward.

    Attributes:
        near_arm, far_arm, near_leg, far_leg: (angle of the upper part from the downward vertical, angle of the lower
            part relative to the upper part).
        lift: height of the hip above its standing height, in head heights.
        lean: angle of the trunk from the upward vertical.
    """

    near_arm: tuple[float, float] = (0.1, 0.2)
    far_arm: tuple[float, float] = (-0.1, 0.2)
    near_leg: tuple[float, float] = (0.04, 0.0)
    far_leg: tuple[float, float] = (-0.04, 0.0)
    lift: float = 0.0
    lean: float = 0.0


def draw_person(rng: np.random.Generator, anime: bool) -> Person:
    """Choose the properties of a person at random."""
    hair = draw_hair(rng, anime)
    top = drawn(rng, (0.2, 0.85), (0.3, 0.95))
    return Person(
        face=draw_face(rng, not anime, hair.colour),
        hair=hair,
        wear=_DRESSES[int(rng.integers(len(_DRESSES)))],
        top=top,
        under=mix((0.97, 0.96, 0.95), drawn(rng, (0.3, 0.6), (0.7, 1.0)), float(rng.random() < 0.4) * 0.7),
        legs=hsv(float(rng.uniform(0.5, 0.75)), float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.2, 0.6))),
        shoes=drawn(rng, (0.0, 0.7), (0.2, 0.9)),
        accent=drawn(rng, (0.6, 0.95), (0.7, 1.0)),
        heads=float(rng.uniform(4.6, 6.2) if anime else rng.uniform(2.8, 3.8)),
        build=float(rng.uniform(0.85, 1.2)),
    )


def draw_bust(cel: Cel, person: Person, mood: Mood, lit: float, sway: float, breath: float) -> None:
    """Draw head and shoulders. The head is centred at (0, 0) with half height 1; the chest reaches to y = 4.5."""
    wide, top = 1.28 * person.build, person.top
    draw_back(cel, person.hair, sway, mood.turn)
    with cel.at(placed(0, breath)):
        _trunk(cel, person, wide, top, lit)
    neck = points((-0.30, 0.5), (-0.30, 1.15), (-0.42, 1.42), (0.42, 1.42), (0.30, 1.15), (0.30, 0.5)) + (
        0.04 * mood.turn,
        0,
    )
    cel.shape(neck, person.face.skin, [ellipse(0.15 * mood.turn, 0.82, 0.62, 0.36)])
    with cel.at(placed(0, breath)):
        _collar(cel, person, wide)
    with cel.at(placed(0.05 * mood.turn, breath * 0.6, turn=0.03 * mood.turn)):
        draw_head(cel, person.face, mood, lit)
        draw_front(cel, person.hair, sway, mood.turn, lit)


def _trunk(cel: Cel, person: Person, wide: float, top: Colour, lit: float) -> None:
    body = points(
        (-0.36, 1.30), (-0.8 * wide, 1.50), (-wide, 1.78), (-wide * 1.12, 2.6), (-wide * 1.15, 4.5), (wide * 1.15, 4.5),
        (wide * 1.12, 2.6), (wide, 1.78), (0.8 * wide, 1.50), (0.36, 1.30),
    )  # fmt: skip
    cel.shape(
        body,
        top,
        [
            points(
                (0.2 * wide * lit, 1.0),
                (2.4 * lit, 1.2),
                (2.4 * lit, 5),
                (0.62 * wide * lit, 5),
                (0.5 * wide * lit, 2.6),
            )
        ],
    )
    for side in (-1, 1):
        cel.line(
            points((side * wide * 0.78, 1.98), (side * wide * 0.70, 2.4), (side * wide * 0.72, 4.4)), 1, top, 0.6, 0.02
        )
        cel.line(bent((side * wide * 0.9, 1.75), (side * wide * 0.62, 1.98), 0.12 * side), 0.6, top)
        cel.line(bent((side * wide * 0.66, 2.6), (side * wide * 0.42, 2.72), 0.1 * side), 0.6, top)


def _collar(cel: Cel, person: Person, wide: float) -> None:
    """Draw the clothes at the neck."""
    wear, top, under, accent = person.wear, person.top, person.under, person.accent
    if wear in ("blazer", "coat", "shirt"):
        vee = points((-0.36, 1.27), (0, 2.5), (0, 2.5), (0.36, 1.27), (0.2, 1.45), (-0.2, 1.45))
        cel.shape(vee, under, [vee + (0.14, 0.05)])
        if wear == "blazer":
            tie = points((-0.09, 1.62), (0.09, 1.62), (0.14, 2.35), (0, 2.55), (0, 2.55), (-0.14, 2.35))
            cel.shape(tie, accent, [tie + (0.09, 0)])
            cel.shape(points((-0.11, 1.46), (0.11, 1.46), (0.08, 1.68), (-0.08, 1.68)), accent)
        for side in (-1, 1):
            lapel = points(
                (0.38 * side, 1.22), (0.38 * side, 1.22), (0.66 * side, 1.62), (0.66 * side, 1.62), (0.47 * side, 1.78),
                (0.58 * side, 1.9), (0.02 * side, 2.62), (0.02 * side, 2.62), (0.22 * side, 1.7),
            )  # fmt: skip
            cel.shape(lapel, mix(top, shade(top), 0.35 if wear != "shirt" else 0.0), [lapel + (0.12, 0.14)])
        cel.line(points((0, 2.62), (0.01, 4.4)), 0.9, top, 0.02, 0.02)
        for y in (2.95, 3.5):
            cel.dot(0.1, y, 0.055, 0.055, accent)
    elif wear == "hoodie":
        for side in (-1, 1):
            hood = points(
                (0.05 * side, 1.62), (0.42 * side, 1.05), (0.74 * side, 1.3), (0.62 * side, 1.66), (0.2 * side, 1.9)
            )
            cel.shape(hood, top, [hood + (0.1, 0.16)])
            cel.line(bent((0.2 * side, 1.86), (0.24 * side, 2.5), 0.04 * side), 0.05, colour=under, head=0, tail=0)
            cel.dot(0.24 * side, 2.5, 0.035, 0.06, accent)
        cel.dot(0, 2.95, 0.32, 0.32, accent)
        cel.dot(0, 2.95, 0.22, 0.22, under)
    elif wear == "sailor":
        for side in (-1, 1):
            flap = points(
                (0.3 * side, 1.25),
                (0.85 * side * wide / 1.28, 1.5),
                (0.95 * side, 2.0),
                (0.04 * side, 2.3),
                (0.04 * side, 2.3),
            )
            cel.shape(flap, accent, [flap + (0.1, 0.16)])
            stripe = points((0.82 * side, 1.6), (0.84 * side, 1.93), (0.84 * side, 1.93), (0.1 * side, 2.17))
            cel.line(stripe, 0.045, colour=under, head=0, tail=0)
            bow = points((0, 2.25), (0, 2.25), (0.42 * side, 2.02), (0.5 * side, 2.35), (0.36 * side, 2.52))
            cel.shape(bow, under, [bow + (0, 0.16)])
        cel.dot(0, 2.27, 0.1, 0.1, under)
    else:
        ring = points((-0.42, 1.24), (0, 1.62), (0.42, 1.24), (0.5, 1.36), (0, 1.86), (-0.5, 1.36))
        cel.shape(ring, accent, [ring + (0.1, 0.08)])


def walk(phase: float, stride: float = 0.5) -> Joints:
    """Joints at a phase of the walk cycle, 2 pi for two steps. A stride of 0.9 is a run."""
    run = max(0.0, stride - 0.55) * 2

    def leg(p: float) -> tuple[float, float]:
        return stride * sin(p), -(0.12 + (0.8 + 0.8 * run) * max(0.0, cos(p)) ** 1.3 + 0.2 * run)

    def arm(p: float) -> tuple[float, float]:
        return -stride * 0.85 * sin(p), 0.25 + 1.2 * run + 0.25 * max(0.0, -sin(p))

    bounce = -0.10 * stride * (1 + cos(2 * phase + pi)) / 2 + 0.12 * run * abs(cos(phase))
    return Joints(arm(phase), arm(phase + pi), leg(phase), leg(phase + pi), bounce, 0.04 + 0.25 * run)


def draw_figure(cel: Cel, person: Person, joints: Joints, mood: Mood, lit: float, sway: float) -> None:
    """Draw the whole person facing right; the ground is at (0, 0), and a head has height 1."""
    tall = person.heads
    leg = tall * 0.46
    hip = np.array([0.0, -leg + 0.04 - joints.lift])
    spine = np.array([sin(joints.lean), -cos(joints.lean)])
    chest = hip + spine * tall * 0.235
    neck = hip + spine * (tall - 1.0 - leg + 0.02)
    shoulder = neck + spine * -0.24
    thick = 0.11 + 0.028 * tall * person.build * 0.5
    _limb(
        cel,
        shoulder + (0.10 * person.build, 0.04),
        joints.far_arm,
        tall * 0.155,
        thick * 0.72,
        shade(person.top, 0.5),
        person.face.skin,
        None,
    )
    _limb(
        cel,
        hip + (0.06, -0.05),
        joints.far_leg,
        leg * 0.5,
        thick,
        shade(person.legs, 0.5),
        person.legs,
        shade(person.shoes, 0.4),
    )
    with cel.at(placed(neck[0] + 0.06, neck[1] - 0.52, 0.5, joints.lean * 0.4)):
        draw_back(cel, person.hair, sway, mood.turn)
    _limb(cel, hip + (-0.05, -0.05), joints.near_leg, leg * 0.5, thick, person.legs, person.legs, person.shoes)
    _torso(cel, person, hip, chest, neck, lit)
    with cel.at(placed(neck[0] + 0.06, neck[1] - 0.52, 0.5, joints.lean * 0.4)):
        draw_head(cel, person.face, mood, lit)
        draw_front(cel, person.hair, sway, mood.turn, lit)
    _limb(
        cel,
        shoulder + (-0.12 * person.build, 0.04),
        joints.near_arm,
        tall * 0.155,
        thick * 0.72,
        person.top,
        person.face.skin,
        None,
    )


def _torso(cel: Cel, person: Person, hip: Points, chest: Points, neck: Points, lit: float) -> None:
    wide = 0.40 * person.build
    cel.shape(
        points(neck + (-0.11, -0.15), neck + (-0.12, 0.1), neck + (0.13, 0.1), neck + (0.13, -0.15)), person.face.skin
    )
    long = {"coat": 0.75, "dress": 0.95, "sailor": 0.5}.get(person.wear, 0.12)
    flare = 1.5 if person.wear in ("dress", "sailor") else 1.12
    body = points(
        neck + (-0.10, -0.02), neck + (-wide, 0.18), chest + (-wide * 0.92, 0.0), hip + (-wide * 0.8, -0.1),
        hip + (-wide * flare, long), hip + (-wide * flare, long), hip + (wide * flare, long),
        hip + (wide * flare, long),
        hip + (wide * 0.75, -0.1), chest + (wide * 0.95, 0.05), neck + (wide * 0.9, 0.2), neck + (0.14, -0.02),
    )  # fmt: skip
    cel.shape(body, person.top, [body + (0.30 * lit * person.build, 0.05)])
    if person.wear in ("dress", "sailor", "coat"):
        for x in (-0.5, 0.1, 0.6):
            cel.line(points(hip + (wide * x * 0.7, 0.05), hip + (wide * x * flare, long)), 0.7, person.top, 0.7, 0.02)
    belt = points(
        hip + (-wide * 0.82, -0.16),
        hip + (0, -0.12),
        hip + (wide * 0.78, -0.16),
        hip + (wide * 0.78, -0.06),
        hip + (0, -0.02),
        hip + (-wide * 0.82, -0.06),
    )
    cel.fill(belt, person.accent)
    vee = points(neck + (-0.05, -0.02), neck + (0.12, 0.42), neck + (0.12, 0.42), neck + (0.2, 0.0))
    cel.shape(vee, person.under)
    cel.line(points(neck + (0.12, 0.42), hip + (0.1, -0.15)), 0.7, person.top)


def _limb(
    cel: Cel,
    root: Points,
    angles: tuple[float, float],
    long: float,
    thick: float,
    sleeve: Colour,
    end: Colour,
    shoe: Colour | None,
) -> None:
    """Draw upper and lower part of an arm (with a hand) or a leg (with a shoe)."""
    upper, lower = angles[0], angles[0] + angles[1]
    middle = root + long * np.array([sin(upper), cos(upper)])
    last = middle + long * np.array([sin(lower), cos(lower)])
    if shoe is None:
        fist = ellipse(0, 0, thick * 0.95, thick * 1.15, -lower, 10) + last + 0.09 * np.array([sin(lower), cos(lower)])
        cel.shape(fist, end)
    arm = tube(
        points(root, (root + middle) / 2, middle, (middle + last) / 2, last),
        (thick * 1.25, thick * 1.15, thick, thick * 0.95, thick * 0.8),
    )
    cel.shape(arm, sleeve, [arm + (thick * 0.9, thick * 0.2)])
    cel.line(bent(middle - (thick * 0.7, 0), middle + (thick * 0.2, thick * 0.4), 0.15), 0.6, sleeve)
    if shoe is not None:
        with cel.at(placed(*last, turn=-lower * 0.6)):
            foot = points(
                (-thick, -0.04),
                (-thick * 1.15, 0.14),
                (-thick, 0.2),
                (thick * 2.3, 0.2),
                (thick * 2.4, 0.12),
                (thick * 1.1, -0.03),
                (thick, -0.09),
            )
            cel.shape(foot, shoe, [foot + (0.02, 0.13)])
