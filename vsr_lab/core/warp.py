"""Backward warping, and occlusion masks.

Flow is in pixels, (B, 2, H, W) with x and y on the channel axis: out(p) = image(p + flow(p)).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Motion(NamedTuple):
    """Optical flow between neighbouring frames of a clip (B, T, C, H, W), with a visibility mask.

    Attributes:
        backward: flow in pixels from frame t to t-1, which warps t-1 onto t, (B, T-1, 2, H, W).
        forward: flow in pixels from frame t-1 to t, (B, T-1, 2, H, W).
        mask: 1 for pixels of frame t that are visible in t-1 (see `visible`), else 0, (B, T-1, 1, H, W). It is also 1
            for most pixels whose content was outside of frame t-1; `inside` detects these.
    """

    backward: Tensor
    forward: Tensor
    mask: Tensor


def backward_warp(image: Tensor, flow: Tensor, padding: str = "border") -> Tensor:
    """Warp an image by optical flow: out(p) = image(p + flow(p)), with bilinear interpolation.

    It computes in float32 or float64, because coordinates in half precision would be off by a quarter of a pixel.

    Args:
        image: (B, C, H, W).
        flow: (B, 2, H, W) in pixels.
        padding: "border" or "zeros" outside the image.

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
    """x and y of p + flow(p), (B, H, W) each."""
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
    """Mask (B, 1, H, W) of the pixels p for which p + flow(p) is in the frame; `visible` can be 1 for others too."""
    height, width = flow.shape[-2:]
    x, y = _places(flow)
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).unsqueeze(1).to(flow.dtype)


def warp_clip(clip: Tensor, flow: Tensor) -> Tensor:
    """Warp every frame of clip (B, T, C, H, W) by its own flow (B, T, 2, H, W)."""
    return backward_warp(clip.flatten(0, 1), flow.flatten(0, 1)).unflatten(0, clip.shape[:2])


def warp_previous(clip: Tensor, motion: Motion) -> Tensor:
    """Warp frames 0..T-2 of clip (B, T, C, H, W) onto the frames after them: (B, T-1, C, H, W)."""
    return warp_clip(clip[:, :-1], motion.backward)
