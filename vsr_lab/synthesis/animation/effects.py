"""Effects: weather, speed lines, sparkles, smoke, and light added to the finished frame."""

from math import cos, exp, pi, sin

import cv2
import numpy as np

from vsr_lab.synthesis.animation.stage import HIGH, Effect, Light
from vsr_lab.synthesis.shapes.cel import Cel
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix, shade, tint
from vsr_lab.synthesis.shapes.curves import ellipse, placed, points

Rng = np.random.Generator


def rain(cel: Cel, seed: int, t: int, wide: float, strength: float) -> None:
    """Draw streaks of rain, different in every drawing."""
    rng = np.random.default_rng([seed, t])
    for _ in range(int(140 * strength)):
        x, y, near = float(rng.uniform(-60, wide + 60)), float(rng.uniform(-40, HIGH)), float(rng.uniform(0.3, 1))
        cel.line(
            points((x, y), (x - 9 * near, y + 52 * near)),
            0.45 + 0.8 * near,
            colour=(0.85, 0.9, 1),
            opacity=0.25 + 0.35 * near,
        )
    for _ in range(int(26 * strength)):
        x, y = float(rng.uniform(0, wide)), float(rng.uniform(HIGH * 0.8, HIGH))
        cel.fill(ellipse(x, y, float(rng.uniform(2, 6)), 1), (0.9, 0.95, 1), 0.35)


def flakes(cel: Cel, seed: int, t: int, wide: float, petals: Colour | None) -> None:
    """Draw falling snow, or petals of a colour, with continuous paths over frames."""
    rng = np.random.default_rng(seed)
    for _ in range(80):
        x, y, near, phase, fall = rng.uniform([0, 0, 0.35, 0, 0.7], [wide + 80, HIGH + 40, 1.2, 2 * pi, 1.3])
        px = (x - 40 + (18 * sin(t * 0.05 + phase) - (1.1 if petals else 0.3) * t) * near) % (wide + 80) - 40
        py = (y + t * fall * near * 1.6) % (HIGH + 40) - 20
        if petals is None:
            cel.dot(px, py, 2.2 * near, 2.2 * near, (1, 1, 1), 0.85)
            continue
        with cel.at(placed(px, py, 4.6 * near, turn=phase + t * 0.09 * fall)):
            squeeze = 0.35 + 0.55 * abs(sin(t * 0.11 + phase))
            petal = points(
                (-1, 0),
                (-1, 0),
                (-0.2, -0.6 * squeeze),
                (0.8, -0.4 * squeeze),
                (0.6, 0),
                (0.8, 0.4 * squeeze),
                (-0.2, 0.6 * squeeze),
            )
            cel.fill(petal, mix(petals, shade(petals), 0.5 if squeeze < 0.6 else 0.0))


def speed_lines(cel: Cel, seed: int, t: int, wide: float, colour: Colour, focus: tuple[float, float] | None) -> None:
    """Draw speed lines, different in every drawing: towards a focus, or across the picture if it is None."""
    rng = np.random.default_rng([seed, t])
    for _ in range(90):
        if focus is None:
            x, y, long = float(rng.uniform(-200, wide)), float(rng.uniform(0, HIGH)), float(rng.uniform(90, 420))
            cel.line(
                points((x, y), (x + long, y)),
                float(rng.uniform(0.8, 5)),
                colour=colour,
                opacity=float(rng.uniform(0.35, 1)),
            )
            continue
        angle, inner = float(rng.uniform(0, 2 * pi)), float(rng.uniform(0.55, 0.95)) * wide * 0.36
        width = float(rng.uniform(0.006, 0.03))
        outer = wide
        a, b, tip = (
            (focus[0] + r * cos(p) * 1.15, focus[1] + r * sin(p))
            for r, p in ((outer, angle - width), (outer, angle + width), (inner, angle))
        )
        cel.fill(points(a, b, tip), colour, sharp=True)


def sparkles(cel: Cel, seed: int, t: int, wide: float, colour: Colour) -> None:
    """Draw four-pointed stars that appear and disappear."""
    rng = np.random.default_rng(seed)
    for _ in range(26):
        x, y, size, phase, rise = rng.uniform([0, 0, 3, 0, 0.1], [wide, HIGH, 13, 1, 0.7])
        life = (t / 30 + phase) % 1
        size *= sin(pi * life) ** 2
        py = y - rise * 40 * life
        if size < 0.6:
            continue
        cel.glow(x, py, size * 1.5, colour, 0.6)
        star = points(
            *(
                (
                    (size if i % 2 == 0 else size * 0.13) * cos(i * pi / 4) + x,
                    (size if i % 2 == 0 else size * 0.13) * sin(i * pi / 4) + py,
                )
                for i in range(8)
            )
        )
        cel.fill(star, (1, 1, 1), sharp=True)


def puffs(cel: Cel, seed: int, t: int, x: float, y: float, size: float, colour: Colour, born: int) -> None:
    """Draw clouds of dust or smoke that start at frame `born`, grow, drift and shrink."""
    age = (t - born) / 20
    if not 0 <= age < 1:
        return
    rng = np.random.default_rng([seed, born + 1000])  # born may lie before the shot
    for _ in range(9):
        way, far, r, rise = rng.uniform([-1, 0.4, 0.25, 0.1], [1, 1.4, 0.55, 0.7])
        out = 1 - exp(-3 * age)
        px, py = x + size * way * far * out * 1.6, y - size * rise * out
        radius = size * r * (0.5 + out) * (1 - age**2)
        if radius > 0.5:
            ball = ellipse(px, py, radius, radius * 0.9)
            cel.shape(ball, colour, [ball + (radius * 0.4, radius * 0.5)])


def orb(cel: Cel, seed: int, t: int, x: float, y: float, size: float, hue: float) -> None:
    """Draw a ball of energy with arcs; to be added as light."""
    rng = np.random.default_rng([seed, t])
    pulse = 1 + 0.12 * sin(t * 0.7)
    cel.glow(x, y, size * 3.4 * pulse, hsv(hue, 0.8, 1), 0.7)
    cel.glow(x, y, size * 1.6 * pulse, hsv(hue, 0.4, 1), 0.9)
    cel.dot(x, y, size * 0.62 * pulse, size * 0.62 * pulse, hsv(hue, 0.12, 1))
    for _ in range(7):
        angle = float(rng.uniform(0, 2 * pi))
        radius = np.linspace(0.7, float(rng.uniform(1.3, 2.6)), 7) * size
        angles = angle + np.cumsum(rng.normal(0, 0.22, 7))
        cel.line(
            np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1),
            size * 0.09,
            colour=hsv(hue, 0.2, 1),
            head=0.05,
        )


def vignette(strength: float) -> Effect:
    """Darken the corners by up to `strength`."""

    def apply(picture: Light, t: int, unit: float) -> Light:
        high, wide = picture.shape[:2]
        y = ((np.arange(high, dtype=np.float32) + 0.5) / high * 2 - 1)[:, None]
        x = ((np.arange(wide, dtype=np.float32) + 0.5) / wide * 2 - 1)[None, :]
        picture *= (1 - np.float32(strength / 2) * (x * x + y * y) ** 1.5 / 1.4)[..., None]
        return picture

    return apply


def bloom(strength: float, radius: float = 9.0) -> Effect:
    """Let bright areas glow over their edges."""

    def apply(picture: Light, t: int, unit: float) -> Light:
        few = max(1, round(2 * unit))
        small = cv2.resize(np.clip(picture - 165, 0, 90), None, fx=1 / few, fy=1 / few, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), radius * unit / few)
        picture += strength * cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return picture

    return apply


def fade(start: int, length: int, colour: Colour, out: bool) -> Effect:
    """Fade from a colour that begins at frame `start`, or to it."""

    def apply(picture: Light, t: int, unit: float) -> Light:
        share = min(max((t - start) / length, 0), 1)
        share = share if out else 1 - share
        return (
            picture
            if share == 0
            else picture + (np.float32(255) * np.asarray(colour, np.float32) - picture) * np.float32(share)
        )

    return apply


def flash(times: tuple[int, ...], colour: Colour) -> Effect:
    """Add flashes of light: two frames at full strength, then two that fade."""

    def apply(picture: Light, t: int, unit: float) -> Light:
        strength = max((max(0.0, 0.8 - 0.22 * (t - at)) for at in times if t >= at), default=0.0)
        return (
            picture + (np.float32(255) * np.asarray(colour, np.float32) - picture) * np.float32(strength)
            if strength
            else picture
        )

    return apply


def flare(cel: Cel, x: float, y: float, wide: float, colour: Colour, strength: float) -> None:
    """Draw a lens flare of a source at (x, y): a glow, a streak and ghosts; to be added as light."""
    cel.glow(x, y, 190, colour, 0.55 * strength)
    with cel.at(np.array([[1, 0, x], [0, 0.02, y]])):
        cel.dot(0, 0, wide * 0.5, wide * 0.5, tint(colour), 0.35 * strength)
    for place, size, hue in ((0.45, 16, 0.6), (0.8, 30, 0.3), (1.35, 9, 0.08), (1.6, 46, 0.55)):
        px, py = x + (wide / 2 - x) * place, y + (HIGH / 2 - y) * place
        cel.dot(px, py, size, size, hsv(hue, 0.5, 1), 0.10 * strength)
