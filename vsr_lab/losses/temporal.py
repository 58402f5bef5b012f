"""Flow-guided losses on neighbouring frames. Flow and visibility come from HR, which both outputs share.

sr, hr: B T C H W in [0, 1]; each loss is one number, 0 for a clip of one frame.
"""

from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative
from vsr_lab.core.warp import Motion, inside, warp_clip, warp_previous


def _seen_mean(error: Tensor, motion: Motion) -> Tensor:
    """The mean of error (B T-1 C H W) where a pixel is visible in both frames.

    What enters the picture is left out: it has no past, and the border that stands in for it would be half of the
    loss where a crop of 128 pixels pans by four a frame.
    """
    mask = motion.mask * inside(motion.backward.flatten(0, 1)).view_as(motion.mask)
    return (mask * error).sum() / (mask.sum() * error.shape[2]).clamp(min=1)


def _mean(error: Tensor) -> Tensor:
    """The mean, and 0 of nothing."""
    return error.sum() / max(error.numel(), 1)


class Warp(nn.Module):
    """mean of M |SR_t - W SR_(t-1)| over visible pixels: the classic short-term loss (Lai et al. 2018, eq. 2).

    It is lowest for a blurred clip, so its weight has to stay small.
    """

    def forward(self, sr: Tensor, motion: Motion) -> Tensor:
        return _seen_mean((sr[:, 1:] - warp_previous(sr, motion)).abs(), motion)


class Flicker(nn.Module):
    """mean of M |(SR_t - W SR_(t-1)) - (HR_t - W HR_(t-1))| over visible pixels: change that the truth does not make.

    Because warping is linear this is the temporal change of the error itself: blur wins nothing.
    """

    def forward(self, sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
        error = sr - hr
        return _seen_mean((error[:, 1:] - warp_previous(error, motion)).abs(), motion)


class FlowAlignment(nn.Module):
    """mean |LR_t - W LR_(t-1)| by the network's own flow: what teaches it to see motion, with no labels (FRVSR,
    Sajjadi et al. 2018, eq. 3). smooth: weight of the flow's total variation.
    """

    def __init__(self, smooth: NonNegative = 0.01) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, lr: Tensor, lr_flow: Tensor) -> Tensor:
        """lr: B T C h w; lr_flow: B T-1 2 h w, from each frame to the one before it."""
        variation = _mean(lr_flow.diff(dim=-1).abs()) + _mean(lr_flow.diff(dim=-2).abs())
        return _mean((lr[:, 1:] - warp_clip(lr[:, :-1], lr_flow)).abs()) + self.smooth * variation


class PingPong(nn.Module):
    """mean |SR_t - SR'_t|, SR' made on the way back from the end of the clip (TecoGAN, Chu et al. 2020, eq. 6).

    What a network invents and then carries along differs on the two ways; what it saw does not.
    """

    def forward(self, sr: Tensor, sr_backward: Tensor) -> Tensor:
        return _mean((sr[:, :-1] - sr_backward[:, :-1]).abs())
