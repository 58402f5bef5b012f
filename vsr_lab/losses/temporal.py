"""Flow-guided losses on neighbouring frames. Flow and visibility come from HR, which both outputs share."""

from torch import Tensor, nn

from vsr_lab.core.warp import Motion, warp_previous


def _masked_mean(error: Tensor, mask: Tensor) -> Tensor:
    return (mask * error).sum() / (mask.sum() * error.shape[2]).clamp(min=1)


class Warp(nn.Module):
    """mean of M |SR_t - W SR_(t-1)| over visible pixels: the classic short-term loss (Lai et al. 2018, eq. 2).

    It is lowest for a blurred clip, so its weight has to stay small.
    """

    def forward(self, sr: Tensor, motion: Motion) -> Tensor:
        return _masked_mean((sr[:, 1:] - warp_previous(sr, motion)).abs(), motion.mask)


class Flicker(nn.Module):
    """mean of M |(SR_t - W SR_(t-1)) - (HR_t - W HR_(t-1))| over visible pixels: change that the truth does not make.

    Because warping is linear this is the temporal change of the error itself: blur wins nothing.
    """

    def forward(self, sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
        error = sr - hr
        return _masked_mean((error[:, 1:] - warp_previous(error, motion)).abs(), motion.mask)
