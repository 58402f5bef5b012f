"""Naturalness of single frames, without a reference."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import luma
from vsr_lab.core.downloads import fetched
from vsr_lab.core.errors import reported
from vsr_lab.core.resize import imresize

# The authors' model, converted to NumPy.
_MODEL = "https://github.com/XPixelGroup/BasicSR/raw/master/basicsr/metrics/niqe_pris_params.npz"
_BLOCK = 96  # pixels a side
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to the neighbours whose products are measured


def niqe(sr: Tensor) -> Tensor:
    """Natural image quality evaluator NIQE (Mittal et al. 2013), which needs no HR; lower is better.

    NIQE is the distance between the statistics of a frame and those of undistorted photographs (eq. 10), which are
    taken from the authors' model. Luma is rounded to 8 bits and divided into blocks of 96x96 pixels; remaining pixels
    at the right and bottom are left out. As in the authors' code, all blocks are used, not only the sharpest.

    Args:
        sr: (B, T, 3, H, W) in [0, 1].

    Returns:
        (B, T), NaN for frames of fewer than two blocks with detail.

    Raises:
        UserError: the model is missing and cannot be downloaded.
    """
    rows, columns = (side // _BLOCK for side in sr.shape[-2:])
    if rows * columns < 2:
        return torch.full(sr.shape[:2], torch.nan, dtype=torch.float64)
    frames = luma(sr[..., : rows * _BLOCK, : columns * _BLOCK]).round().flatten(0, 1)
    return torch.stack([_distance(frame[None]) for frame in frames]).view(sr.shape[:2])


def _distance(y: Tensor) -> Tensor:
    """Distance of one frame of luma (1, 1, H, W) from the model."""
    features = torch.cat([_features(y, _BLOCK), _features(imresize(y, 0.5), _BLOCK // 2)], 1)
    complete = features[features.isfinite().all(1)]
    if len(complete) < 2:
        return y.new_tensor(torch.nan)
    mean, covariance = _photographs()
    difference = features.nanmean(0) - mean
    inverse = torch.linalg.pinv((covariance + complete.T.cov()) / 2, hermitian=True)
    return (difference @ inverse @ difference).sqrt()


@lru_cache(maxsize=1)
def _photographs() -> tuple[Tensor, Tensor]:
    """Mean (36,) and covariance (36, 36) of the features of photographs, from the authors' release."""
    file = fetched(_MODEL, "remove the metric (~protocol.metrics.niqe)")
    with reported((OSError, ValueError, KeyError), file, "is no model of NIQE ({})", f"replace it by {_MODEL}"):
        model = np.load(file, allow_pickle=False)
        mean, covariance = (torch.from_numpy(model[name]).double() for name in ("mu_pris_param", "cov_pris_param"))
    return mean.flatten(), covariance


def _features(y: Tensor, block: int) -> Tensor:
    """Features of every block of luma (1, 1, H, W), one row for each block: (blocks, 18)."""
    mean = _smoothed(y)
    deviation = (_smoothed(y.square()) - mean.square()).abs().sqrt()
    normal = F.unfold((y - mean) / (deviation + 1), block, stride=block)[0].T.unflatten(1, (block, block))
    alpha, left, right = _fit(normal)
    found = [alpha, (left + right) / 2]
    for shift in _SHIFTS:
        alpha, left, right = _fit(normal * normal.roll(shift, (1, 2)))
        ratio = (torch.lgamma(2 / alpha) - torch.lgamma(1 / alpha)).exp()
        found += [alpha, (right - left) * ratio, left, right]
    return torch.stack(found, 1)


def _smoothed(y: Tensor) -> Tensor:
    """Filter with a Gaussian of 7x7 pixels and sigma 7/6; borders are replicated."""
    window = torch.exp(-((torch.arange(7, dtype=y.dtype) - 3) ** 2) / (2 * (7 / 6) ** 2))
    window = window / window.sum()
    padded = F.pad(y, (3, 3, 3, 3), mode="replicate")
    return F.conv2d(F.conv2d(padded, window.view(1, 1, 1, 7)), window.view(1, 1, 7, 1))


def _fit(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fit asymmetric generalized Gaussians to blocks (N, H, W) by their moments: shape, left and right scale, (N,)."""
    values = blocks.flatten(1)
    left, right = ((values.square() * side).sum(1).div(side.sum(1)).sqrt() for side in (values < 0, values > 0))
    ratio = left / right
    moments = values.abs().mean(1).square() / values.square().mean(1)
    moments = moments * (ratio**3 + 1) * (ratio + 1) / (ratio.square() + 1).square()
    shapes = torch.arange(0.2, 10.001, 0.001, dtype=values.dtype)
    by_shape = (2 * torch.lgamma(2 / shapes) - torch.lgamma(1 / shapes) - torch.lgamma(3 / shapes)).exp()
    alpha = shapes[(by_shape - moments[:, None]).abs().argmin(1)]
    scale = ((torch.lgamma(1 / alpha) - torch.lgamma(3 / alpha)) / 2).exp()
    return alpha, left * scale, right * scale
