"""Shots: characters, their actions, the place and the camera."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import pi, sin

import numpy as np

from vsr_lab.synthesis.animation import effects
from vsr_lab.synthesis.animation.acting import Blinks, Flaps, draw_camera
from vsr_lab.synthesis.animation.mood import Manner, Weather
from vsr_lab.synthesis.animation.places import Painter, draw_place
from vsr_lab.synthesis.animation.stage import Drawing, Effect, Plate, Scene, View
from vsr_lab.synthesis.figures.creatures import Creature, bird, car
from vsr_lab.synthesis.figures.face import Mood
from vsr_lab.synthesis.figures.figure import Person, draw_bust, draw_figure, walk
from vsr_lab.synthesis.shapes.cel import Cel, Ink
from vsr_lab.synthesis.shapes.colour import Colour, hsv, mix, tint
from vsr_lab.synthesis.shapes.curves import Matrix, ellipse, placed

Rng = np.random.Generator
PLACES = ("hills", "mountains", "forest", "city", "seaside", "room")
Layers = list[Plate | Drawing]


@dataclass(frozen=True)
class Cast:
    """Characters and style of a film."""

    manner: Manner
    people: tuple[Person, ...]
    creatures: tuple[Creature, ...]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Shot:
    """A scene, and the largest zoom of the camera, for which it is painted."""

    scene: Scene
    closest: float = 1.0


def some_place(rng: Rng, cast: Cast, outdoors: bool = False) -> str:
    kinds = [kind for kind in cast.places if not outdoors or kind != "room"] or ["hills"]
    return kinds[int(rng.integers(len(kinds)))]


def inked(cast: Cast, weather: Weather) -> Ink:
    ink = cast.manner.ink
    return Ink(ink.width, ink.colour, ink.weight, ink.tones, weather.light)


def air(rng: Rng, weather: Weather, wide: float, hold: int) -> Layers:
    """Layers of rain, snow or petals, or none."""
    seed, chance = int(rng.integers(1 << 31)), float(rng.random())
    white = Ink(0, None, (0, 0), 0, mix((1, 1, 1), weather.light, 0.5))

    def drawn_by(draw: Callable[[Cel, int], None], hold: int) -> Layers:
        def make(t: int) -> Cel:
            cel = Cel(white)
            draw(cel, t)
            return cel

        return [Drawing(make, 0.0, hold)]

    if weather.name == "overcast" and chance < 0.6:
        return drawn_by(lambda cel, t: effects.rain(cel, seed, t, wide, 0.4 + chance), hold)
    if chance < 0.10:
        return drawn_by(lambda cel, t: effects.flakes(cel, seed, t, wide, None), 1)
    if chance < 0.26:
        petal = hsv(float(rng.choice([0.95, 0.08, 0.12])), float(rng.uniform(0.2, 0.7)), 1.0)
        return drawn_by(lambda cel, t: effects.flakes(cel, seed, t, wide, petal), 1)
    return []


def finish(rng: Rng, weather: Weather) -> list[Effect]:
    done: list[Effect] = []
    if rng.random() < 0.55:
        done.append(effects.bloom(float(rng.uniform(0.2, 0.7)) * (1.5 if weather.dark else 1)))
    if rng.random() < 0.4:
        done.append(effects.vignette(float(rng.uniform(0.2, 0.5))))
    return done


def talk(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """One or two people from the chest up, speaking."""
    camera, reach, closest = draw_camera(rng, frames, 40, 0, 0.12)
    painter = Painter(rng, cast.manner, weather, wide, reach)
    place = draw_place(painter, some_place(rng, cast))
    soft = float(rng.choice([0.0, 1.2, 2.4]))
    layers: Layers = [replace(plate, soft=plate.soft + soft) for plate in place.behind]
    size = float(rng.uniform(58, 96))
    two = rng.random() < 0.35
    spots = [(wide * 0.30, 0.55), (wide * 0.70, -0.55)]
    if not two:
        spots = [(wide * float(rng.uniform(0.36, 0.64)), float(rng.uniform(-0.7, 0.7)))]
    who = rng.permutation(len(cast.people))
    wind = float(rng.uniform(0.04, 0.16)) if place.outdoors and rng.random() < 0.6 else 0.0
    for i, (x, turn) in enumerate(spots):
        y, high = (175.0, size * 0.92) if two else (float(rng.uniform(150, 178)), size)
        speaks = _speaker(rng, cast.people[who[i]], inked(cast, weather), frames, turn, wind, 0.3 if i else 0.75)
        layers.append(Drawing(_within(placed(x, y, high), speaks), 1.0, cast.manner.hold))
    return Shot(Scene([*layers, *air(rng, weather, wide, cast.manner.hold)], camera, finish(rng, weather)), closest)


Act = Callable[[int, Matrix], Cel]


def _within(at: Matrix, act: Act) -> Callable[[int], Cel]:
    return lambda t: act(t, at)


def _speaker(rng: Rng, person: Person, ink: Ink, frames: int, turn: float, wind: float, talks: float) -> Act:
    """Head and shoulders of a person who blinks, and speaks for the fraction `talks` of the time.

    Wind: motion of the hair.
    """
    blinks, flaps = Blinks(rng, frames), Flaps(rng, frames, talks)
    joy, gaze = float(rng.uniform(-0.8, 0.9)), float(rng.uniform(-0.6, 0.6)) * 0.5 + turn * 0.5

    def act(t: int, at: Matrix) -> Cel:
        cel = Cel(ink)
        with cel.at(at):
            mood = Mood(turn, blinks.at(t), flaps.at(t), joy, gaze)
            breath = 0.012 * round(sin(0.1 * t)) if wind else 0.0
            draw_bust(cel, person, mood, 1 if turn > 0 else -1, wind * sin(0.13 * t), breath)
        return cel

    return act


def stroll(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """A person who walks, runs or drives, followed by the camera."""
    runs, drives = rng.random() < 0.4, rng.random() < 0.25
    kind = "city" if drives else some_place(rng, cast, outdoors=True)
    tall = float(rng.uniform(150, 245))
    person = cast.people[int(rng.integers(len(cast.people)))]
    stride = float(rng.uniform(0.75, 0.95)) if runs else float(rng.uniform(0.38, 0.52))
    cycle = float(rng.uniform(13, 18)) if runs else float(rng.uniform(22, 32))
    head = tall / person.heads
    pace = 4 * person.heads * 0.46 * sin(stride) * head / cycle if not drives else float(rng.uniform(4, 9))
    way = -1 if rng.random() < 0.4 else 1
    ends = way * pace * frames
    painter = Painter(rng, cast.manner, weather, wide, (min(0, ends), max(0, ends)))
    place = draw_place(painter, kind)
    blinks, ink, at = Blinks(rng, frames), inked(cast, weather), wide * float(rng.uniform(0.4, 0.6))
    paint, y = tint(hsv(float(rng.random()), 0.8, 0.8), 0.1), place.ground + 18

    def draw(t: int) -> Cel:
        cel = Cel(ink)
        cel.fill(ellipse(at, y + 2, head * (2.6 if drives else 1.0), head * 0.16), (0.05, 0.05, 0.12), 0.35)
        if drives:
            with cel.at(placed(at, y, head * 2.1, flip=way < 0)):
                car(cel, paint, pace * t / (head * 0.6), float(t // 2 % 3 == 0))
            return cel
        with cel.at(placed(at, y, head, flip=way < 0)):
            phase = 2 * pi * t / cycle
            joints = walk(phase, stride)
            mood = Mood(0.75, blinks.at(t), 1 if runs and t // 8 % 2 else 0, 0.2, 0.4)
            draw_figure(cel, person, joints, mood, 1, -0.12 - 0.25 * runs + 0.08 * sin(2 * phase))
        return cel

    layers: Layers = [*place.behind, Drawing(draw, 0.0, cast.manner.hold), *place.before]
    layers += air(rng, weather, wide, cast.manner.hold)
    return Shot(Scene(layers, lambda t: View(x=way * pace * t), finish(rng, weather)))


def vista(rng: Rng, cast: Cast, weather: Weather, wide: float, frames: int) -> Shot:
    """An establishing shot: a place, birds and lens flare."""
    camera, reach, closest = draw_camera(rng, frames, 150, 18, 0.15, still=0)
    painter = Painter(rng, cast.manner, weather, wide, reach)
    place = draw_place(painter, some_place(rng, cast, outdoors=True))
    flock = rng.uniform([0, 25, 4, 0, 0.4], [wide, 170, 13, 6, 1.6], (int(rng.integers(0, 9)), 5))
    ink = Ink(0, None, (0, 0), 0, weather.light)
    dark: Colour = mix((0.1, 0.1, 0.15), weather.horizon, 0.15)

    def birds(t: int) -> Cel:
        cel = Cel(ink)
        for x, y, size, phase, pace in flock:
            with cel.at(placed(float(x + pace * t), float(y + 3 * sin(0.1 * t + phase)), float(size))):
                bird(cel, sin(0.55 * t + phase), dark)
        return cel

    layers: Layers = [*place.behind, Drawing(birds, 0.3, 2), *place.before, *air(rng, weather, wide, cast.manner.hold)]
    if not weather.dark and rng.random() < 0.35:
        x, y, strength = wide * float(rng.uniform(0.1, 0.9)), float(rng.uniform(20, 110)), float(rng.uniform(0.4, 1))

        def light(t: int) -> Cel:
            cel = Cel(Ink(0, None, (0, 0), 0))
            effects.flare(cel, x - 0.15 * t, y, wide, weather.sun, strength)
            return cel

        layers.append(Drawing(light, 0.0, 1, adds=True))
    return Shot(Scene(layers, camera, finish(rng, weather)), closest)
