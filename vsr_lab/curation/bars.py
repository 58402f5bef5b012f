"""Black bars around a picture, and the crop that takes them off."""

import numpy as np
import numpy.typing as npt

from vsr_lab.core.clip import Frames

_BLACK = 24  # levels; a limited-range black that was coded badly is still below
_PICTURE = 0.5  # share of an edge that lights up at some time: text on a black screen stays far below
_SMALLEST = 0.015  # of the side
_MARGIN = 4  # pixels: the coder bleeds over the edge of a bar


class Bars:
    """Remembers the brightest that every pixel of a clip ever was."""

    def __init__(self) -> None:
        self._brightest: Frames | None = None

    def add(self, frame: Frames) -> None:
        """One more frame (H W 3)."""
        self._brightest = frame.copy() if self._brightest is None else np.maximum(self._brightest, frame)

    def crop(self) -> tuple[int, int, int, int] | None:
        """(width, height, x, y) inside the bars, with a margin and even; None where there are none.

        A bar is black from side to side in every frame seen, has a partner of about its size on the other side, and
        ends where most of a row (or column) lights up at some time.
        """
        if self._brightest is None:
            return None
        lit = self._brightest.max(2) > _BLACK
        (top, bottom), (left, right) = _pair(lit.mean(1)), _pair(lit[:, :].mean(0))
        if not (top or left):
            return None
        height, width = lit.shape
        y, x = (_even_up(side + _MARGIN) if side else 0 for side in (top, left))
        bottom, right = (side + _MARGIN if side else 0 for side in (bottom, right))
        return (width - right - x) // 2 * 2, (height - bottom - y) // 2 * 2, x, y


def _even_up(number: int) -> int:
    return number + number % 2


def _pair(lit: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Lengths of the two bars along an axis whose rows are lit by these shares; (0, 0) where it is no pair."""
    picture = np.flatnonzero(lit > 0.01)
    if not len(picture):
        return 0, 0
    first, last = int(picture[0]), len(lit) - 1 - int(picture[-1])
    edges = max(lit[picture[0] : picture[0] + 3]), max(lit[picture[-1] - 2 : picture[-1] + 1])
    small = min(first, last) < _SMALLEST * len(lit)
    uneven = abs(first - last) > max(4, 0.25 * max(first, last))
    return (0, 0) if small or uneven or min(edges) < _PICTURE else (first, last)
