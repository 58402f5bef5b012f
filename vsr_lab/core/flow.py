"""Optical flow between frames, warping by optical flow, and masks of the pixels that are visible in both frames."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.clip import Frames, to_gray
from vsr_lab.core.ranges import Shrink


class Motion(NamedTuple):
    """Optical flow between neighbouring frames of a clip (B, T, C, H, W), with a visibility mask.

    Attributes:
        backward: flow in pixels from frame t to t-1, which warps t-1 onto t, (B, T-1, 2, H, W).
        forward: flow in pixels from frame t-1 to t, (B, T-1, 2, H, W).
        mask: 1 for pixels of frame t that are visible in t-1 (see `visible`), else 0, (B, T-1, 1, H, W). Pixels that
            come from outside frame t-1 are mostly 1 too; multiply by `inside(backward)` to exclude them.
    """

    backward: Tensor
    forward: Tensor
    mask: Tensor


def backward_warp(image: Tensor, flow: Tensor, padding: str = "border") -> Tensor:
    """Warp an image by optical flow: out(p) = image(p + flow(p)), with bilinear interpolation.

    Half precision is computed in float32, because coordinates in half precision have errors of up to 1/4 pixel.

    Args:
        image: (B, C, H, W).
        flow: (B, 2, H, W) in pixels.
        padding: values outside the image: "border" repeats the nearest pixel, "zeros" is black.

    Returns:
        (B, C, H, W) in the dtype of image.
    """
    height, width = image.shape[-2:]
    flow = flow.to(torch.promote_types(flow.dtype, torch.float32))
    wide = torch.promote_types(image.dtype, torch.float32)
    x, y = _places(flow)
    grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], -1).to(wide)
    sampled = F.grid_sample(image.to(wide), grid, mode="bilinear", padding_mode=padding, align_corners=True)
    return sampled.to(image.dtype)


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates x and y of p + flow(p) for every pixel p, (B, H, W) each."""
    height, width = flow.shape[-2:]
    xs = torch.arange(width, device=flow.device, dtype=flow.dtype)
    ys = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return xs + flow[:, 0], ys[:, None] + flow[:, 1]


def visible(backward: Tensor, forward: Tensor) -> Tensor:
    """Mask of the pixels of frame t that are visible in frame t-1, by forward-backward consistency of the flow.

    Pixels at motion boundaries are excluded too. The conditions are those of Ruder et al. 2016, eq. 5 and 6, with the
    constants of Lai et al. 2018. Let w = (u, v) be the backward flow, and w_fb the forward flow warped by it. A pixel
    is visible if |w_fb + w|^2 <= 0.01 (|w_fb|^2 + |w|^2) + 0.5 and |grad u|^2 + |grad v|^2 <= 0.01 |w|^2 + 0.002.

    Args:
        backward: flow from frame t to t-1 in pixels, (B, 2, H, W).
        forward: flow from frame t-1 to t in pixels, (B, 2, H, W).

    Returns:
        0 or 1, (B, 1, H, W).
    """
    returned = backward_warp(forward, backward)
    square = backward.square().sum(1)
    consistent = (returned + backward).square().sum(1) <= 0.01 * (returned.square().sum(1) + square) + 0.5
    dx = F.pad(backward.diff(dim=-1), (0, 1))
    dy = F.pad(backward.diff(dim=-2), (0, 0, 0, 1))
    smooth = dx.square().sum(1) + dy.square().sum(1) <= 0.01 * square + 0.002
    return (consistent & smooth).unsqueeze(1).to(backward.dtype)


def inside(flow: Tensor) -> Tensor:
    """Mask (B, 1, H, W), 1 for pixels p for which p + flow(p) is inside the frame; `visible` does not test this."""
    height, width = flow.shape[-2:]
    x, y = _places(flow)
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).unsqueeze(1).to(flow.dtype)


def warp_clip(clip: Tensor, flow: Tensor) -> Tensor:
    """Warp every frame of clip (B, T, C, H, W) by its own flow (B, T, 2, H, W)."""
    return backward_warp(clip.flatten(0, 1), flow.flatten(0, 1)).unflatten(0, clip.shape[:2])


def warp_previous(clip: Tensor, motion: Motion) -> Tensor:
    """Warp frames 0..T-2 of clip (B, T, C, H, W), each onto the frame after it. Returns (B, T-1, C, H, W)."""
    return warp_clip(clip[:, :-1], motion.backward)


class FlowEstimator(Protocol):
    """Interface of optical flow estimators: functions from a clip, RGB (B, T, 3, H, W) in [0, 1], to its `Motion`.

    No gradients flow from the motion to the clip.
    """

    def __call__(self, clip: Tensor) -> Motion: ...


def farneback(pairs: Iterable[tuple[Frames, Frames]]) -> Tensor:
    """Compute Farneback's dense flow with the parameters of tOF (Chu et al., TecoGAN, 2020), in parallel.

    Args:
        pairs: N >= 1 pairs of previous and current frame, each gray uint8 (H, W).

    Returns:
        Flow from previous to current in pixels, float32 (N, 2, H, W).
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        flows = threads.map(
            lambda pair: cv2.calcOpticalFlowFarneback(*pair, np.empty(0), 0.5, 3, 15, 3, 5, 1.2, 0),  # pyright: ignore
            pairs,
        )
        return torch.from_numpy(np.stack([flow.transpose(2, 0, 1) for flow in flows]))


def motion_between(clip: Tensor, shrink: int, both_ways: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Motion:
    """Estimate optical flow at reduced size and scale it to the size of the clip.

    Args:
        clip: (B, T, C, H, W) in [0, 1].
        shrink: divisor of the height and width at which flow is estimated, >= 1.
        both_ways: function that maps the reduced clip (B, T, C, h, w) to its backward and its forward flow, each
            (B * (T-1), 2, h, w) in pixels.

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
        shrink: divisor of the height and width at which flow is estimated, >= 1; larger is faster and less accurate.
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
        backward, forward = farneback([*((b, a) for a, b in pairs), *pairs]).to(clip.device).chunk(2)
        return backward, forward
