"""Heads of drawn people: face, eyes and mouth in three-quarter views, blinking and talking."""

from dataclasses import dataclass

import numpy as np

from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix, shade, times, tint
from vsr_lab.synthesis.shapes.curves import Points, bent, ellipse, placed, points, sampled

_SKINS = ((0.07, 0.22, 1.0), (0.06, 0.30, 0.97), (0.07, 0.42, 0.86), (0.06, 0.52, 0.66), (0.05, 0.56, 0.47))
_MOUTH: Colour = (0.45, 0.12, 0.14)


@dataclass(frozen=True)
class Face:
    """Properties of a head. Lengths are in half head heights: the chin is 1 below the middle."""

    skin: Colour
    eye: Colour
    eye_size: float
    eye_tall: float
    jaw: float
    chin: float
    brow: Colour
    brow_thick: float
    lashes: float
    blush: float
    glasses: bool
    simple: bool  # a western cartoon's eyes: white discs with pupils


@dataclass(frozen=True)
class Mood:
    """Expression of a face in one drawing.

    Attributes:
        turn, gaze: direction of head and eyes, -1 (left) to 1 (right).
        eyes: 0 (shut) to 1 (open).
        mouth: 0 closed, 1 half open, 2 open.
        joy: -1 (sad) to 1 (happy).
    """

    turn: float = 0.3
    eyes: float = 1.0
    mouth: int = 0
    joy: float = 0.3
    gaze: float = 0.2


def draw_face(rng: np.random.Generator, simple: bool, hair: Colour) -> Face:
    """Choose the properties of a head at random."""
    child = float(rng.random())
    eye_hue = float(rng.random())
    return Face(
        skin=hsv(*_SKINS[int(rng.integers(len(_SKINS)))]),
        eye=hsv(eye_hue, float(rng.uniform(0.45, 0.9)), float(rng.uniform(0.45, 0.85))),
        eye_size=float(rng.uniform(0.19, 0.24)),
        eye_tall=float(rng.uniform(0.9, 1.25)),
        jaw=float(rng.uniform(0.36, 0.52) + 0.06 * child),
        chin=float(1.04 - 0.1 * child),
        brow=mix(hair, (0.15, 0.1, 0.12), 0.45),
        brow_thick=float(rng.uniform(0.04, 0.09)),
        lashes=float(rng.uniform(0.06, 0.12)),
        blush=float(rng.random() < 0.4) * float(rng.uniform(0.25, 0.6)),
        glasses=bool(rng.random() < 0.15),
        simple=simple,
    )


def head_shape(face: Face, turn: float) -> Points:
    """The contour of skull and jaw."""
    far, near, jaw, chin = 0.76 - 0.08 * turn, 0.76 + 0.08 * turn, face.jaw, face.chin
    return points(
        (far, -0.3), (far, 0.15), (far - 0.07, 0.48), (jaw + 0.08 + 0.10 * turn, 0.78 * chin),
        (0.17 + 0.18 * turn, 0.97 * chin), (0.0 + 0.18 * turn, chin), (-0.17 + 0.18 * turn, 0.96 * chin),
        (-jaw - 0.08 + 0.06 * turn, 0.75 * chin),
        (-near + 0.06, 0.44), (-near, 0.1), (-near, -0.3), (-0.62, -0.8), (0, -0.98), (0.62, -0.8),
    )  # fmt: skip


def draw_head(cel: Cel, face: Face, mood: Mood, lit: float) -> None:
    """Draw skull, ears and features; `lit` is the side of the light, -1 or 1."""
    skin, turn = face.skin, mood.turn
    side = -1 if turn > 0 else 1
    ear = ellipse(side * 0.80, 0.22, 0.13, 0.21, turn=-0.25 * side)
    cel.shape(ear, skin, [ear + (0.05 * side, 0.03)])
    cel.line(bent((side * 0.80, 0.10), (side * 0.78, 0.34), 0.25 * side), 0.6, skin)
    contour = head_shape(face, turn)
    cel.shape(contour, skin)
    with cel.clipped(contour):
        if cel.ink.tones:
            cel.ring(contour * 1.3, contour * (0.97, 1.0) + (0.22 * lit, -0.03), mix(skin, shade(skin), 0.85))
        if face.blush:
            for x in (-0.44, 0.44):
                cel.dot(x + 0.3 * turn, 0.52, 0.17, 0.09, mix(skin, (0.95, 0.35, 0.35), 0.5), face.blush)
    _nose(cel, face, turn)
    _mouth(cel, face, mood)
    for which in (-1, 1):
        squeezed = 1 - 0.22 * max(0.0, turn * which)
        x = which * 0.37 * (1 - 0.08 * abs(turn)) + 0.29 * turn
        with cel.at(placed(x, 0.2)), cel.at(np.array([[squeezed * which, 0, 0], [0, 1.0, 0]])):
            (_disc_eye if face.simple else _eye)(cel, face, mood, which)
            _brow(cel, face, mood)
    if face.glasses:
        _glasses(cel, turn)


def _nose(cel: Cel, face: Face, turn: float) -> None:
    x, y = 0.36 * turn, 0.56 * face.chin
    if face.simple:
        nose = ellipse(x, y - 0.05, 0.13, 0.15)
        cel.shape(nose, mix(face.skin, (0.9, 0.4, 0.35), 0.25), [nose + (0.02, 0.09)])
        return
    way = 1 if turn >= 0 else -1
    cel.fill(points((x, y), (x, y), (x - 0.10 * way, y + 0.035), (x - 0.015, y + 0.05)), shade(face.skin))
    cel.line(points((x - 0.015 * way, y - 0.08), (x + 0.02 * way, y), (x - 0.04 * way, y + 0.03)), 0.55, face.skin)


def _mouth(cel: Cel, face: Face, mood: Mood) -> None:
    x, y, wide = 0.27 * mood.turn, 0.76 * face.chin, 0.17 + 0.04 * abs(mood.joy)
    smile = 0.05 * mood.joy
    if mood.mouth == 0:
        cel.line(points((x - wide, y - smile), (x, y + smile * 0.8), (x + wide * 0.9, y - smile)), 0.9, _MOUTH)
        return
    deep = (0.0, 0.08, 0.17)[mood.mouth]
    wide *= (1, 0.75, 0.95)[mood.mouth]
    top = y - 0.03
    inside = points(
        (x - wide, top - smile), (x - wide, top - smile), (x, top + smile * 0.4), (x + wide, top - smile),
        (x + wide, top - smile), (x + wide * 0.65, y + deep * 0.7), (x, y + deep), (x - wide * 0.65, y + deep * 0.7),
    )  # fmt: skip
    cel.fill(inside, _MOUTH)
    with cel.clipped(inside):
        cel.dot(x, y + deep * 1.05, wide * 0.7, deep * 0.7, (0.88, 0.42, 0.42))
        if mood.mouth == 2:
            cel.fill(ellipse(x, top - 0.01, wide * 0.85, 0.055), (1, 1, 1))
    cel.contour(inside, 0.8, _MOUTH)


def _lids(size: float, tall: float, eyes: float) -> tuple[Points, Points]:
    """Upper and lower edge of the eye's opening; the outer corner is at positive x."""
    high = size * tall * eyes
    upper = points(
        (-size * 0.95, 0.04), (-size * 0.62, -high * 0.72), (0.0, -high), (size * 0.65, -high * 0.8), (size, 0.02)
    )
    lower = points((size * 0.72, size * tall * 0.72), (0, size * tall * 0.88), (-size * 0.62, size * tall * 0.70))
    return upper, lower


def _eye(cel: Cel, face: Face, mood: Mood, which: int) -> None:
    size, tall = face.eye_size, face.eye_tall
    dark = times(face.eye, (0.32, 0.26, 0.36))
    if mood.eyes < 0.25:
        bend = 0.16 if mood.joy > 0.5 else -0.13
        down = 0.12 + (0.05 if bend > 0 else -0.02)
        _band(cel, bent((-size, down), (size * 1.05, down), bend, 7), face.lashes * 0.85, _LASH)
        return
    upper, lower = _lids(size, tall, mood.eyes)
    opening = np.concatenate([upper[:1], upper, upper[-1:], lower])
    white: Colour = (0.99, 0.985, 0.98)
    cel.fill(opening, white)
    x = (mood.gaze * 0.3 * size + 0.02 * mood.turn) * which
    ry = size * tall * 0.92
    with cel.clipped(opening):
        cel.dot(x, -0.01, size * 0.64, ry, dark)
        stops = [times(face.eye, (0.4, 0.36, 0.45)), face.eye, tint(face.eye, 1.2)]
        cel.dot(x, 0.0, size * 0.56, ry * 0.92, cel.gradient((0, -ry), (0, ry), stops))
        cel.dot(x, -0.01, size * 0.24, ry * 0.42, dark)
        cel.fill(ellipse(x, ry * 0.62, size * 0.36, ry * 0.22), tint(face.eye, 1.6), 0.7)
        cel.fill(upper + (0, 0.02), shade(face.eye), 0.25)
        cel.fill(np.concatenate([upper, (upper * (1, 0.7) + (0, 0.035))[::-1]]), (0.35, 0.32, 0.48), 0.45)
    cel.dot(x - 0.22 * size * which, -ry * 0.42, size * 0.22, ry * 0.24, (1, 1, 1))
    cel.dot(x + 0.24 * size * which, ry * 0.38, size * 0.11, ry * 0.11, (1, 1, 1), 0.9)
    _band(cel, upper, face.lashes, _LASH)
    tip = upper[-1]
    cel.line(
        points(tip - (0.07, 0.10), tip - (0.01, 0.05), tip + (0.06, -0.05)),
        face.lashes * 0.8,
        colour=_LASH,
        head=0.05,
        tail=0.9,
    )
    cel.line(points(lower[0] + (0.02, -0.03), lower[1], lower[2]), face.lashes * 0.32, colour=_LASH)
    crease = upper[1:] * (1, 1.0) + (0.01, -0.075)
    cel.line(crease, face.lashes * 0.25, colour=mix(_LASH, face.skin, 0.25))


_LASH: Colour = (0.16, 0.11, 0.14)


def _band(cel: Cel, line: Points, thick: float, colour: Colour) -> None:
    """Draw an upper lash line, thin at the inner corner and thick at the outer one."""
    curve = sampled(line, False, 4)
    swell = np.interp(np.linspace(0, 1, len(curve)), [0, 0.25, 0.75, 1], [0.15, 0.75, 1.0, 0.5])[:, None]
    cel.fill(np.concatenate([curve + (0, 0.012), (curve - swell * (0, thick))[::-1]]), colour, sharp=True)


def _disc_eye(cel: Cel, face: Face, mood: Mood, which: int) -> None:
    size = face.eye_size * 1.15
    ball = ellipse(0, -0.02, size, size * face.eye_tall)
    lid = mix(face.skin, shade(face.skin), 0.2)
    if mood.eyes < 0.25:
        happy = mood.joy > 0.5
        if not happy:
            cel.fill(ball, lid)  # the ball bulges under it
        edge = bent((-size * 0.98, 0.06), (size * 0.98, 0.06), 0.30 if happy else -0.30, 7)
        cel.line(edge, 0.06, colour=_LASH, head=0.15, tail=0.15)
        return
    cel.shape(ball, (1, 1, 1), [ball + (0, -size * 1.7)])
    x = mood.gaze * 0.45 * size * which
    cel.dot(x, 0, size * 0.42, size * 0.5, face.eye)
    cel.dot(x, 0, size * 0.26, size * 0.32, _LASH)
    cel.dot(x - size * 0.12 * which, -size * 0.16, size * 0.12, size * 0.12, (1, 1, 1))
    if mood.eyes < 0.9:
        with cel.clipped(ball):
            cel.fill(points((-1, -1), (1, -1), (1, -size * 0.4), (-1, -size * 0.4)), lid, sharp=True)
        cel.line(points((-size * 0.95, -size * 0.4), (size * 0.95, -size * 0.4)), 0.04, colour=_LASH, head=0, tail=0)
        cel.contour(ball, base=(1, 1, 1))


def _brow(cel: Cel, face: Face, mood: Mood) -> None:
    lift = -0.10 - 0.06 * face.eye_tall + 0.03 * mood.joy * -1
    inner = 0.06 * min(mood.joy, 0.0)
    y = lift - face.eye_size * face.eye_tall
    brow = points((-0.20, y + 0.04 - inner), (0.0, y - 0.035), (0.22, y + 0.03))
    cel.line(brow, face.brow_thick, colour=face.brow, head=0.25, tail=0.75)


def _glasses(cel: Cel, turn: float) -> None:
    frame: Colour = (0.15, 0.14, 0.2)
    for which in (-1, 1):
        wide = 0.31 * (1 - 0.2 * max(0.0, turn * which))
        rim = ellipse(which * 0.37 + 0.29 * turn, 0.24, wide, 0.29)
        cel.fill(rim, (0.85, 0.95, 1.0), 0.18)
        cel.line(np.concatenate([rim, rim[:1]]), 0.035, colour=frame, head=0, tail=0)
    cel.line(points((-0.06 + 0.29 * turn, 0.2), (0.06 + 0.29 * turn, 0.2)), 0.035, colour=frame, head=0, tail=0)
