"""Hair: locks in front of and behind the head, with shadow, shine and motion."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, drawn, hsv, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import Points, bent, ellipse, points

_NATURAL = (
    (0.07, 0.6, 0.25),
    (0.06, 0.55, 0.42),
    (0.11, 0.5, 0.85),
    (0.03, 0.7, 0.55),
    (0.65, 0.25, 0.22),
    (0.6, 0.06, 0.8),
)
CUTS = ("spiky", "bob", "long", "tail", "twin", "short", "bun")


@dataclass(frozen=True)
class Hair:
    """A hairstyle.

    Coordinates are relative to the middle of the head; the unit is half the height of the head.

    Attributes:
        valleys: x of the gaps between the locks of the fringe.
        tips: (x, y) of the end of each lock.
    """

    colour: Colour
    cut: str
    valleys: tuple[float, ...]
    tips: tuple[tuple[float, float], ...]
    side: float
    length: float
    spikes: tuple[float, ...]
    ribbon: Colour


def draw_hair(rng: np.random.Generator, anime: bool) -> Hair:
    """Choose the properties of a hairstyle at random; with anime, hair may have any colour."""
    natural = hsv(*_NATURAL[int(rng.integers(len(_NATURAL)))])
    wild = drawn(rng, (0.35, 0.8), (0.5, 0.95))
    count = int(rng.integers(4, 8))
    parting = float(rng.uniform(-0.5, 0.5))
    valleys = np.linspace(-0.72, 0.72, count + 1)[1:-1] + rng.uniform(-0.05, 0.05, count - 1)
    edges = np.concatenate([[-0.86], valleys, [0.86]])
    tips = [
        (
            float((a + b) / 2 + 0.14 * np.sign((a + b) / 2 - parting) + rng.uniform(-0.05, 0.05)),
            float(rng.uniform(-0.18, 0.16)),
        )
        for a, b in pairwise(edges)
    ]
    return Hair(
        colour=wild if anime and rng.random() < 0.5 else natural,
        cut=CUTS[int(rng.integers(len(CUTS)))],
        valleys=tuple(map(float, valleys)),
        tips=tuple(tips),
        side=float(rng.uniform(0.35, 0.95)),
        length=float(rng.uniform(1.2, 2.6)),
        spikes=tuple(map(float, rng.uniform(1.18, 1.5, 9))),
        ribbon=drawn(rng, (0.5, 0.9), (0.6, 1.0)),
    )


def draw_back(cel: Cel, hair: Hair, sway: float, turn: float) -> None:
    """Draw the hair behind the head; `sway` moves its lower ends horizontally, in half head heights."""
    dark = shade(hair.colour, 0.9)
    if hair.cut in ("long", "tail", "twin"):
        for side in {"long": (0,), "tail": (-1 if turn > 0 else 1,), "twin": (-1, 1)}[hair.cut]:
            _mane(cel, hair, side, sway, dark)
    if hair.cut == "bun":
        bun = ellipse(0.1 - 0.5 * turn, -1.02, 0.42)
        cel.shape(bun, hair.colour, [bun + (0.1, 0.14)])
    low = {"bob": 0.95, "long": 1.1}.get(hair.cut, 0.55)
    wide = 1.02 if hair.cut in ("bob", "long") else 0.90
    skull = points(
        (-wide + 0.02 * turn, -0.2), (-0.78, -0.85), (0, -1.14), (0.78, -0.85), (wide, -0.2), (wide + 0.03, low * 0.6),
        (wide * 0.88 + sway * 0.2, low), (wide * 0.88 + sway * 0.2, low), (wide * 0.45, low * 0.86), (0, low * 0.95),
        (-wide * 0.45, low * 0.86), (-wide * 0.9 + sway * 0.2, low), (-wide * 0.9 + sway * 0.2, low),
        (-wide - 0.03, low * 0.6),
    )  # fmt: skip
    cel.shape(skull, dark if cel.ink.tones else mix(hair.colour, dark, 0.5), base=hair.colour)


def _mane(cel: Cel, hair: Hair, side: int, sway: float, dark: Colour) -> None:
    """Draw long hair: behind the head (side 0), or as a tail on one side."""
    long = hair.length
    if side == 0:
        root, wide = np.array([0.0, 0.0]), 0.98
    else:
        root, wide = np.array([side * 0.85, -0.62]), 0.34
    ends = [
        root + (wide * x + sway * (0.7 + 0.3 * i) + side * 0.35, long + 0.18 * ((i * 2) % 3 - 1))
        for i, x in enumerate((0.9, 0.35, -0.2, -0.75))
    ]
    bulge = 1.25 if side else 1.08
    zig = [point for i, end in enumerate(ends) for point in (end, end, end + (-0.25 * wide, -0.22 - 0.05 * i))][:-1]
    shape = points(
        root + (wide * 0.8, -0.1), root + (wide * bulge + side * 0.25 + sway * 0.3, long * 0.5), *zig,
        root + (-wide * bulge + side * 0.25 + sway * 0.35, long * 0.5), root + (-wide * 0.8, -0.1),
    )  # fmt: skip
    fill = hair.colour if side else mix(hair.colour, dark, 0.75)
    cel.shape(shape, fill, [shape + (0.35 * wide, 0.1)] if side else [], base=hair.colour)
    for x in (-0.4, 0.05, 0.45):
        a, b = root + (wide * x, 0.3), root + (wide * x * 1.1 + sway * 0.7 + side * 0.25, long * 0.85)
        cel.line(bent(a, b, 0.05), 0.7, hair.colour)
    if side:
        cel.fill(ellipse(0, 0, 0.15, 0.13) + root, hair.ribbon)
        for flip in (-1, 1):
            bow = points(root, root, root + (0.34 * flip, -0.2), root + (0.4 * flip, 0.06), root + (0.3 * flip, 0.2))
            cel.shape(bow, hair.ribbon, [bow + (0, 0.12)])


def fringe(hair: Hair, sway: float, turn: float) -> Points:
    """The contour of the hair in front."""
    push = 0.24 * turn
    top = points(
        (0.93, -0.25), (0.80, -0.80), (0.42, -1.10), (-0.05, -1.17), (-0.50, -1.08), (-0.84, -0.76), (-0.95, -0.25)
    )
    if hair.cut == "spiky":
        angles = np.linspace(0.05, np.pi - 0.05, len(hair.spikes))
        out = []
        for i, (angle, far) in enumerate(zip(angles, hair.spikes, strict=True)):
            tip = np.array([np.cos(angle - 0.22) * far * 0.93, -np.sin(angle - 0.22) * far - 0.02])
            valley = np.array([np.cos(angle + 0.17), -np.sin(angle + 0.17)]) * 1.02
            out += [tip, tip, valley] if i < len(angles) - 1 else [tip, tip]
        top = points((0.95, -0.1), *out, (-0.97, -0.1))
    left = points(
        (-0.97, 0.15), (-0.92 + sway * 0.2, hair.side), (-0.92 + sway * 0.2, hair.side), (-0.80, hair.side * 0.4)
    )
    right = points(
        (0.83, hair.side * 0.35),
        (0.95 + sway * 0.2, hair.side * 0.9),
        (0.95 + sway * 0.2, hair.side * 0.9),
        (0.97, 0.1),
    )
    edge: list[np.ndarray] = []
    count = len(hair.tips)
    for i, (x, y) in enumerate(hair.tips):
        tip = np.array([x + push + sway * 0.12, y])
        edge += [tip + (-0.09, -0.22), tip, tip]
        if i < count - 1:
            valley = np.array([hair.valleys[i] + push * 0.8, -0.36 + 0.1 * abs(hair.valleys[i])])
            edge += [valley, valley]
    return points(top, left, *edge, right)


def draw_front(cel: Cel, hair: Hair, sway: float, turn: float, lit: float) -> None:
    """Draw the fringe with its cel shadow, shine and strands."""
    shape = fringe(hair, sway, turn)
    cel.shape(shape, hair.colour)
    with cel.clipped(shape):
        if cel.ink.tones:
            shifted = shape * (1.0, 1.0) + (0.10 * lit, -0.17)
            cel.ring(shape * 1.6, shifted, shade(hair.colour))
            _shine(cel, hair, turn)
    cel.contour(shape, 1, hair.colour)
    for i, x in enumerate(hair.valleys):
        start = (x + 0.24 * turn * 0.8, -0.36 + 0.1 * abs(x))
        cel.line(
            bent(start, (x * 0.45 + 0.1 * turn, -0.86 - 0.02 * (i % 2)), 0.06 * np.sign(x)), 0.8, hair.colour, 0.05, 0.8
        )


def _shine(cel: Cel, hair: Hair, turn: float) -> None:
    """Draw the ring of light around the head, with a zigzag lower edge."""
    x = np.linspace(-0.66, 0.66, 15)
    y = -0.74 + 0.22 * x**2
    low = y + np.where(np.arange(15) % 2, 0.15, 0.03) * (1 - (x / 0.72) ** 2)
    band = np.concatenate([np.stack([x, y - 0.03], 1), np.stack([x, low], 1)[::-1]]) + (0.1 * turn, 0)
    cel.fill(band, tint(hair.colour, 1.1), 0.85, sharp=True)
