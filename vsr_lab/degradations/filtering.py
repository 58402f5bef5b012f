"""What several steps share: blur along lines, smooth random drift, moved pictures and lines."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import lfilter
from torch import Tensor


def low_pass(x: Tensor, sigma: float) -> Tensor:
    """Gaussian of sigma pixels along the last axis, its ends repeated."""
    if sigma <= 0:
        return x
    radius = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype) / sigma) ** 2)
    lines = F.pad(x.reshape(-1, 1, x.shape[-1]), (radius, radius), mode="replicate")
    return F.conv1d(lines, (taps / taps.sum()).view(1, 1, -1)).reshape(x.shape)


def drift(rng: np.random.Generator, length: int, memory: float, channels: int = 1) -> np.ndarray:
    """A wandering value of mean 0 and variance 1: (length, channels); memory is its correlation a frame further on."""
    noise = rng.standard_normal((length, channels))
    noise[1:] *= math.sqrt(1 - memory**2)
    return np.asarray(lfilter([1], [1, -memory], noise, axis=0))


def displaced(clip: Tensor, flow: Tensor) -> Tensor:
    """Sample clip (..., T, C, H, W) at p + flow(p), bicubic, the border repeated, clamped to [0, 1].

    flow: pixels, (x, y) on its channel axis, T 2 H W (or any axes that broadcast to the clip's).
    """
    height, width = clip.shape[-2:]
    lead = clip.shape[:-3]
    flow = flow.to(clip).expand(*lead, 2, height, width).reshape(-1, 2, height, width)
    x = torch.arange(width, device=clip.device, dtype=clip.dtype) + flow[:, 0]
    y = torch.arange(height, device=clip.device, dtype=clip.dtype)[:, None] + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    pictures = clip.reshape(-1, *clip.shape[-3:])
    moved = F.grid_sample(pictures, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return moved.clamp(0, 1).reshape(clip.shape)


def shift_lines(clip: Tensor, right: Tensor) -> Tensor:
    """Move every line of clip (..., T, C, H, W) by right (T H) pixels, which may be fractions; bicubic."""
    flow = torch.zeros(right.shape[0], 2, right.shape[1], 1)
    flow[:, 0, :, 0] = -right
    return displaced(clip, flow)
