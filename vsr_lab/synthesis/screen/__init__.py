"""Screen recordings drawn by the project: desktops with windows, text and a cursor, all from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vsr_lab.core.errors import UserError
from vsr_lab.synthesis.screen.desktop import VIEWS, Desktop
from vsr_lab.synthesis.screen.fonts import find_fonts
from vsr_lab.synthesis.screen.script import Script
from vsr_lab.synthesis.screen.style import draw_style

__all__ = ["render_screen"]

_SMALLEST = 64  # logical pixels a side that still hold a window


def render_screen(
    seed: int, frames: int, height: int, width: int, zoom: float = 1.0, views: Sequence[str] = VIEWS
) -> Iterator[NDArray[np.uint8]]:
    """Yields `frames` pictures (height, width, 3), uint8 RGB, of somebody at work on a desktop, 25 a second.

    The seed (0 or more) picks colours, fonts, windows, their text and what is done; equal arguments give
    equal bytes wherever the same fonts are installed. `zoom` is the device pixel ratio: zoom 2 with doubled
    height and width is the same scene at the same moments, drawn natively at twice the resolution. `views`: what
    windows may show, of "editor", "page", "terminal", "sheet" and "slides".

    Made for 320x180 logical pixels (size / zoom) and more: smaller ones hold one window that says little.
    UserError: no monospaced font is installed, a side under 64 logical pixels, or a view that there is not.
    """
    if not views or set(views) - set(VIEWS):
        raise UserError(f"views {list(views)}", "are not what windows can show", f"choose from {', '.join(VIEWS)}")
    wide, high = int(width / zoom + 0.5), int(height / zoom + 0.5)
    if min(wide, high) < _SMALLEST:
        raise UserError(
            f"screen footage of {width}x{height} at zoom {zoom:g}",
            f"a side is under {_SMALLEST} logical pixels",
            "ask for larger frames",
        )
    look, acts = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    desk = Desktop(draw_style(look, find_fonts(), zoom), look, wide, high, views)
    return _play(desk, Script(desk, acts), frames, (height, width))


def _play(desk: Desktop, script: Script, frames: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    steps = script.play()
    for _ in range(frames):
        yield np.array(desk.paint().crop((0, 0, size[1], size[0])), np.uint8)
        next(steps)
        desk.tick()
