"""Motion between neighbouring frames: backward warping, occlusion, and the motion of a whole clip.

Flows are in pixels, (x, y) on the channel axis, B 2 H W: out(p) = image(p + flow(p)).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Motion(NamedTuple):
    """How the pixels of a clip's frames 1..T-1 relate to the frame before each.

    backward: B T-1 2 H W, from frame t to t-1 (what warps t-1 onto t);
    forward: B T-1 2 H W, from frame t-1 to t; mask: B T-1 1 H W, 1 where the two agree and at no edge of a motion,
    see `visible`. It is 1 too for most of what enters the picture, see `inside`.
    """

    backward: Tensor
    forward: Tensor
    mask: Tensor


def backward_warp(image: Tensor, flow: Tensor, padding: str = "border") -> Tensor:
    """Sample image (B C H W) at p + flow(p) (flow B 2 H W, pixels), bilinear; outside: "border" repeated or "zeros".

    In float32 at least: coordinates of half precision would be off by a quarter of a pixel. Returns image's type.
    """
    height, width = image.shape[-2:]
    flow = flow.to(torch.promote_types(flow.dtype, torch.float32))
    wide = torch.promote_types(image.dtype, torch.float32)
    x, y = _places(flow)
    grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], -1).to(wide)
    sampled = F.grid_sample(image.to(wide), grid, mode="bilinear", padding_mode=padding, align_corners=True)
    return sampled.to(image.dtype)


def _places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """x and y of p + flow(p), B H W each."""
    height, width = flow.shape[-2:]
    xs = torch.arange(width, device=flow.device, dtype=flow.dtype)
    ys = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return xs + flow[:, 0], ys[:, None] + flow[:, 1]


def visible(backward: Tensor, forward: Tensor) -> Tensor:
    """1 where a pixel of frame t is also seen in t-1 and off motion edges, B 1 H W.

    Ruder et al. 2016, eq. 5 and 6, with the constants of Lai et al. 2018: with w = backward flow and w_fb = the
    forward flow warped by it, visible where |w_fb + w|^2 <= 0.01(|w_fb|^2 + |w|^2) + 0.5 and
    |du|^2 + |dv|^2 <= 0.01|w|^2 + 0.002.
    """
    returned = backward_warp(forward, backward)
    square = backward.square().sum(1)
    consistent = (returned + backward).square().sum(1) <= 0.01 * (returned.square().sum(1) + square) + 0.5
    dx = F.pad(backward.diff(dim=-1), (0, 1))
    dy = F.pad(backward.diff(dim=-2), (0, 0, 0, 1))
    smooth = dx.square().sum(1) + dy.square().sum(1) <= 0.01 * square + 0.002
    return (consistent & smooth).unsqueeze(1).to(backward.dtype)


def inside(flow: Tensor) -> Tensor:
    """1 where p + flow(p) (B 2 H W, pixels) lies in the picture, B 1 H W. `visible` cannot tell: flows agree there."""
    height, width = flow.shape[-2:]
    x, y = _places(flow)
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).unsqueeze(1).to(flow.dtype)


def warp_clip(clip: Tensor, flow: Tensor) -> Tensor:
    """Every frame of clip (B T C H W) by its own flow (B T 2 H W)."""
    return backward_warp(clip.flatten(0, 1), flow.flatten(0, 1)).unflatten(0, clip.shape[:2])


def warp_previous(clip: Tensor, motion: Motion) -> Tensor:
    """Frames 0..T-2 of clip (B T C H W), each warped onto the frame after it: B T-1 C H W."""
    return warp_clip(clip[:, :-1], motion.backward)
