"""Metrics that detect faults of SR by comparison with its LR: colour, position, frame order, sharpness, patterns.

SR that is degraded again must agree with LR, regardless of the detail that a model adds. Only `combing` and `grid`
compare SR with HR instead. No learned weights are used.
The arguments degraded (SR after the degradation that made LR) and lr are (B, T, 3, h, w) in [0, 1]. Results are (B, T)
in float64, and NaN for a frame in which nothing can be measured.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import luma
from vsr_lab.metrics.whole_clip import Stream

_CELL = 16  # LR pixels a side of the areas whose mean colour is compared
_AREAS = 3  # areas along each side in which sharpness is compared
_BAND = 5  # LR pixels of the box whose mean is subtracted to keep fine detail
_DETAIL = 4.0  # mean square of fine detail, in levels, below which an area has none
_CLEARLY = 0.5  # another frame fits clearly better where it leaves half of the squared error
_SMOOTH = 3  # LR pixels a side that are averaged before gradients are computed
_NEIGHBOURS = (slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))  # here and there
_THUMBNAIL = 24  # pixels a side
_REACH = 64  # frames before and after, with which a frame is compared
_DIRECT = "donot_use_mm_for_euclid_dist"  # which would copy all frames
_PERIODS = (10, 12, 14, 16)  # pixels
_STILL = 1.0  # mean square of the difference of frames, in levels, below which they count as equal


def color_bias(degraded: Tensor, lr: Tensor) -> Tensor:
    """Largest absolute difference of the mean of R, G or B over a frame, between degraded SR and LR, in [0, 255]."""
    return _error(degraded, lr).mean((-2, -1)).abs().amax(-1)


def cell_bias(degraded: Tensor, lr: Tensor) -> Tensor:
    """Largest absolute difference of the mean of R, G or B over a block of 16x16 pixels, between degraded SR and LR.

    Unlike `color_bias`, it also detects a wrong YUV matrix and single wrong tiles.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T), in [0, 255].
    """
    error = _error(degraded, lr).flatten(0, 1)
    side = min(_CELL, *error.shape[-2:])
    cells = F.avg_pool2d(error, side, max(side // 2, 1), ceil_mode=True)  # to the last row and column
    return cells.abs().amax((-3, -2, -1)).unflatten(0, lr.shape[:2])


def orientation(degraded: Tensor, lr: Tensor) -> Tensor:
    """Orientation of SR relative to LR.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        (B, T); 0: the same orientation, or no other one fits clearly better; 1: mirrored left to right; 2: flipped
        upside down; 3: rotated by 180 degrees.
    """
    least = _CLEARLY * _squared(degraded, lr)
    found = torch.zeros_like(least)
    for number, sides in enumerate(((-1,), (-2,), (-2, -1)), 1):
        turned = lr.flip(sides)
        fit = _squared(degraded, turned)
        better = (fit < least) & (_squared(lr, turned) > _STILL)
        found, least = found.where(~better, number), least.where(~better, fit)
    return found


def registration(degraded: Tensor, lr: Tensor, hr: Tensor) -> Tensor:
    """Length of the shift of SR relative to LR, estimated by least squares (Lucas and Kanade 1981).

    The local mean is removed first, so that a difference in brightness is not measured as a shift.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].
        hr: (B, T, 3, H, W); only its size is used.

    Returns:
        Length of the shift in HR pixels, (B, T); NaN for a frame that does not have detail in both directions.
    """
    low, moved = (_fine(frames, _SMOOTH) for frames in (lr, degraded))
    dy, dx = _gradient((low + moved) / 2)
    change = _inner(moved - low)
    xx, xy, yy, xt, yt = ((a * b).mean((-2, -1)) for a, b in ((dx, dx), (dx, dy), (dy, dy), (dx, change), (dy, change)))
    determinant = xx * yy - xy * xy
    shift = torch.stack([yy * xt - xy * yt, xx * yt - xy * xt]).square().sum(0).sqrt() / determinant
    scale = hr.shape[-1] / lr.shape[-1]
    return torch.where(determinant > 1e-3 * (xx + yy).square() + 1e-6, shift * scale, torch.nan)


def ghosting(degraded: Tensor, lr: Tensor) -> Tensor:
    """Fraction of a neighbouring frame that is blended into a frame, estimated by least squares.

    In moving areas, a shift of the frame causes a similar error. If a shift explains more of the error than blending,
    the result is 0.

    Args:
        degraded: SR after the degradation that made LR, (B, T, 3, h, w) in [0, 1].
        lr: (B, T, 3, h, w) in [0, 1].

    Returns:
        Fraction of the previous or of the next frame, whichever is larger, (B, T); NaN if both neighbours of the LR
        frame are equal to it.
    """
    ours, theirs = (F.avg_pool2d(luma(frames)[..., 0, :, :], _SMOOTH, 1) for frames in (degraded, lr))
    error, moves = _inner(ours - theirs), torch.stack(_gradient((ours + theirs) / 2), -3).flatten(-2).double()
    product = moves @ error.flatten(-2)[..., None].double()
    by_shift = (product * torch.linalg.solve(moves @ moves.mT + 1e-6 * torch.eye(2), product)).sum((-2, -1))
    shares = torch.full((2, *lr.shape[:2]), torch.nan, dtype=torch.float64)
    for share, here, there in zip(shares, *_NEIGHBOURS, strict=True):
        change = _inner(theirs[:, there] - theirs[:, here])
        power, common = ((change * other).sum((-2, -1)).double() for other in (change, error[:, here]))
        found = torch.where(common.square() / power > by_shift[:, here], common / power, 0)
        share[:, here] = torch.where(change.square().mean((-2, -1)) > _DETAIL, found, torch.nan)
    return shares.nan_to_num(-torch.inf).amax(0).nan_to_num(neginf=torch.nan)


def lr_sharpness(degraded: Tensor, lr: Tensor) -> Tensor:
    """Amount of fine detail in degraded SR, relative to LR: 1 for a faithful output, below 1 for a blurred output.

    It is the slope of a regression of degraded SR on LR, so it does not depend on the amount of detail in a clip. The
    frame is divided into 9 areas (3 rows, 3 columns), and the lowest of their values is returned.

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


def frame_offset(stream: Stream) -> Tensor:
    """Number of the LR frame that SR frame t shows, minus t; 0 unless an LR frame other than t fits clearly better.

    Each SR frame is compared with the LR frames up to 64 frames before and after it, by small pictures of their luma.

    Args:
        stream: frames of a clip.

    Returns:
        (1, T); -1: SR is one frame late, 1: one frame early.
    """
    ours = theirs = torch.zeros(0, _THUMBNAIL**2)
    found, kept = list[Tensor](), 0  # the results, and how many frames with a result are kept for those after them
    for degraded, lr in stream.read("degraded", "lr"):
        ours, theirs = (torch.cat([known, _thumbnails(new)]) for known, new in ((ours, degraded), (theirs, lr)))
        found.append(_offsets(ours[:-_REACH], theirs, kept))
        done = max(kept + len(found[-1]) - _REACH, 0)
        ours, theirs, kept = ours[done:], theirs[done:], kept + len(found[-1]) - done
    return torch.cat([*found, _offsets(ours, theirs, kept)])[None].double()


def _offsets(ours: Tensor, lr: Tensor, start: int) -> Tensor:
    """Offsets of the frames from number `start` on; lr may go on after them."""
    numbers = torch.arange(start, max(len(ours), start))
    ours, own = ours[start:], lr[start : len(ours)]
    near = (torch.arange(len(lr)) - numbers[:, None]).abs() <= _REACH
    fit, change = (torch.cdist(f, lr, compute_mode=_DIRECT).square() / lr.shape[-1] for f in (ours, own))
    least, place = fit.where(near & (change > _STILL), torch.inf).min(-1)
    return (place - numbers).where(least < _CLEARLY * (ours - own).square().mean(-1), 0)


def _thumbnails(frames: Tensor) -> Tensor:
    """Luma of frames (T, 3, h, w) at 24x24 pixels, by which the frames of a clip are matched: (T, 576) in [0, 255]."""
    return F.adaptive_avg_pool2d(luma(frames)[..., 0, :, :].float(), _THUMBNAIL).flatten(-2)


def combing(sr: Tensor, hr: Tensor) -> Tensor:
    """Strength of combing artifacts, which occur if the fields of a frame are swapped or from different moments.

    The result is the ratio of vertical to horizontal detail. Detail is the root mean square of the second difference of
    luma along an axis, divided by that of HR.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].

    Returns:
        (B, T), about 1 without combing; NaN for frames without detail.
    """
    rows, columns = (_curvature(sr, axis) / _curvature(hr, axis) for axis in (-2, -1))
    return torch.where(rows.isfinite() & (columns > 0), rows / columns, torch.nan)


def _curvature(frames: Tensor, axis: int) -> Tensor:
    return luma(frames).diff(2, axis).square().mean((-3, -2, -1)).sqrt()


def grid(sr: Tensor, hr: Tensor) -> Tensor:
    """Amplitude of a periodic pattern in the error of SR, such as a checkerboard or stripes.

    For P of 10, 12, 14 and 16 (which include a multiple of every period up to 8 pixels), the blocks of P x P pixels of
    the error of luma, sr - hr, are averaged to one mean block. Its variance over the P * P positions, minus the
    variance that noise is expected to cause, is the squared amplitude. The largest of the four amplitudes is returned.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].

    Returns:
        (B, T) in 8-bit levels (0..255).
    """
    error = (luma(sr) - luma(hr))[..., 0, :, :]
    return torch.stack([_pattern(error, period) for period in _PERIODS]).amax(0)


def _pattern(error: Tensor, period: int) -> Tensor:
    rows, columns = (size // period for size in error.shape[-2:])
    whole = error[..., : rows * period, : columns * period]
    phases = whole.unflatten(-1, (columns, period)).unflatten(-3, (rows, period))
    means = phases.mean((-4, -2))
    noise = phases.var((-4, -2)).mean((-2, -1)) / (rows * columns)
    pattern = (means - means.mean((-2, -1), keepdim=True)).square().mean((-2, -1))
    return (pattern - noise).clamp(min=0).sqrt()


def _inner(frames: Tensor) -> Tensor:
    return frames[..., 1:-1, 1:-1]


def _gradient(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along rows and columns of frames (..., h, w), without the border: (..., h - 2, w - 2)."""
    dy, dx = (torch.gradient(frames, dim=axis)[0] for axis in (-2, -1))
    return _inner(dy), _inner(dx)


def _error(degraded: Tensor, lr: Tensor) -> Tensor:
    return (degraded.double() - lr.double()) * 255


def _squared(a: Tensor, b: Tensor) -> Tensor:
    return _error(a, b).square().mean((-3, -2, -1))


def _fine(frames: Tensor, smooth: int = 1) -> Tensor:
    """Luma without its local mean (B, T, h, w)."""
    y = F.avg_pool2d(luma(frames).flatten(0, 1), smooth, 1)
    fine = y - F.avg_pool2d(y, _BAND, 1, _BAND // 2, count_include_pad=False)
    return fine.unflatten(0, frames.shape[:2])[..., 0, :, :]
