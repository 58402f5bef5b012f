"""Draws rendered_screens.png: desktops, terminals, one over time, and native LR twins. Needs the extra `demo`.

python docs/pictures/rendered_screens.py
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from sheets import save

from vsr_lab.core.clip import Frames
from vsr_lab.synthesis.screen import VIEWS, render_screen

HIGH, WIDE, COLUMNS = 216, 384, 4
TIMES = (0, 30, 60, 90)
DESKTOPS = (0, 1, 5, 9, 12, 14, 20, 21)
TERMINALS = (3, 5, 7, 10, 11, 14, 16, 22)
TWINS = (3, 5, 7, 10)


def film(seed: int, times: tuple[int, ...], views: tuple[str, ...]) -> list[Frames]:
    """Frames of a recording at these times, at half their size."""
    every = list(render_screen(seed, max(times) + 1, height=2 * HIGH, width=2 * WIDE, zoom=1.0, views=views))
    return [np.asarray(Image.fromarray(every[t]).reduce(2)) for t in times]


def twin(seed: int) -> Frames:
    """A part of the last of 61 frames, at zoom 1 (left, its pixels doubled) and 2 (right)."""
    small, large = (
        list(render_screen(seed, 61, height=scale * 360, width=scale * 640, zoom=float(scale), views=("terminal",)))[-1]
        for scale in (1, 2)
    )
    low = small[150 : 150 + HIGH // 2, 210 : 210 + WIDE // 4].repeat(2, 0).repeat(2, 1)
    return np.hstack([low, large[300 : 300 + HIGH, 420 : 420 + WIDE // 2]])


def rows() -> Iterator[tuple[str, list[Frames]]]:
    """A label and COLUMNS pictures, row by row."""
    for views, seeds, label in (
        (
            VIEWS,
            DESKTOPS,
            "desktops at half their size: editors, pages, terminals, sheets, slides, menus, four scripts",
        ),
        (("terminal",), TERMINALS, "kind.views=[terminal]: shells, tabs and panes, vi, htop, pagers"),
    ):
        pictures = [film(seed, (60,), views)[0] for seed in seeds]
        for start in range(0, len(pictures), COLUMNS):
            yield label if start == 0 else "", pictures[start : start + COLUMNS]
    yield f"a recording, frames {', '.join(map(str, TIMES))}", film(3, TIMES, ("terminal",))
    label = "x2 pairs, parts at the size of pixels: LR drawn at a device pixel ratio of 1 (left), HR at 2 (right)"
    yield label, [twin(seed) for seed in TWINS]


if __name__ == "__main__":
    save(Path(__file__).with_suffix(".png"), rows(), 6)
