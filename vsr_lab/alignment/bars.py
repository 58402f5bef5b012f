"""Black bars around a picture (letterbox, pillarbox)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Picture

Bars = tuple[int, int, int, int]  # top, bottom, left, right, in pixels
NO_BARS: Bars = (0, 0, 0, 0)
_BLACK, _LIT = 20, 0.02
_MOST = 0.6  # share of a side that bars may cover


def black_borders(brightest: npt.NDArray[Any], level: float, share: float) -> Bars:
    """Measure the black borders of a clip.

    A row or column is black if at most a fraction `share` of its pixels exceeds `level`. A clip that is black
    everywhere has no borders.

    Args:
        brightest: maximum of every pixel over the clip, (H, W).
        level: threshold, in the unit of `brightest`.
        share: fraction in [0, 1].

    Returns:
        Widths (top, bottom, left, right) in pixels.
    """
    found: list[int] = []
    for axis in (1, 0):
        picture = np.flatnonzero((brightest > level).mean(axis) > share)
        found += [int(picture[0]), brightest.shape[1 - axis] - 1 - int(picture[-1])] if len(picture) else [0, 0]
    return found[0], found[1], found[2], found[3]


def find_bars(pictures: Sequence[Picture]) -> Bars:
    """Find black bars (letterbox or pillarbox): borders that are black in all pictures.

    Args:
        pictures: gray pictures (H, W) in 8-bit levels (0..255).

    Returns:
        Widths (top, bottom, left, right) in pixels; 0 for two opposite bars that together cover 60 % of a side or more.
    """
    brightest = np.maximum.reduce(pictures)
    top, bottom, left, right = black_borders(brightest, _BLACK, _LIT)
    height, width = brightest.shape
    top, bottom = (top, bottom) if top + bottom < _MOST * height else (0, 0)
    left, right = (left, right) if left + right < _MOST * width else (0, 0)
    return top, bottom, left, right
