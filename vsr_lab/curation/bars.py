"""Detection of the black bars of a clip, and the crop that removes them."""

import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.bars import black_borders
from vsr_lab.core.clip import Frames

_BLACK = 24  # levels; badly coded limited-range black is still below
_PICTURE = 0.5  # share of an edge's pixels that are lit at some time: text on a black screen stays far below
_SMALLEST = 0.015  # of the side
_MARGIN = 4  # pixels: codecs blur the edge of a bar


class BarDetector:
    """Detects black bars from the maximum of every pixel over a clip."""

    def __init__(self) -> None:
        self._brightest: Frames | None = None

    def add(self, frame: Frames) -> None:
        """Add a frame, (H, W, 3)."""
        self._brightest = frame.copy() if self._brightest is None else np.maximum(self._brightest, frame)

    def crop(self) -> tuple[int, int, int, int] | None:
        """Crop (width, height, x, y) without the black bars, in even numbers with a margin; None if there are no bars.

        Borders count as bars if they are black in every frame, two opposite ones have a similar size, and most pixels
        of the row or column next to them are bright in some frame.
        """
        if self._brightest is None:
            return None
        brightest = self._brightest.max(2)
        top, bottom, left, right = black_borders(brightest, _BLACK, 0.01)
        lit = brightest > _BLACK
        (top, bottom), (left, right) = _pair(lit.mean(1), top, bottom), _pair(lit.mean(0), left, right)
        if not (top or left):
            return None
        height, width = lit.shape
        y, x = (side + _MARGIN + side % 2 if side else 0 for side in (top, left))
        bottom, right = (side + _MARGIN if side else 0 for side in (bottom, right))
        return (width - right - x) // 2 * 2, (height - bottom - y) // 2 * 2, x, y


def _pair(lit: npt.NDArray[np.float64], first: int, last: int) -> tuple[int, int]:
    """Sizes of the two bars along an axis, computed from the fraction of bright pixels per row.

    The result is (0, 0) if these are not letterbox bars.
    """
    stop = len(lit) - last
    edges = max(lit[first : first + 3]), max(lit[max(0, stop - 3) : stop])
    small = min(first, last) < _SMALLEST * len(lit)
    uneven = abs(first - last) > max(4, 0.25 * max(first, last))
    return (0, 0) if small or uneven or min(edges) < _PICTURE else (first, last)
