"""How LR pixels lie on HR: eight orientations, and a map of positions, both separable."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.floating[Any]]
Pair = tuple[float, float]  # rows first, then columns
Window = tuple[float, float, float, float]  # top, bottom, left, right, as shares of a picture


@dataclass(frozen=True)
class Orientation:
    """How HR is to be turned to lie like LR: transposed first, then its rows, then its columns reversed."""

    name: str
    transpose: bool = False
    rows: bool = False
    columns: bool = False

    def turn(self, pictures: npt.NDArray[Any], first: int = 0) -> npt.NDArray[Any]:
        """Pictures whose axes `first` and `first + 1` are height and width, turned; a view."""
        if self.transpose:
            pictures = pictures.swapaxes(first, first + 1)
        flipped = [first + i for i, flip in enumerate((self.rows, self.columns)) if flip]
        return np.flip(pictures, tuple(flipped))

    def back(self, picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A turned picture (H W and more) as it was."""
        picture = np.flip(picture, tuple(i for i, flip in enumerate((self.rows, self.columns)) if flip))
        return picture.swapaxes(0, 1) if self.transpose else picture

    def window_back(self, window: Window) -> Window:
        """A window of the turned picture (top, bottom, left, right, in shares) as one of the picture itself."""
        top, bottom, left, right = window
        if self.rows:
            top, bottom = 1 - bottom, 1 - top
        if self.columns:
            left, right = 1 - right, 1 - left
        return (left, right, top, bottom) if self.transpose else (top, bottom, left, right)


UPRIGHT = Orientation("upright")
ORIENTATIONS = (
    UPRIGHT,
    Orientation("mirrored left to right", columns=True),
    Orientation("flipped upside down", rows=True),
    Orientation("rotated by 180 degrees", rows=True, columns=True),
    Orientation("transposed", transpose=True),
    Orientation("rotated by 90 degrees clockwise", transpose=True, columns=True),
    Orientation("rotated by 90 degrees anticlockwise", transpose=True, rows=True),
    Orientation("transposed along the other diagonal", transpose=True, rows=True, columns=True),
)


@dataclass(frozen=True)
class Grid:
    """Where LR pixels lie on HR: the corner at LR position p lies at HR position scale * p + shift.

    Positions are counted from the picture's corner, so pixel i is centred at i + 0.5; a shift of 0 is the centred
    convention (MATLAB's imresize), and sampling pixel 0 of every `scale` is shift (1 - scale) / 2. Rows, columns.
    """

    scale: Pair
    shift: Pair = (0.0, 0.0)

    def centres(self, axis: int, count: int) -> npt.NDArray[np.floating[Any]]:
        """HR indices (not whole) at which the first `count` LR pixels of an axis lie."""
        return self.scale[axis] * (np.arange(count) + 0.5) + self.shift[axis] - 0.5

    def moved(self, shift: Pair) -> Self:
        return replace(self, shift=(self.shift[0] + shift[0], self.shift[1] + shift[1]))

    def shrunk(self, low: float, high: float) -> Self:
        """The same grid between LR shrunk by `low` and HR shrunk by `high`."""
        (a, b), (c, d) = self.scale, self.shift
        return replace(self, scale=(a * low / high, b * low / high), shift=(c / high, d / high))


def gaussian_rows(centres: npt.NDArray[np.floating[Any]], size: int, sigma: float) -> tuple[Picture, Picture]:
    """Weights (n, size) that blur by sigma and sample at `centres` in one go, and their derivative by the centre.

    Exact at any sub-pixel position: nothing is interpolated. Rows sum to 1; what lies outside repeats the border's sum.
    """
    away = np.arange(size)[None] - np.clip(centres, 0, size - 1)[:, None]
    weights = np.exp(-0.5 * (away / sigma) ** 2)
    weights /= weights.sum(1, keepdims=True)
    slope = weights * away / sigma**2
    return weights.astype(np.float32), (slope - weights * slope.sum(1, keepdims=True)).astype(np.float32)


def lanczos_rows(centres: npt.NDArray[np.floating[Any]], size: int) -> Picture:
    """Weights (n, size) of Lanczos-3 interpolation at `centres`; borders are repeated."""
    first = np.floor(centres).astype(np.int64)[:, None] + np.arange(-2, 4)[None]
    away = first - centres[:, None]
    weights = np.sinc(away) * np.sinc(away / 3)
    weights /= weights.sum(1, keepdims=True)
    rows = np.zeros((len(centres), size))
    np.add.at(rows, (np.arange(len(centres))[:, None], np.clip(first, 0, size - 1)), weights)
    return rows.astype(np.float32)
