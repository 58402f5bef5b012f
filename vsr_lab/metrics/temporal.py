"""Temporal metrics. sr, hr: (B, T, 3, H, W) in [0, 1]; motion: optical flow of hr; results: (B, T).

The first frame of a clip has no value (NaN).

In the formulas, W warps frame t-1 onto frame t by the optical flow of hr, and M is 1 for pixels of frame t that are
visible in t-1, else 0. Where M is 0 everywhere, the mean over it is NaN.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import to_gray
from vsr_lab.core.flow import Farneback, Motion, farneback, warp_previous


def reference_motion(hr: Tensor) -> Motion:
    """Compute the optical flow of HR that temporal metrics use, in evaluation and in validation.

    The estimator is Farneback's, with the parameters of tOF, at full size. It is part of the definition of the metrics.

    Args:
        hr: RGB (B, T, 3, H, W) in [0, 1].

    Returns:
        Flow between neighbouring frames in both directions, in pixels, and the mask of pixels that both frames show.
    """
    return Farneback()(hr)


def raft_motion(hr: Tensor) -> Motion:
    """Compute the optical flow of HR by RAFT-small, for `warp_error_raft`, one pair of frames at a time to save memory.

    Args:
        hr: RGB (B, T, 3, H, W) in [0, 1].

    Returns:
        As `reference_motion`.

    Raises:
        UserError: the weights are missing and cannot be downloaded.
    """
    from vsr_lab.core.raft import fetched_raft  # torchvision, which takes a second

    estimate = fetched_raft()
    parts = [estimate(hr[:, t : t + 2]) for t in range(max(hr.shape[1] - 1, 1))]
    return Motion(*(torch.cat(part, 1) for part in zip(*parts, strict=True)))


def _after_first(values: Tensor) -> Tensor:
    return F.pad(values.double(), (1, 0), value=float("nan"))


def _masked_mean(error: Tensor, mask: Tensor) -> Tensor:
    """Mean of error (B, T, C, H, W) over the mask, (B, T); NaN where no pixel is visible in both frames."""
    mask = mask.expand_as(error)
    return (error * mask).sum((-3, -2, -1)) / mask.sum((-3, -2, -1))


def flicker(sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
    """Flicker in 8-bit levels (0..255), mean of M |(sr_t - W sr_(t-1)) - (hr_t - W hr_(t-1))|; lower is better.

    W warps the previous frame by the optical flow of hr; M is 1 for pixels that are visible in the previous frame. The
    metric measures changes of sr over time that are not in hr. It is 0 if sr = hr, and also if both sr and hr are
    constant over time.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        motion: optical flow of hr, see `reference_motion`.

    Returns:
        (B, T), NaN for the first frame.
    """
    error = sr - hr
    return _after_first(_masked_mean((error[:, 1:] - warp_previous(error, motion)).abs(), motion.mask) * 255)


def warp_error(sr: Tensor, motion: Motion) -> Tensor:
    """Warping error, 1000 times the mean of M (sr_t - W sr_(t-1))^2 (Lai et al. 2018, eq. 8); lower is better.

    W warps the previous frame by the optical flow of HR; M is 1 for pixels that are visible in the previous frame. A
    blurred clip has a low error, so compare the value with that of HR, `true_warp_error`.

    Args:
        sr: (B, T, 3, H, W) in [0, 1].
        motion: optical flow of HR, see `reference_motion`.

    Returns:
        (B, T), NaN for the first frame.
    """
    return _after_first(_masked_mean((sr[:, 1:] - warp_previous(sr, motion)).square(), motion.mask) * 1000)


def self_flicker(sr: Tensor) -> Tensor:
    """Flicker without a reference, in 8-bit levels: the mean of M |sr_t - W sr_(t-1)|.

    W warps the previous frame by the optical flow of sr; M is 1 for pixels that are visible in the previous frame. The
    metric measures every change that motion does not explain, including noise in the source, and is low for blurred
    clips. So use it only to compare versions of the same clip, and never as the only metric.

    Args:
        sr: (B, T, 3, H, W) in [0, 1].

    Returns:
        (B, T), NaN for the first frame.
    """
    motion = reference_motion(sr)
    return _after_first(_masked_mean((sr[:, 1:] - warp_previous(sr, motion)).abs(), motion.mask) * 255)


def true_warp_error(hr: Tensor, motion: Motion) -> Tensor:
    """The metric `warp_error` of HR itself, with which that of SR is compared."""
    return warp_error(hr, motion)


def warp_error_raft(sr: Tensor, raft_motion: Motion) -> Tensor:
    """The metric `warp_error` along the optical flow that RAFT-small (Teed and Deng 2020) estimates in HR.

    Its values cannot be compared with those of `warp_error`.

    Args:
        sr: (B, T, 3, H, W) in [0, 1].
        raft_motion: optical flow of HR, as from the function `raft_motion`.

    Returns:
        (B, T), NaN for the first frame.
    """
    return warp_error(sr, raft_motion)


def true_warp_error_raft(hr: Tensor, raft_motion: Motion) -> Tensor:
    """The metric `warp_error_raft` of HR itself, with which that of SR is compared."""
    return warp_error(hr, raft_motion)


def tof(sr: Tensor, motion: Motion) -> Tensor:
    """tOF, mean end-point error in pixels between the Farneback flow of sr and that of hr; lower is better.

    Source: Chu et al. 2020 (TecoGAN).

    Args:
        sr: (B, T, 3, H, W) in [0, 1].
        motion: Farneback flow of hr, as returned by `reference_motion`.

    Returns:
        (B, T), NaN for the first frame.
    """
    batch, length = sr.shape[:2]
    if length < 2:
        return sr.new_full((batch, length), float("nan"), dtype=torch.float64)
    gray = to_gray(sr).reshape(batch, length, *sr.shape[-2:])
    flow = farneback(pair for frames in gray for pair in pairwise(frames)).unflatten(0, (batch, length - 1))
    return _after_first((flow - motion.forward.cpu()).square().sum(2).sqrt().mean((-2, -1)))
