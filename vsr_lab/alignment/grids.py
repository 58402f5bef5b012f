"""Positions of LR pixels on HR (scale and shift of rows and columns), and detection of black bars."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.floating[Any]]
YX = tuple[float, float]  # rows first, then columns


@dataclass(frozen=True)
class Grid:
    """Positions of LR pixels on HR: the point p of LR is at scale * p + shift in HR, separately for rows and columns.

    Points are in pixels from the top left corner of the picture, so pixel i is centred at i + 0.5. With a shift of 0,
    LR is sampled as by MATLAB's imresize. With a shift of (1 - scale) / 2, LR consists of every `scale`-th pixel of HR,
    beginning with the first one.

    Args:
        scale: HR pixels per LR pixel (rows, columns).
        shift: position on HR of the top left corner of LR, in HR pixels (rows, columns).
    """

    scale: YX
    shift: YX = (0.0, 0.0)

    def centres(self, axis: int, count: int) -> npt.NDArray[np.floating[Any]]:
        """Positions on HR, as fractional pixel indices, of LR pixels 0..count-1 along an axis (0: rows, 1: columns)."""
        return self.scale[axis] * (np.arange(count) + 0.5) + self.shift[axis] - 0.5

    def translated(self, shift: YX) -> Self:
        """Copy of the grid that is moved by `shift` HR pixels (rows, columns)."""
        return replace(self, shift=(self.shift[0] + shift[0], self.shift[1] + shift[1]))

    def rescaled(self, low: float, high: float) -> Self:
        """The grid that corresponds to this one after LR is downscaled by the factor `low` and HR by `high`."""
        (a, b), (c, d) = self.scale, self.shift
        return replace(self, scale=(a * low / high, b * low / high), shift=(c / high, d / high))


def centred(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Grid:
    """The grid for which LR (h, w) covers exactly all of HR (H, W); only the shapes of the pictures are used."""
    return Grid((high.shape[0] / low.shape[0], high.shape[1] / low.shape[1]))


def gaussian_matrix(centres: npt.NDArray[np.floating[Any]], size: int, sigma: float) -> tuple[Picture, Picture]:
    """Matrix that blurs one axis by a Gaussian and samples it at any sub-pixel positions without interpolation.

    Args:
        centres: sampling positions as fractional pixel indices, (n,); positions outside the axis are moved to its ends.
        size: input length in pixels.
        sigma: standard deviation in pixels.

    Returns:
        The matrix (n, size), whose rows sum to 1, and its derivative (n, size): row i is differentiated with respect to
        centres[i].
    """
    offsets = np.arange(size)[None] - np.clip(centres, 0, size - 1)[:, None]
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum(1, keepdims=True)
    slope = weights * offsets / sigma**2
    return weights.astype(np.float32), (slope - weights * slope.sum(1, keepdims=True)).astype(np.float32)


def gaussian_matrices(grid: Grid, size: tuple[int, ...], shape: tuple[int, ...], sigma: float) -> list[Picture]:
    """Matrices for rows and for columns that blur HR by a Gaussian and sample it at LR pixels, see `gaussian_matrix`.

    Args:
        grid: positions of LR pixels on HR.
        size, shape: (height, width) of LR, and (height, width) of HR.
        sigma: standard deviation in LR pixels.
    """
    return [gaussian_matrix(grid.centres(i, size[i]), shape[i], sigma * grid.scale[i])[0] for i in (0, 1)]


def resample(high: Picture, grid: Grid, size: tuple[int, ...], sigma: float) -> Picture:
    """Blur HR (H, W) by a Gaussian of sigma LR pixels and sample it at the LR pixels of the grid; `size` is (h, w)."""
    rows, columns = gaussian_matrices(grid, size, high.shape, sigma)
    return rows @ high @ columns.T


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
        share: fraction of the pixels of a row or column, in [0, 1].

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
        Widths (top, bottom, left, right) in pixels. If two opposite bars together cover 60 % or more of the height or
        width, the picture is assumed to be dark there: both widths are 0.
    """
    brightest = np.maximum.reduce(pictures)
    top, bottom, left, right = black_borders(brightest, _BLACK, _LIT)
    height, width = brightest.shape
    top, bottom = (top, bottom) if top + bottom < _MOST * height else (0, 0)
    left, right = (left, right) if left + right < _MOST * width else (0, 0)
    return top, bottom, left, right
