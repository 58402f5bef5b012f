"""Where LR lies on HR, to hundredths of a pixel: Gauss-Newton on two smoothed pictures, from coarse to fine.

Model: G(lr)(p) = gain * G(hr)(scale * p + shift) + offset, scale and shift by axis. The smoothing and the sampling are
one matrix an axis (`gaussian_rows`), exact at any position, so no interpolation bends the estimate; a symmetric blur
of unknown width does not either. Lucas and Kanade 1981, with Cauchy weights against what differs for another reason.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.alignment.grids import Grid, Pair, Picture, gaussian_rows

_SMOOTH = 0.9  # LR pixels; strong enough that noise, a codec and aliasing weigh little
_BLUR = 0.35  # LR pixels by which LR is blurrier than a picture sampled by a point: about any family's
_COARSEST, _FINEST = 28, 480  # LR pixels: short side of the first level, long side of the last
_ZOOMS = (1.0, 0.94, 0.88, 0.82, 0.75, 0.66, 0.57, 0.5, 1.07, 1.14, 1.22, 1.33, 1.5, 1.75, 2.0)


Bars = tuple[int, int, int, int]  # top, bottom, left, right, in pixels
NO_BARS: Bars = (0, 0, 0, 0)


@dataclass(frozen=True)
class Registration:
    """grid: where LR lies on HR; alike: correlation of the two without their slow changes, 1 where they agree;
    unsure: the standard error of the shift (LR pixels, rows and columns), large where the content has no detail."""

    grid: Grid
    alike: float
    unsure: Pair


def register(low: Picture, high: Picture, start: Grid, bars: tuple[Bars, Bars] = (NO_BARS, NO_BARS)) -> Registration:
    """Find the grid of gray pictures (h w and H W, levels) from `start`; where that fails, from a search over crops.

    bars: the black bars of LR and of HR, which are left out.
    """
    found = _refine(low, high, start, bars)
    if found.alike < 0.9:
        (top, bottom, left, right), (height, width) = bars[0], low.shape
        searched = _search(low[top : height - bottom, left : width - right], high)
        searched = searched.moved((-top * searched.scale[0], -left * searched.scale[1]))
        other = _refine(low, high, searched, bars)
        if other.alike > found.alike + 0.02:
            return other
    return found


def hold_scale(low: Picture, high: Picture, free: Registration, scale: float, bars: tuple[Bars, Bars]) -> Registration:
    """The registration with the scale held at `scale` both ways, if it explains LR about as well as the free one."""
    shift = [free.grid.shift[i] + (free.grid.scale[i] - scale) * low.shape[i] / 2 for i in (0, 1)]
    held = _refine(low, high, Grid((scale, scale), (shift[0], shift[1])), bars, True)
    return held if 1 - held.alike <= 1.25 * (1 - free.alike) + 0.002 else free


def find_bars(pictures: list[Picture]) -> Bars:
    """Rows and columns at the border that are black in all pictures; none where little else is left."""
    brightest = np.maximum.reduce(pictures)
    bars = []
    for axis in (1, 0):
        black = np.percentile(brightest, 98, axis=axis) < 20
        sides = [int(side.argmin()) if not side.all() else 0 for side in (black, black[::-1])]
        bars += sides if sum(sides) < 0.6 * len(black) else [0, 0]
    return bars[0], bars[1], bars[2], bars[3]


def _inner(bars: tuple[Bars, Bars], factors: tuple[int, int]) -> tuple[Bars, Bars]:
    """Bars in the pixels of shrunk pictures, and what blurs into them: a pixel and a half of LR."""
    low, high = (
        tuple(-(-n // factor) + (2 if n else 0) for n in side) for side, factor in zip(bars, factors, strict=True)
    )
    return low, high  # pyright: ignore[reportReturnType]


def centred(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Grid:
    """The grid on which LR covers all of HR."""
    return Grid((high.shape[0] / low.shape[0], high.shape[1] / low.shape[1]))


def _refine(low: Picture, high: Picture, start: Grid, bars: tuple[Bars, Bars], held: bool = False) -> Registration:
    finest = int(np.ceil(max(low.shape) / _FINEST))
    levels = [finest]
    while min(low.shape) / (2 * levels[0]) >= _COARSEST:
        levels.insert(0, 2 * levels[0])
    found = Registration(start, 0.0, (np.inf, np.inf))
    for level in levels:
        fine = max(1, int(min(found.grid.scale) * level / 2))
        small, large = shrink(low, level), shrink(high, fine)
        fitted = _descend(small, large, found.grid.shrunk(level, fine), _inner(bars, (level, fine)), held)
        unsure = (fitted.unsure[0] * level, fitted.unsure[1] * level)
        found = Registration(fitted.grid.shrunk(1 / level, 1 / fine), fitted.alike, unsure)
    return found


def shrink(picture: Picture, factor: int) -> Picture:
    """The means of factor x factor pixels; what does not fill one at the right and the bottom is left out."""
    height, width = (n // factor * factor for n in picture.shape)
    if factor == 1:
        return picture
    return picture[:height, :width].reshape(height // factor, factor, width // factor, factor).mean((1, 3), np.float32)


@dataclass(frozen=True)
class _View:
    """HR as LR would see it on a grid, its derivative down and across, and which LR pixels can be compared."""

    picture: Picture
    down: Picture
    across: Picture
    inside: Picture


def smoothed(picture: Picture, sigma: float) -> Picture:
    """picture blurred by sigma, every pixel kept."""
    rows, columns = (gaussian_rows(np.arange(n, dtype=np.float64), n, sigma)[0] for n in picture.shape)
    return rows @ picture @ columns.T


def _view(shape: tuple[int, ...], high: Picture, grid: Grid, bars: tuple[Bars, Bars], margin: int) -> _View:
    axes = []
    masks = []
    for axis in (0, 1):
        centres = grid.centres(axis, shape[axis])
        axes.append(gaussian_rows(centres, high.shape[axis], float(np.hypot(_SMOOTH, _BLUR)) * grid.scale[axis]))
        reach = 0.5 * grid.scale[axis]
        (first, last), (near, far) = bars[0][2 * axis : 2 * axis + 2], bars[1][2 * axis : 2 * axis + 2]
        mask = (centres > reach - 1 + near) & (centres < high.shape[axis] - reach - far)
        mask[: margin + first] = mask[len(mask) - margin - last :] = False
        masks.append(mask)
    (rows, rows_slope), (columns, columns_slope) = axes
    across = high @ columns.T
    inside = (masks[0][:, None] & masks[1][None]).astype(np.float32)
    return _View(rows @ across, rows_slope @ across, rows @ (high @ columns_slope.T), inside)


def _descend(low: Picture, high: Picture, grid: Grid, bars: tuple[Bars, Bars], held: bool) -> Registration:
    """Gauss-Newton at one level. Unknown: shift and scale by axis (scale only where it is not held), gain, offset."""
    target = smoothed(low, _SMOOTH)
    height, width = low.shape
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2))[:, None]
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2))[None]
    margin = 2 if min(low.shape) > 16 else 1
    found = Registration(grid, 0.0, (np.inf, np.inf))
    for _ in range(8):
        view = _view(low.shape, high, grid, bars, margin)
        if view.inside.sum() < 24:
            return found
        gain, residual = _levels(view.picture, target, view.inside)
        spread = 1.5 * np.median(np.abs(residual[view.inside > 0])) + 1e-3
        weight = view.inside / (1 + (residual / (3 * spread)) ** 2)
        down, across = gain * view.down, gain * view.across
        columns = [down, down * y, across, across * x, view.picture, np.ones_like(down)]
        basis = np.stack([c.ravel() for c in columns], 1).astype(np.float64)
        weighted = basis * weight.ravel()[:, None]
        normal = weighted.T @ basis
        # A picture without detail along an axis says nothing of that axis: hold it there.
        stiff = 1e6 if held else 1.0
        ridge = 1e-6 * np.trace(normal[:4:2, :4:2]) * np.array([1, stiff * height**2, 1, stiff * width**2, 0, 0])
        step = np.linalg.solve(normal + np.diag(ridge + 1e-9), weighted.T @ residual.ravel())
        reach = 2.0 * np.array(grid.scale)  # no further than two LR pixels at once
        move = np.clip(step[[0, 2]], -reach, reach)
        zoom = np.clip(step[[1, 3]], -0.05 * reach, 0.05 * reach) * (not held)
        shift = np.array(grid.shift) + move - zoom * np.array([height / 2, width / 2])
        grid = Grid(
            (grid.scale[0] + float(zoom[0]), grid.scale[1] + float(zoom[1])), (float(shift[0]), float(shift[1]))
        )
        found = Registration(grid, _alike(target, view), _unsure(normal, residual, view.inside, grid.scale))
        if np.abs(move / grid.scale).max() < 2e-3 and np.abs(zoom / grid.scale).max() * max(low.shape) < 4e-3:
            break
    return found


def _unsure(normal: npt.NDArray[np.float64], residual: Picture, inside: Picture, scale: Pair) -> Pair:
    """Standard error of the shift in LR pixels. Smoothing makes neighbours' errors alike: about 10 count as one."""
    noise = 10 * (float((inside * residual**2).sum() / inside.sum()) + 0.1)
    return tuple(float(np.sqrt(noise / (normal[i, i] + 1e-9))) / scale[i // 2] for i in (0, 2))  # pyright: ignore[reportReturnType]


def _levels(picture: Picture, target: Picture, weight: Picture) -> tuple[float, Picture]:
    """Gain, and what is left of target after gain * picture + offset."""
    total = float(weight.sum())
    a, b = float((weight * picture).sum()) / total, float((weight * target).sum()) / total
    variance = float((weight * (picture - a) ** 2).sum())
    gain = float((weight * (picture - a) * (target - b)).sum()) / (variance + 1e-6)
    offset = b - gain * a
    return gain, (target - gain * picture - offset).astype(np.float32)


def _alike(target: Picture, view: _View) -> float:
    """Correlation without slow changes, over what can be compared."""
    size = (9, 9)
    a, b = (p - cv2.blur(p, size, borderType=cv2.BORDER_REFLECT) for p in (target, view.picture))
    inside = view.inside
    power = float((inside * a * a).sum()) * float((inside * b * b).sum())
    return float((inside * a * b).sum()) / float(np.sqrt(power) + 1e-3)


def _search(low: Picture, high: Picture) -> Grid:
    """The best of many zooms, each with its best place: where LR was cropped, squeezed or framed."""
    factor = max(1, min(low.shape) // 48)
    small = smoothed(shrink(low, factor), 0.7)
    best, found = -2.0, centred(low, high)
    base = (high.shape[0] / low.shape[0], high.shape[1] / low.shape[1])
    for zoom in product(_ZOOMS, _ZOOMS):
        if not 0.7 < zoom[0] / zoom[1] < 1.43:
            continue
        scale = (base[0] * zoom[0], base[1] * zoom[1])
        size = tuple(max(8, round(high.shape[i] / (scale[i] * factor))) for i in (0, 1))
        exact = (high.shape[0] / size[0], high.shape[1] / size[1])
        large: Picture = cv2.resize(high, size[::-1], interpolation=cv2.INTER_AREA)  # pyright: ignore[reportAssignmentType]
        score, place = _placed(small, large)
        if score > best:
            best = score
            found = Grid((exact[0] / factor, exact[1] / factor), (place[0] * exact[0], place[1] * exact[1]))
    return found


def _placed(small: Picture, large: Picture) -> tuple[float, Pair]:
    """Best correlation of `small` over `large` framed by a quarter of `small`, and where its corner then lies."""
    frame = (small.shape[0] // 4, small.shape[1] // 4)
    inner = small[frame[0] : small.shape[0] - frame[0], frame[1] : small.shape[1] - frame[1]]
    if large.shape[0] < inner.shape[0] or large.shape[1] < inner.shape[1]:
        return -2.0, (0.0, 0.0)
    scores = cv2.matchTemplate(large, inner, cv2.TM_CCOEFF_NORMED)
    y, x = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(scores[y, x]), (float(y - frame[0]), float(x - frame[1]))
