"""Checks of a candidate against its own LR: colour, position, frame order, sharpness and grid patterns.

SR that is degraded again must agree with LR, whatever detail a model adds. No learned weights are used. degraded, lr:
(B, T, 3, h, w) in [0, 1]; results (B, T), float64, NaN for a frame in which nothing can be measured.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.luma import luma

_CELL = 16  # LR pixels a side of the areas whose mean colour is compared
_AREAS = 3  # areas along each side in which sharpness is compared
_BAND = 5  # LR pixels of the box whose mean is subtracted to keep fine detail
_DETAIL = 4.0  # mean square of fine detail, in levels, below which an area has none
_CLEARLY = 0.5  # a neighbouring frame fits clearly better where it leaves half of the squared error
_SMOOTH = 3  # LR pixels a side that are averaged before gradients are computed
_STILL = 1.0  # mean square of the difference of frames, in levels, below which they count as equal


def color_bias(degraded: Tensor, lr: Tensor) -> Tensor:
    """Largest difference of the mean of a colour channel between degraded SR and LR, in 8-bit levels."""
    return _error(degraded, lr).mean((-2, -1)).abs().amax(-1)


def cell_bias(degraded: Tensor, lr: Tensor) -> Tensor:
    """Largest `color_bias` over areas of 16x16 LR pixels, in 8-bit levels.

    Unlike the bias of a whole frame, it also detects a wrong YUV matrix and single wrong tiles.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T).
    """
    error = _error(degraded, lr).flatten(0, 1)
    side = min(_CELL, *error.shape[-2:])
    cells = F.avg_pool2d(error, side, max(side // 2, 1), ceil_mode=True)  # to the last row and column
    return cells.abs().amax((-3, -2, -1)).unflatten(0, lr.shape[:2])


def registration(degraded: Tensor, lr: Tensor, hr: Tensor) -> Tensor:
    """Length of the shift of SR in HR pixels, estimated by least squares (Lucas and Kanade 1981)."""
    low, moved = (F.avg_pool2d(luma(frames)[..., 0, :, :], _SMOOTH, 1) for frames in (lr, degraded))
    middle = (low + moved) / 2
    dx = (middle[..., 1:-1, 2:] - middle[..., 1:-1, :-2]) / 2
    dy = (middle[..., 2:, 1:-1] - middle[..., :-2, 1:-1]) / 2
    change = (moved - low)[..., 1:-1, 1:-1]
    xx, xy, yy, xt, yt = ((a * b).mean((-2, -1)) for a, b in ((dx, dx), (dx, dy), (dy, dy), (dx, change), (dy, change)))
    determinant = xx * yy - xy * xy
    shift = torch.stack([yy * xt - xy * yt, xx * yt - xy * xt]).square().sum(0).sqrt() / determinant
    scale = hr.shape[-1] / lr.shape[-1]
    return torch.where(determinant > 1e-3 * (xx + yy).square() + 1e-6, shift * scale, torch.nan)


def lr_sharpness(degraded: Tensor, lr: Tensor) -> Tensor:
    """Amount of fine detail in degraded SR, relative to that in LR; 1 for a faithful output, lower for a blurred one.

    It is the slope of a regression of degraded SR on LR, so it does not depend on the amount of detail in a clip. The
    frame is divided into 3x3 areas, and the lowest of their values is returned.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T), NaN for a frame without detail.
    """
    ours, theirs = (_fine(frames) for frames in (degraded, lr))
    products = torch.stack([ours * theirs, theirs * theirs]).flatten(0, 2).unsqueeze(1)
    product, power = F.adaptive_avg_pool2d(products, _AREAS).unflatten(0, (2, *lr.shape[:2])).flatten(3)
    slope = torch.where(power > _DETAIL, product / power, torch.inf).amin(-1)
    return torch.where(slope.isinf(), torch.nan, slope)


def frame_offset(degraded: Tensor, lr: Tensor) -> Tensor:
    """Frame offset of SR relative to LR: -1 (SR is one frame late), 0 or 1 (SR is one frame early).

    It is 0 unless degraded SR fits a neighbouring LR frame clearly better.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T), NaN if both neighbouring LR frames equal the LR frame.
    """
    own = _squared(degraded, lr)
    offset, known = torch.zeros_like(own), torch.zeros_like(own, dtype=torch.bool)
    for step, here, there in ((-1, slice(1, None), slice(None, -1)), (1, slice(None, -1), slice(1, None))):
        fit, moved = _squared(degraded[:, here], lr[:, there]), _squared(lr[:, here], lr[:, there]) > _STILL
        better = moved & (fit < _CLEARLY * own[:, here])
        offset[:, here] = torch.where(better, float(step), offset[:, here])
        known[:, here] |= moved
    return torch.where(known, offset, torch.nan)


def grid(sr: Tensor, hr: Tensor, lr: Tensor) -> Tensor:
    """Amplitude of a periodic pattern in the error of SR, such as a checkerboard, in 8-bit levels.

    The error of luma, sr - hr, is averaged over all blocks of (2 scale) x (2 scale) pixels. The result is the standard
    deviation of the mean block, without the expected contribution of noise.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        lr: (B, T, 3, h, w), from which the scale is computed.

    Returns:
        (B, T).
    """
    period = 2 * round(hr.shape[-1] / lr.shape[-1])
    error = (luma(sr) - luma(hr))[..., 0, :, :]
    rows, columns = (size // period for size in error.shape[-2:])
    whole = error[..., : rows * period, : columns * period]
    phases = whole.unflatten(-1, (columns, period)).unflatten(-3, (rows, period))
    count = rows * columns
    means = phases.mean((-4, -2))
    noise = phases.var((-4, -2)).mean((-2, -1)) / count
    pattern = (means - means.mean((-2, -1), keepdim=True)).square().mean((-2, -1))
    return (pattern - noise).clamp(min=0).sqrt()


def _error(degraded: Tensor, lr: Tensor) -> Tensor:
    return (degraded.double() - lr.double()) * 255


def _squared(a: Tensor, b: Tensor) -> Tensor:
    return _error(a, b).square().mean((-3, -2, -1))


def _fine(frames: Tensor) -> Tensor:
    """Luma without its local mean (B, T, h, w)."""
    y = luma(frames).flatten(0, 1)
    fine = y - F.avg_pool2d(y, _BAND, 1, _BAND // 2, count_include_pad=False)
    return fine.unflatten(0, frames.shape[:2])[..., 0, :, :]
