"""Curves as drawn by a pen: smooth, and of varying width."""

from collections.abc import Sequence
from math import cos, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]  # (N, 2): x to the right, y down
Matrix = NDArray[np.float64]  # (2, 3)
STILL: Matrix = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def points(*pairs: ArrayLike) -> Points:
    """Concatenate (x, y) pairs, or arrays of them."""
    return np.concatenate([np.asarray(pair, np.float64).reshape(-1, 2) for pair in pairs])


def placed(x: float, y: float, scale: float = 1, turn: float = 0, stretch: float = 1, flip: bool = False) -> Matrix:
    """Matrix that scales, stretches upwards at constant area, rotates by `turn` radians and translates to (x, y)."""
    across, up = scale / stretch**0.5 * (-1 if flip else 1), scale * stretch**0.5
    c, s = cos(turn), sin(turn)
    return np.array([[c * across, -s * up, x], [s * across, c * up, y]])


def within(outer: Matrix, inner: Matrix) -> Matrix:
    """Matrix that applies `inner`, then `outer`."""
    return np.hstack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]])


def moved(shape: Points, matrix: Matrix) -> Points:
    """Apply a matrix to points."""
    return shape @ matrix[:, :2].T + matrix[:, 2]


def ellipse(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0, count: int = 12) -> Points:
    """Points on an ellipse, from the right, clockwise on the screen."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    circle = np.stack([rx * np.cos(angle), (rx if ry is None else ry) * np.sin(angle)], 1)
    return moved(circle, placed(x, y, turn=turn))


def bent(start: ArrayLike, end: ArrayLike, bend: float, count: int = 5) -> Points:
    """An arc from start to end, whose middle is to the left of the straight line by `bend` times its length."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    share = np.linspace(0, 1, count)[:, None]
    way = b - a
    side = np.array([way[1], -way[0]])
    return a + way * share + side * (4 * bend * share * (1 - share))


def sampled(shape: Points, closed: bool, each: int = 6) -> Points:
    """Points on a Catmull-Rom curve through the given points. Two equal consecutive points make a corner."""
    last = shape if closed else np.concatenate([shape[:1], shape, shape[-1:]])
    if closed:
        last = np.concatenate([shape[-1:], shape, shape[:2]])
    p0, p1, p2, p3 = last[:-3], last[1:-2], last[2:-1], last[3:]
    t = np.linspace(0, 1, each, endpoint=False)[None, :, None]
    a, b, c, d = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, shape[-1:]])


def smooth_path(shape: Points, closed: bool = True) -> str:
    """The Catmull-Rom curve as Bezier curves of an SVG path."""
    last = np.concatenate([shape[-1:], shape, shape[:2]] if closed else [shape[:1], shape, shape[-1:]])
    first = last[1:-2] + (last[2:-1] - last[:-3]) / 6
    second = last[2:-1] - (last[3:] - last[1:-2]) / 6
    rows = np.hstack([first, second, last[2:-1]])
    body = "".join(f"C{a:.2f} {b:.2f} {c:.2f} {d:.2f} {e:.2f} {f:.2f}" for a, b, c, d, e, f in rows.tolist())
    return f"M{shape[0, 0]:.2f} {shape[0, 1]:.2f}{body}" + ("Z" if closed else "")


def straight_path(shape: Points) -> str:
    """A closed polygon as an SVG path."""
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in shape.tolist()) + "Z"


def _normals(curve: Points, closed: bool) -> Points:
    way = np.roll(curve, -1, 0) - np.roll(curve, 1, 0) if closed else np.gradient(curve, axis=0)
    length = np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)
    return np.stack([way[:, 1], -way[:, 0]], 1) / length[:, None]


def outline(shape: Points, width: float, weight: tuple[float, float]) -> str:
    """The contour of a closed shape as a filled path, thicker on the side in direction `weight`."""
    curve = sampled(shape, True)
    normal = _normals(curve, True)
    area = np.sum(curve[:, 0] * np.roll(curve[:, 1], -1) - curve[:, 1] * np.roll(curve[:, 0], -1))
    outward = normal if area > 0 else -normal
    half = width / 2 * (1 + np.clip(outward @ np.asarray(weight), -0.6, 1.2)) * _tips(normal)
    return straight_path(curve + normal * half[:, None]) + straight_path((curve - normal * half[:, None])[::-1])


def _tips(normal: Points) -> NDArray[np.float64]:
    """Line width at each point of a closed curve; thinner towards sharp corners."""
    keeps = np.clip(0.25 + (np.roll(normal, 1, 0) * np.roll(normal, -1, 0)).sum(1), 0.12, 1)
    for reach in (1, 2):
        beside = np.minimum(np.roll(keeps, reach), np.roll(keeps, -reach))
        keeps = np.minimum(keeps, beside + 0.25 * reach)
    return keeps


def stroke(shape: Points, width: float, head: float = 0.35, tail: float = 0.35) -> str:
    """An open line as a filled path, which widens over the fraction `head` of its length and narrows over `tail`."""
    curve = sampled(shape, False)
    along = np.linspace(0, 1, len(curve))
    up = np.clip(along / max(head, 1e-6), 0, 1)
    down = np.clip((1 - along) / max(tail, 1e-6), 0, 1)
    half = width / 2 * np.sqrt(np.minimum(up, down) * (2 - np.minimum(up, down)))
    offset = _normals(curve, False) * half[:, None]
    return straight_path(np.concatenate([curve + offset, (curve - offset)[::-1]]))


def tube(joints: Points, radii: Sequence[float]) -> Points:
    """The contour of a bent limb with `radii` at its joints and a round end."""
    along = sampled(joints, False, 3)
    thick = np.interp(np.linspace(0, 1, len(along)), np.linspace(0, 1, len(radii)), radii)
    offset = _normals(along, False) * thick[:, None]
    tip = along[-1] - along[-2]
    tip = along[-1] + tip / max(float(np.hypot(*tip)), 1e-9) * radii[-1] * 0.7
    return np.concatenate([along + offset, tip[None], (along - offset)[::-1]])
