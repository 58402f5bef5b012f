"""Registration of a low-resolution picture on a high-resolution one, to hundredths of a pixel.

The method is Gauss-Newton on two smoothed pictures, from coarse to fine (Lucas and Kanade 1981), with Cauchy weights
against outliers. The model is G(lr)(p) = gain * G(hr)(scale * p + shift) + offset, where G is a Gaussian blur; scale
and shift are separate for rows and columns. Smoothing and sampling are one matrix per axis (`gaussian_matrix`), which
is exact at any position, so that interpolation does not bias the estimate.
"""

from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from vsr_lab.alignment.grids import NO_BARS, YX, Bars, Grid, Picture, centred, gaussian_matrix, resample

_SMOOTH = 0.9  # LR pixels; strong enough to suppress noise, coding artefacts and aliasing
_BLUR = 0.35  # LR pixels by which LR is blurrier than point sampling, for a usual degradation
_COARSEST, _FINEST = 28, 480  # LR pixels: short side at the first level, long side at the last
_ZOOMS = (1.0, 0.94, 0.88, 0.82, 0.75, 0.66, 0.57, 0.5, 1.07, 1.14, 1.22, 1.33, 1.5, 1.75, 2.0)


class Registration(NamedTuple):
    """Result of `register`: estimated scale and shift between two pictures.

    Attributes:
        grid: positions of LR pixels on HR.
        correlation: correlation of the two pictures without low frequencies, in [-1, 1].
    """

    grid: Grid
    correlation: float


def register(low: Picture, high: Picture, start: Grid, bars: tuple[Bars, Bars] = (NO_BARS, NO_BARS)) -> Registration:
    """Estimate scale and shift between two gray pictures of the same content.

    The initial grid `start` is refined. If the pictures still do not match, other initial scales and shifts are tried.

    Args:
        low, high: LR (h, w) and HR (H, W) in 8-bit levels (0..255).
        start: initial scale and shift.
        bars: widths of the black bars of LR and of HR, which are excluded.
    """
    found = _refine(low, high, start, bars)
    if found.correlation < 0.9:
        (top, bottom, left, right), (height, width) = bars[0], low.shape
        searched = _search(low[top : height - bottom, left : width - right], high)
        searched = searched.translated((-top * searched.scale[0], -left * searched.scale[1]))
        other = _refine(low, high, searched, bars)
        if other.correlation > found.correlation + 0.02:
            return other
    return found


def register_at_scale(
    low: Picture, high: Picture, free: Registration, *, scale: float, bars: tuple[Bars, Bars]
) -> Registration:
    """Estimate the shift between two gray pictures whose scale is known.

    Args:
        low, high: LR (h, w) and HR (H, W) in 8-bit levels (0..255).
        free: result of `register` for these pictures, in which the scale is estimated too. It is returned unchanged if
            its correlation is clearly higher than the correlation with the known scale.
        scale: the known scale, HR pixels per LR pixel.
        bars: widths of the black bars of LR and of HR, which are excluded.
    """
    shift = [free.grid.shift[i] + (free.grid.scale[i] - scale) * low.shape[i] / 2 for i in (0, 1)]
    fixed = _refine(low, high, Grid((scale, scale), (shift[0], shift[1])), bars, fixed_scale=True)
    return fixed if 1 - fixed.correlation <= 1.25 * (1 - free.correlation) + 0.002 else free


def block_mean(picture: Picture, factor: int) -> Picture:
    """Means of factor x factor blocks; incomplete blocks at the right and bottom are omitted."""
    if factor == 1:
        return picture
    height, width = (n // factor for n in picture.shape)
    cropped = picture[: height * factor, : width * factor]
    return cropped.reshape(height, factor, width, factor).mean((1, 3), np.float32)


def gaussian_blur(picture: Picture, sigma: float) -> Picture:
    """Blur a picture by a Gaussian with a standard deviation of sigma pixels. The size does not change."""
    return resample(picture, Grid((1.0, 1.0)), picture.shape, sigma)


def _shrunk_bars(bars: tuple[Bars, Bars], factors: tuple[int, int]) -> tuple[Bars, Bars]:
    """Bars in pixels of the downscaled pictures, widened by the radius of the smoothing."""
    low, high = (
        tuple(-(-n // factor) + (2 if n else 0) for n in side) for side, factor in zip(bars, factors, strict=True)
    )
    return low, high  # pyright: ignore[reportReturnType]


def _refine(
    low: Picture, high: Picture, start: Grid, bars: tuple[Bars, Bars], fixed_scale: bool = False
) -> Registration:
    """Register from coarse to fine."""
    levels = [int(np.ceil(max(low.shape) / _FINEST))]
    while min(low.shape) / (2 * levels[0]) >= _COARSEST:
        levels.insert(0, 2 * levels[0])
    found = Registration(start, 0.0)
    for level in levels:
        fine = max(1, int(min(found.grid.scale) * level / 2))
        small, large = block_mean(low, level), block_mean(high, fine)
        grid, inner = found.grid.rescaled(level, fine), _shrunk_bars(bars, (level, fine))
        fitted = _gauss_newton(small, large, grid, inner, fixed_scale)
        found = Registration(fitted.grid.rescaled(1 / level, 1 / fine), fitted.correlation)
    return found


class _View(NamedTuple):
    """HR sampled on a grid, its derivatives by row and column, and a mask of the LR pixels that can be compared."""

    picture: Picture
    down: Picture
    across: Picture
    inside: Picture


def _view(shape: tuple[int, ...], high: Picture, grid: Grid, bars: tuple[Bars, Bars], margin: int) -> _View:
    matrices, masks = [], []
    for axis in (0, 1):
        centres = grid.centres(axis, shape[axis])
        matrices.append(gaussian_matrix(centres, high.shape[axis], float(np.hypot(_SMOOTH, _BLUR)) * grid.scale[axis]))
        reach = 0.5 * grid.scale[axis]
        (first, last), (near, far) = bars[0][2 * axis : 2 * axis + 2], bars[1][2 * axis : 2 * axis + 2]
        mask = (centres > reach - 1 + near) & (centres < high.shape[axis] - reach - far)
        mask[: margin + first] = mask[len(mask) - margin - last :] = False
        masks.append(mask)
    (rows, rows_slope), (columns, columns_slope) = matrices
    across = high @ columns.T
    inside = (masks[0][:, None] & masks[1][None]).astype(np.float32)
    return _View(rows @ across, rows_slope @ across, rows @ (high @ columns_slope.T), inside)


def _gauss_newton(low: Picture, high: Picture, grid: Grid, bars: tuple[Bars, Bars], fixed_scale: bool) -> Registration:
    """Register at one level. Unknowns are shift, scale (unless fixed), gain and offset."""
    target = gaussian_blur(low, _SMOOTH)
    height, width = low.shape
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2))[:, None]
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2))[None]
    margin = 2 if min(low.shape) > 16 else 1
    found = Registration(grid, 0.0)
    for _ in range(8):
        view = _view(low.shape, high, grid, bars, margin)
        if view.inside.sum() < 24:
            return found
        gain, residual = _fit_gain(view.picture, target, view.inside)
        spread = 1.5 * np.median(np.abs(residual[view.inside > 0])) + 1e-3
        weight = view.inside / (1 + (residual / (3 * spread)) ** 2)
        down, across = gain * view.down, gain * view.across
        columns = [down, down * y, across, across * x, view.picture, np.ones_like(down)]
        basis = np.stack([c.ravel() for c in columns], 1).astype(np.float64)
        weighted = basis * weight.ravel()[:, None]
        normal = weighted.T @ basis
        # An axis without detail is not determined: the ridge keeps it where it is.
        stiff = 1e6 if fixed_scale else 1.0
        ridge = 1e-6 * np.trace(normal[:4:2, :4:2]) * np.array([1, stiff * height**2, 1, stiff * width**2, 0, 0])
        step = np.linalg.solve(normal + np.diag(ridge + 1e-9), weighted.T @ residual.ravel())
        reach = 2.0 * np.array(grid.scale)  # at most two LR pixels a step
        move = np.clip(step[[0, 2]], -reach, reach)
        zoom = np.clip(step[[1, 3]], -0.05 * reach, 0.05 * reach) * (not fixed_scale)
        shift = np.array(grid.shift) + move - zoom * np.array([height / 2, width / 2])
        scale = np.array(grid.scale) + zoom
        grid = Grid((float(scale[0]), float(scale[1])), (float(shift[0]), float(shift[1])))
        found = Registration(grid, _correlation(target, view))
        if np.abs(move / grid.scale).max() < 2e-3 and np.abs(zoom / grid.scale).max() * max(low.shape) < 4e-3:
            break
    return found


def _fit_gain(picture: Picture, target: Picture, weight: Picture) -> tuple[float, Picture]:
    """Fit target = gain * picture + offset; return the gain and the residual."""
    total = float(weight.sum())
    a, b = float((weight * picture).sum()) / total, float((weight * target).sum()) / total
    variance = float((weight * (picture - a) ** 2).sum())
    gain = float((weight * (picture - a) * (target - b)).sum()) / (variance + 1e-6)
    return gain, (target - gain * picture - (b - gain * a)).astype(np.float32)


def _correlation(target: Picture, view: _View) -> float:
    """Correlation without low frequencies, over the pixels that can be compared."""
    a, b = (p - cv2.blur(p, (9, 9), borderType=cv2.BORDER_REFLECT) for p in (target, view.picture))
    power = float((view.inside * a * a).sum()) * float((view.inside * b * b).sum())
    return float((view.inside * a * b).sum()) / float(np.sqrt(power) + 1e-3)


def _search(low: Picture, high: Picture) -> Grid:
    """Initial grid for LR that was cropped, stretched or padded: the best of several scales, each at its best place."""
    factor = max(1, min(low.shape) // 48)
    small = gaussian_blur(block_mean(low, factor), 0.7)
    best, found = -2.0, centred(low, high)
    base = found.scale
    for zoom in product(_ZOOMS, _ZOOMS):
        if not 0.7 < zoom[0] / zoom[1] < 1.43:
            continue
        size = tuple(max(8, round(high.shape[i] / (base[i] * zoom[i] * factor))) for i in (0, 1))
        exact = (high.shape[0] / size[0], high.shape[1] / size[1])
        large: Picture = cv2.resize(high, size[::-1], interpolation=cv2.INTER_AREA)  # pyright: ignore[reportAssignmentType]
        score, corner = _match_template(small, large)
        if score > best:
            best = score
            found = Grid((exact[0] / factor, exact[1] / factor), (corner[0] * exact[0], corner[1] * exact[1]))
    return found


def _match_template(small: Picture, large: Picture) -> tuple[float, YX]:
    """Best correlation of the inner half of `small` with `large`, and where the corner of `small` lies in `large`."""
    frame = (small.shape[0] // 4, small.shape[1] // 4)
    inner = small[frame[0] : small.shape[0] - frame[0], frame[1] : small.shape[1] - frame[1]]
    if large.shape[0] < inner.shape[0] or large.shape[1] < inner.shape[1]:
        return -2.0, (0.0, 0.0)
    scores = cv2.matchTemplate(large, inner, cv2.TM_CCOEFF_NORMED)
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[y, x]), (float(y - frame[0]), float(x - frame[1]))
