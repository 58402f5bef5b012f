"""Temporal losses by optical flow. The flow and occlusion mask of hr are used for sr too.

sr, hr: (B, T, C, H, W) in [0, 1]. W warps frame t-1 onto frame t; M is 1 for pixels of frame t that are visible in t-1,
else 0. Each loss is a scalar, 0 for a clip of one frame.
"""

from torch import Tensor, nn

from vsr_lab.core.flow import Motion, inside, warp_clip, warp_previous
from vsr_lab.core.ranges import NonNegative


def _seen_mean(error: Tensor, motion: Motion) -> Tensor:
    """Mean of error, (B, T - 1, C, H, W), over the pixels that are visible in both frames.

    Pixels that enter the frame are excluded. Otherwise the replicated border would be half of the loss on a crop of 128
    pixels that pans by four pixels per frame.
    """
    mask = motion.mask * inside(motion.backward.flatten(0, 1)).view_as(motion.mask)
    return (mask * error).sum() / (mask.sum() * error.shape[2]).clamp(min=1)


def _mean(error: Tensor) -> Tensor:
    """The mean, or 0 if there are no values."""
    return error.sum() / max(error.numel(), 1)


class Warp(nn.Module):
    """Short-term temporal loss, mean of M |SR_t - W SR_(t-1)| over visible pixels (Lai et al. 2018, eq. 2).

    W warps the previous frame by the optical flow of HR; M is 1 for pixels that are visible in the previous frame. Use
    a small weight, because this loss is lowest for a blurred clip.
    """

    def forward(self, sr: Tensor, motion: Motion) -> Tensor:
        return _seen_mean((sr[:, 1:] - warp_previous(sr, motion)).abs(), motion)


class Flicker(nn.Module):
    """Flicker loss, mean of M |(SR_t - W SR_(t-1)) - (HR_t - W HR_(t-1))| over visible pixels.

    W warps the previous frame by the optical flow of HR; M is 1 for pixels that are visible in the previous frame. The
    loss measures changes of SR over time that are not in HR. Since warping is linear, these are the changes over time
    of the error SR - HR.
    """

    def forward(self, sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
        error = sr - hr
        return _seen_mean((error[:, 1:] - warp_previous(error, motion)).abs(), motion)


class FlowAlignment(nn.Module):
    """Loss that trains a network's own optical flow: mean of |LR_t - W LR_(t-1)| (FRVSR, Sajjadi et al. 2018, eq. 3).

    W warps the previous LR frame by the flow that the network estimates, so no ground truth of the flow is needed.

    Args:
        smooth: weight of the total variation of the flow, >= 0.
    """

    def __init__(self, smooth: NonNegative = 0.01) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, lr: Tensor, lr_flow: Tensor) -> Tensor:
        """Compute the loss of the optical flow that a network estimates between LR frames.

        Args:
            lr: (B, T, C, h, w) in [0, 1].
            lr_flow: flow from each frame to the previous one in pixels, (B, T - 1, 2, h, w).
        """
        variation = _mean(lr_flow.diff(dim=-1).abs()) + _mean(lr_flow.diff(dim=-2).abs())
        return _mean((lr[:, 1:] - warp_clip(lr[:, :-1], lr_flow)).abs()) + self.smooth * variation


class PingPong(nn.Module):
    """Ping-pong loss, mean of |SR_t - SR'_t| (TecoGAN, Chu et al. 2020, eq. 6).

    After the last frame, the network processes the clip backwards, from the last frame to the first; SR' is this second
    output for the same frames. The loss penalises artefacts that accumulate in a recurrent network, since they differ
    between SR and SR'.
    """

    def forward(self, sr: Tensor, sr_backward: Tensor) -> Tensor:
        return _mean((sr[:, :-1] - sr_backward[:, :-1]).abs())
