"""Optical flow estimators: callables from a clip to the `Motion` between its frames."""

from collections.abc import Callable
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import Frames
from vsr_lab.core.luma import to_gray
from vsr_lab.core.ranges import Shrink
from vsr_lab.core.warp import Motion, visible


class FlowEstimator(Protocol):
    """Interface of optical flow estimators: functions from a clip, RGB (B, T, 3, H, W) in [0, 1], to its `Motion`.

    Gradients are not computed.
    """

    def __call__(self, clip: Tensor) -> Motion: ...


def farneback(previous: Frames, current: Frames) -> Tensor:
    """Compute Farneback's dense flow with the parameters of tOF (Chu et al., TecoGAN, 2020).

    Args:
        previous: gray uint8 (H, W).
        current: gray uint8 (H, W).

    Returns:
        Flow from previous to current in pixels, float32 (2, H, W).
    """
    flow = cv2.calcOpticalFlowFarneback(previous, current, np.empty(0), 0.5, 3, 15, 3, 5, 1.2, 0)  # pyright: ignore
    return torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1)))


def motion_between(clip: Tensor, shrink: int, both_ways: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Motion:
    """Estimate optical flow at reduced size and scale it to the size of the clip.

    Args:
        clip: (B, T, C, H, W) in [0, 1].
        shrink: divisor of the height and width at which flow is estimated, >= 1.
        both_ways: function of the reduced clip (B, T, C, h, w) that returns its backward and its forward flow, each
            (B(T-1), 2, h, w) in pixels.

    Returns:
        Backward and forward flow at full size, and their visibility mask.
    """
    batch, length, _, height, width = clip.shape
    if length < 2:
        flow = clip.new_zeros(batch, 0, 2, height, width)
        return Motion(flow, flow, flow[:, :, :1])
    backward, forward = (_enlarged(flow, (height, width)) for flow in both_ways(_reduced(clip, shrink)))
    mask = visible(backward, forward)
    return Motion(*(part.unflatten(0, (batch, length - 1)) for part in (backward, forward, mask)))


def _reduced(clip: Tensor, shrink: int) -> Tensor:
    if shrink == 1:
        return clip
    size = [-(-side // shrink) for side in clip.shape[-2:]]
    small = F.interpolate(clip.flatten(0, 1), size, mode="bilinear", antialias=True)
    return small.unflatten(0, clip.shape[:2])


def _enlarged(flow: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    ratio = flow.new_tensor([size[1] / width, size[0] / height]).view(2, 1, 1)
    return F.interpolate(flow, size, mode="bilinear") * ratio


class Farneback:
    """Optical flow estimator by Farneback's method (2003) in OpenCV, on 8-bit gray on the CPU. It has no weights.

    Args:
        shrink: divisor of the height and width at which flow is estimated, >= 1; a larger one is faster and less exact.
    """

    def __init__(self, shrink: Shrink = 1) -> None:
        self.shrink = shrink

    @torch.no_grad()
    def __call__(self, clip: Tensor) -> Motion:
        return motion_between(clip, self.shrink, self._both_ways)

    def _both_ways(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        gray = to_gray(clip)
        gray = gray.reshape(*clip.shape[:2], *gray.shape[1:])
        pairs = [pair for frames in gray for pair in pairwise(frames)]
        backward = torch.stack([farneback(current, previous) for previous, current in pairs])
        forward = torch.stack([farneback(previous, current) for previous, current in pairs])
        return backward.to(clip.device), forward.to(clip.device)
