"""Timing of motion: easing functions, and tables that are drawn at random once."""

from collections.abc import Callable
from math import pi, sin

import numpy as np

from vsr_lab.synthesis.animation.stage import View

Rng = np.random.Generator


def ease(t: float, start: float, stop: float) -> float:
    """Smooth step: 0 before start, 1 after stop, slow at both ends."""
    share = min(max((t - start) / max(stop - start, 1e-9), 0), 1)
    return share * share * (3 - 2 * share)


def spring(t: float, start: float, length: float) -> float:
    """0 before start, then 1 with an overshoot, as in motion graphics."""
    share = min(max((t - start) / length, 0), 1)
    return 1 - (1 - share) ** 3 * float(np.cos(share * 2.2 * pi)) if share > 0 else 0.0


class Blinks:
    """Opening of the eyes over time; they blink every two or three seconds for six frames."""

    def __init__(self, rng: Rng, frames: int) -> None:
        at, self._shut = float(rng.uniform(4, 50)), list[float]()
        while at < frames:
            self._shut.append(at)
            at += float(rng.uniform(26, 90)) if rng.random() < 0.8 else 10.0

    def at(self, t: int) -> float:
        """Opening at frame t: 1 open to 0 shut."""
        near = min((abs(t - shut) for shut in self._shut), default=99.0)
        return 0.0 if near < 2 else 0.5 if near < 4 else 1.0


class Flaps:
    """Shape of a talking mouth over time, held for three frames, with pauses."""

    def __init__(self, rng: Rng, frames: int, talks: float) -> None:
        self._shapes: list[int] = []
        while len(self._shapes) * 3 < frames + 3:
            long = int(rng.integers(4, 14))
            speaks = rng.random() < talks
            self._shapes += [int(rng.choice(3, p=[0.25, 0.35, 0.4])) if speaks else 0 for _ in range(long)]

    def at(self, t: int) -> int:
        """Shape at frame t: 0 closed, 1 half open, 2 open."""
        return self._shapes[t // 3]


def draw_camera(
    rng: Rng, frames: int, pan: float, tilt: float, zoom: float, still: float = 0.4
) -> tuple[Callable[[int], View], tuple[float, float], float]:
    """Choose a camera motion at random: still, pan, tilt or zoom, sometimes with shake. Unit: 1/360 of the height.

    Args:
        rng: random generator.
        frames: number of frames.
        pan: maximum horizontal motion in units.
        tilt: maximum vertical motion in units.
        zoom: maximum of the zoom factor minus 1.
        still: probability of a camera that does not move, in [0, 1].

    Returns:
        Function from a frame number to the view; (largest motion to the left, to the right) in units; largest zoom
        factor.
    """
    move = int(rng.choice(4, p=[still, *((1 - still) * np.array([0.5, 0.33, 0.17]))]))
    x1 = pan * float(rng.choice([-1, 1]) * rng.uniform(0.25, 1)) if move in (1, 3) else 0.0
    y1 = float(rng.uniform(-tilt, tilt)) if move == 1 and rng.random() < 0.4 else 0.0
    z0, z1 = (1.0 + zoom, 1.0) if rng.random() < 0.3 else (1.0, 1.0 + zoom)
    if move not in (2, 3):
        z0 = z1 = 1.0
    linear = rng.random() < 0.5
    shake = float(rng.uniform(0.6, 2.0)) * float(rng.random() < 0.08)
    phases = rng.uniform(0, 2 * pi, 4)

    def camera(t: int) -> View:
        share = t / max(frames - 1, 1) if linear else ease(t, 0, frames - 1)
        dx = shake * (sin(0.21 * t + phases[0]) + 0.6 * sin(0.53 * t + phases[1]))
        dy = shake * (sin(0.19 * t + phases[2]) + 0.6 * sin(0.61 * t + phases[3]))
        return View(x1 * share + dx, y1 * share + dy, z0 + (z1 - z0) * share)

    return camera, (min(0.0, x1), max(0.0, x1)), max(z0, z1)
