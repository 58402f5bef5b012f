"""Drawn animation: films with a style, characters and shots, all determined by a seed."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vsr_lab.synthesis.animation.action import outburst, romp, spell
from vsr_lab.synthesis.animation.effects import fade
from vsr_lab.synthesis.animation.graphics import titles
from vsr_lab.synthesis.animation.mood import draw_manner, draw_weather
from vsr_lab.synthesis.animation.shots import PLACES, Cast, Shot, stroll, talk, vista
from vsr_lab.synthesis.animation.stage import HIGH, Scene, Stage
from vsr_lab.synthesis.figures.creatures import draw_creature
from vsr_lab.synthesis.figures.figure import draw_person

__all__ = ["RATE", "cuts", "render_animation"]

RATE = 24


def render_animation(seed: int, frames: int, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """Draw a film: yield `frames` frames, RGB uint8 (height, width, 3), at 24 per second.

    The seed (>= 0) determines style, characters, places, weather and shots; equal arguments give equal frames. At every
    size of the same aspect ratio, the film is the same and is drawn in that resolution.
    """
    wide = width / height * HIGH
    cast = _cast(seed)
    t = 0
    for number, length in _lengths(seed):
        shot = _shot(seed, number, cast, wide, length)
        stage = Stage(shot.scene, (height, width), shot.closest)
        for tick in range(length):
            if t == frames:
                return
            yield stage.frame(tick)
            t += 1


def cuts(seed: int, frames: int) -> list[int]:
    """Frames of a film at which a new shot begins, except the first frame."""
    found, at = list[int](), 0
    for _, length in _lengths(seed):
        at += length
        if at >= frames:
            return found
        found.append(at)
    return found


def _lengths(seed: int) -> Iterator[tuple[int, int]]:
    """Yield number and length in frames of every shot, endlessly; shots last one to four seconds."""
    rng = np.random.default_rng([seed, 3])
    number = 0
    while True:
        yield number, int(np.exp(rng.uniform(np.log(26), np.log(96))))
        number += 1


def _cast(seed: int) -> Cast:
    rng = np.random.default_rng([seed, 4])
    manner = draw_manner(rng, (1, 1, 1))
    return Cast(
        manner,
        people=tuple(draw_person(rng, manner.anime) for _ in range(3)),
        creatures=tuple(draw_creature(rng) for _ in range(3)),
        places=tuple(rng.choice(PLACES, 2, replace=False).tolist()),
    )


def _shot(seed: int, number: int, cast: Cast, wide: float, length: int) -> Shot:
    rng = np.random.default_rng([seed, 5, number])
    makers = (talk, stroll, outburst, romp, vista, spell, titles)
    odds = (
        (0.30, 0.18, 0.10, 0.08, 0.16, 0.09, 0.09) if cast.manner.anime else (0.16, 0.16, 0.05, 0.30, 0.13, 0.04, 0.16)
    )
    shot = makers[int(rng.choice(len(makers), p=odds))](rng, cast, draw_weather(rng), wide, length)
    effects = list(shot.scene.effects)
    if rng.random() < 0.12:
        effects.append(fade(0, 10, (0, 0, 0), out=False))
    if rng.random() < 0.08:
        effects.append(fade(length - 10, 10, (0, 0, 0) if rng.random() < 0.7 else (1, 1, 1), out=True))
    return Shot(Scene(shot.scene.layers, shot.scene.camera, effects), shot.closest)
