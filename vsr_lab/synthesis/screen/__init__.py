"""Rendered screen recordings: desktops with windows, text and a cursor, all determined by a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vsr_lab.core.errors import UserError
from vsr_lab.synthesis.drawing.fonts import find_fonts
from vsr_lab.synthesis.drawing.style import draw_style
from vsr_lab.synthesis.screen.desktop import VIEWS, Desktop, ViewName
from vsr_lab.synthesis.screen.script import Script

__all__ = ["ViewName", "render_screen"]

_SMALLEST = 64  # logical pixels a side that still hold a window


def render_screen(
    seed: int, frames: int, *, height: int, width: int, zoom: float = 1.0, views: Sequence[str] = VIEWS
) -> Iterator[NDArray[np.uint8]]:
    """Render a desktop in use: yield `frames` frames, RGB uint8 (height, width, 3), at 25 per second.

    Args:
        seed: determines colours, fonts, windows, their text and the actions; >= 0. Equal arguments give equal bytes on
            all machines with the same fonts.
        frames: number of frames.
        height, width: size in pixels. The size divided by zoom should be at least 320x180; a smaller desktop has one
            window.
        zoom: device pixel ratio. Zoom 2 with twice the height and width is the same scene at twice the resolution.
        views: contents of windows: "editor", "page", "terminal", "sheet", "slides".

    Raises:
        UserError: no monospaced font is installed, a side divided by zoom is below 64, or a view is unknown.
    """
    if not views or set(views) - set(VIEWS):
        raise UserError(f"views {list(views)}", "contain an unknown view, or none", f"choose from {', '.join(VIEWS)}")
    wide, high = int(width / zoom + 0.5), int(height / zoom + 0.5)
    if min(wide, high) < _SMALLEST:
        raise UserError(
            f"screen footage of {width}x{height} at zoom {zoom:g}",
            f"has a side of less than {_SMALLEST * zoom:g} pixels",
            "set a larger size=",
        )
    look, acts = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    desk = Desktop(draw_style(look, find_fonts(), zoom), look, width=wide, height=high, views=views)
    return _play(desk, Script(desk, acts), frames, (height, width))


def _play(desk: Desktop, script: Script, frames: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    steps = script.play()
    for _ in range(frames):
        yield np.array(desk.paint().crop((0, 0, size[1], size[0])), np.uint8)
        next(steps)
        desk.tick()
