"""The sRGB transfer function (IEC 61966-2-1)."""

import torch
from torch import Tensor


def srgb_to_linear(srgb: Tensor) -> Tensor:
    """Convert sRGB values in [0, 1] to linear light in [0, 1], any shape."""
    curve = srgb.add(0.055).mul_(1 / 1.055).clamp_(min=0).pow_(2.4)  # in place: allocating costs more than pow
    return torch.where(srgb <= 0.04045, srgb / 12.92, curve)


def linear_to_srgb(light: Tensor) -> Tensor:
    """Convert linear light in [0, 1] to sRGB values in [0, 1], any shape."""
    curve = light.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(light <= 0.0031308, light * 12.92, curve)
