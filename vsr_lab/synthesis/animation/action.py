"""Shots with strong action: close-ups with speed lines, jumping creatures, magic."""

from collections.abc import Callable
from math import pi, sin

import numpy as np

from vsr_lab.synthesis.animation import effects
from vsr_lab.synthesis.animation.acting import Blinks, Flaps, draw_camera
from vsr_lab.synthesis.animation.mood import Weather
from vsr_lab.synthesis.animation.places import Painter, backdrop, draw_place
from vsr_lab.synthesis.animation.shots import Cast, Layers, Shot, air, finish, inked, some_place
from vsr_lab.synthesis.animation.stage import Drawing, Scene, View
from vsr_lab.synthesis.figures.creatures import ball, draw_creature_at
from vsr_lab.synthesis.figures.face import Mood
from vsr_lab.synthesis.figures.figure import draw_bust, draw_figure, walk
from vsr_lab.synthesis.shapes.cel import Cel, Ink
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix, tint
from vsr_lab.synthesis.shapes.curves import ellipse, placed

Rng = np.random.Generator


def outburst(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """A close-up or a running person over speed lines, with a shaking camera and flashes."""
    painter = Painter(rng, cast.manner, weather, wide, (-20, 20))
    person, ink = cast.people[int(rng.integers(len(cast.people)))], cast.manner.ink
    seed, close = int(rng.integers(1 << 31)), rng.random() < 0.6
    x, turn, size = wide * float(rng.uniform(0.4, 0.6)), float(rng.uniform(-0.6, 0.6)), float(rng.uniform(80, 125))
    light: Colour = (1, 1, 1) if rng.random() < 0.6 else hsv(float(rng.random()), 0.25, 1.0)
    flaps, blinks = Flaps(rng, frames, 0.9), Blinks(rng, 0)
    impacts = tuple(int(t) for t in rng.uniform(4, frames, 2)) if rng.random() < 0.6 else ()
    force = float(rng.uniform(1.5, 6))

    def lines(t: int) -> Cel:
        cel = Cel(Ink(0, None, (0, 0), 0))
        effects.speed_lines(cel, seed, t, wide, light, (x, 165) if close else None)
        return cel

    def draw(t: int) -> Cel:
        cel = Cel(ink)
        if close:
            with cel.at(placed(x, 185 - 0.1 * t, size)):
                draw_bust(
                    cel, person, Mood(turn, blinks.at(t), max(1, flaps.at(t)), -0.9, turn), 1, 0.14 * sin(0.9 * t), 0
                )
            return cel
        with cel.at(placed(x + 1.2 * t, 320, 250 / person.heads, turn=0.05)):
            draw_figure(cel, person, walk(2 * pi * t / 14, 0.95), Mood(0.8, 1, 2, -0.8, 0.5), 1, -0.5 + 0.1 * sin(t))
        return cel

    def camera(t: int) -> View:
        near = min((t - at for at in impacts if t >= at), default=99)
        strength = force * (0.15 + 2.2 * np.exp(-near / 5))
        jolt = np.random.default_rng([seed, t // 2]).uniform(-1, 1, 2) * strength
        return View(float(jolt[0]), float(jolt[1]), 1.03)

    layers: Layers = [backdrop(painter, 1.5), Drawing(lines, 0.6, 2), Drawing(draw, 1.0, cast.manner.hold)]
    return Shot(Scene(layers, camera, [*finish(rng, weather), effects.flash(impacts, light)]), 1.03)


def romp(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """Cartoon creatures that jump, with squash and stretch, and balls that bounce."""
    camera, reach, closest = draw_camera(rng, frames, 60, 0, 0.1)
    painter = Painter(rng, cast.manner, weather, wide, reach)
    place = draw_place(painter, some_place(rng, cast))
    ink, count = inked(cast, weather), int(rng.integers(1, 4))
    acts = [
        _hopper(rng, cast, ink, frames, wide * (i + 0.5) / count, place.ground + 16, toy=i == 2 or rng.random() < 0.2)
        for i in range(count)
    ]
    layers: Layers = [*place.behind, *(Drawing(act, 1.0, cast.manner.hold) for act in acts), *place.before]
    return Shot(Scene([*layers, *air(rng, weather, wide, cast.manner.hold)], camera, finish(rng, weather)), closest)


def _hopper(
    rng: Rng, cast: Cast, ink: Ink, frames: int, start: float, ground: float, toy: bool
) -> Callable[[int], Cel]:
    """A creature, or a ball, that jumps along the ground from x = start."""
    who = cast.creatures[int(rng.integers(len(cast.creatures)))]
    size = float(rng.uniform(18, 28)) if toy else float(rng.uniform(36, 70))
    pace, period, jump = float(rng.uniform(-1.6, 1.6)), float(rng.uniform(16, 26)), float(rng.uniform(0.3, 2.2)) * size
    blinks, flaps = Blinks(rng, frames), Flaps(rng, frames, 0.6)
    phase, seed = float(rng.random()), int(rng.integers(1 << 31))

    def draw(t: int) -> Cel:
        cel = Cel(ink)
        u = (t / period + phase) % 1
        rise = 4 * u * (1 - u)
        squash = 1 - 0.30 * max(0.0, 1 - rise * 5) + 0.16 * min(1.0, rise * 2) * abs(1 - 2 * u)
        x = start + pace * t
        cel.fill(ellipse(x, ground + 1, size * (1 - 0.35 * rise), size * 0.13), (0.05, 0.05, 0.12), 0.32)
        with cel.at(placed(x, ground - jump * rise, size, stretch=squash, flip=pace < 0)):
            if toy:
                ball(cel, who.colour, tint(who.accent), 0.12 * t)
            else:
                draw_creature_at(cel, who, 2 * pi * t / period, blinks.at(t), flaps.at(t), 0.4)
        if jump > size:
            effects.puffs(
                cel, seed, t, x - pace * u * period, ground, size * 0.5, (0.95, 0.92, 0.86), int(t - u * period)
            )
        return cel

    return draw


def spell(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """A person lit by a ball of energy, with sparkles."""
    camera, reach, closest = draw_camera(rng, frames, 30, 0, 0.18)
    painter = Painter(rng, cast.manner, weather, wide, reach)
    hue, seed = float(rng.random()), int(rng.integers(1 << 31))
    person, size = cast.people[int(rng.integers(len(cast.people)))], float(rng.uniform(62, 88))
    dim = mix((0.42, 0.44, 0.62), hsv(hue, 0.5, 1), 0.45)
    ink = cast.manner.ink
    ink = Ink(ink.width, ink.colour, ink.weight, max(1, ink.tones), dim)
    x, orb_x, orb_y = wide * 0.38, wide * float(rng.uniform(0.62, 0.8)), float(rng.uniform(130, 220))
    power = float(rng.uniform(16, 34))
    blinks = Blinks(rng, frames)
    behind = draw_place(painter, some_place(rng, cast)).behind if rng.random() < 0.5 else [backdrop(painter, 2.0)]

    def draw(t: int) -> Cel:
        cel = Cel(ink)
        with cel.at(placed(x, 170, size)):
            draw_bust(cel, person, Mood(0.6, blinks.at(t), 1, -0.3, 0.8), -1, 0.2 * sin(0.35 * t), 0)
        return cel

    def light(t: int) -> Cel:
        cel = Cel(Ink(0, None, (0, 0), 0))
        effects.orb(cel, seed, t, orb_x, orb_y + 5 * sin(0.15 * t), power * (0.4 + 0.6 * min(1, t / 30)), hue)
        effects.sparkles(cel, seed, t, wide, tint(hsv(hue, 0.6, 1)))
        return cel

    layers: Layers = [*behind, Drawing(draw, 1.0, cast.manner.hold), Drawing(light, 1.0, 2, adds=True)]
    dusk = effects.vignette(0.7)
    return Shot(Scene(layers, camera, [effects.bloom(0.9, 12), dusk]), closest)
