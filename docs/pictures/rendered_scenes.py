"""Draws rendered_scenes.png: drawn animation, its native LR twin, and the moving camera. Needs the extra `demo`.

    python docs/pictures/rendered_scenes.py

The stills that the camera films are frames of the animation: nothing of anybody else's is shown.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from sheets import save

from vsr_lab.core.clip import Frames
from vsr_lab.synthesis.animation import render_animation
from vsr_lab.synthesis.photo_pan import find_stills, render_camera

HIGH, WIDE, COLUMNS = 144, 256, 5
FILMS = (1, 2, 4, 6, 8, 10, 13, 15, 16, 19, 22, 27, 29, 31, 38, 44, 45, 47, 53, 58)
TIMES = (0, 6, 12, 18, 24)


def film(seed: int, times: tuple[int, ...], high: int = HIGH) -> list[Frames]:
    """Frames of a film at these times."""
    every = list(render_animation(seed, max(times) + 1, high, high * 16 // 9))
    return [every[t] for t in times]


def rows() -> Iterator[tuple[str, list[Frames]]]:
    """A label and COLUMNS pictures, row by row."""
    firsts = [film(seed, (14,))[0] for seed in FILMS]
    for start in range(0, len(firsts), COLUMNS):
        label = "drawn animation: one frame each of films from different seeds" if start == 0 else ""
        yield label, firsts[start : start + COLUMNS]
    for seed in (19, 22):
        yield (
            f"a film, frames {', '.join(map(str, TIMES))}: drawings are held on twos, the camera moves on ones",
            film(seed, TIMES),
        )
    crops: list[Frames] = []
    for seed in (2, 10, 13, 45, 47):
        large, small = (film(seed, (14,), high)[0] for high in (2 * HIGH, HIGH // 2))
        around = np.s_[80 : 80 + HIGH, 170 : 170 + WIDE // 2]
        low = small.repeat(4, 0).repeat(4, 1)[around]
        crops.append(np.hstack([low, large[around]]))
    yield "x4 pairs, parts at the size of pixels: LR drawn at its own resolution (left), HR (right)", crops
    with TemporaryDirectory() as folder:
        for seed in (2, 8, 15, 22):
            Image.fromarray(film(seed, (14,), 900)[0]).save(Path(folder) / f"still_{seed}.png")
        stills = find_stills(Path(folder))
        for seed in (6, 3):
            frames = list(render_camera(stills, seed, 41, HIGH, WIDE))
            yield "a moving camera over a still, every 10th frame: pan, zoom, roll, parallax, shutter", frames[::10]


if __name__ == "__main__":
    save(Path(__file__).with_suffix(".png"), rows(), len(FILMS) // COLUMNS + 5)
