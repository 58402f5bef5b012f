"""Temporal metrics. sr, hr: B T 3 H W in [0, 1]; motion: of hr; results B T, NaN for the first frame."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.flow import Farneback, farneback
from vsr_lab.core.luma import to_gray
from vsr_lab.core.warp import Motion, warp_previous


def reference_motion(hr: Tensor) -> Motion:
    """Motion of the target that every temporal metric uses, in evaluation and in validation alike.

    Farneback flow with tOF's parameters at full size: another estimator would make another metric.

    Args:
        hr: B T 3 H W, RGB in [0, 1].

    Returns:
        Flow between neighbouring frames, both ways, in pixels, and the mask of pixels visible in both.
    """
    return Farneback()(hr)


def _after_first(values: Tensor) -> Tensor:
    return F.pad(values.double(), (1, 0), value=float("nan"))


def _masked_mean(error: Tensor, mask: Tensor) -> Tensor:
    mask = mask.expand_as(error)
    return (error * mask).sum((-3, -2, -1)) / mask.sum((-3, -2, -1)).clamp(min=1)


def flicker(sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
    """mean of M |(sr_t - W sr_(t-1)) - (hr_t - W hr_(t-1))| in 8-bit levels: change that HR does not have.

    0 for sr = hr, and for a static clip with static output.
    """
    error = sr - hr
    return _after_first(_masked_mean((error[:, 1:] - warp_previous(error, motion)).abs(), motion.mask) * 255)


def warp_error(sr: Tensor, motion: Motion) -> Tensor:
    """1000 x mean of M (sr_t - W sr_(t-1))^2 (Lai et al. 2018, eq. 8), with the flow of HR.

    It rewards blur: compare it with that of HR itself, `true_warp_error`.
    """
    return _after_first(_masked_mean((sr[:, 1:] - warp_previous(sr, motion)).square(), motion.mask) * 1000)


def true_warp_error(hr: Tensor, motion: Motion) -> Tensor:
    """`warp_error` of HR itself."""
    return warp_error(hr, motion)


def tof(sr: Tensor, motion: Motion) -> Tensor:
    """tOF (Chu et al. 2020, TecoGAN): end-point error in pixels between the flows of sr and hr, Farneback on gray.

    motion must be Farneback's too, as `reference_motion` is.
    """
    batch, length = sr.shape[:2]
    if length < 2:
        return sr.new_full((batch, length), float("nan"), dtype=torch.float64)
    gray = to_gray(sr).reshape(batch, length, *sr.shape[-2:])
    pairs = [(gray[b, t - 1], gray[b, t]) for b in range(batch) for t in range(1, length)]
    flow = torch.stack([farneback(previous, current) for previous, current in pairs]).unflatten(0, (batch, length - 1))
    return _after_first((flow - motion.forward.cpu()).square().sum(2).sqrt().mean((-2, -1)))
