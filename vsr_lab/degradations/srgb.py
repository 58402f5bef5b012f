"""Between what a screen is sent and the light it gives: the sRGB transfer curve (IEC 61966-2-1)."""

import torch
from torch import Tensor


def to_linear(display: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light in [0, 1], any shape."""
    curve = display.add(0.055).mul_(1 / 1.055).clamp_(min=0).pow_(2.4)  # in place: allocating costs more than pow
    return torch.where(display <= 0.04045, display / 12.92, curve)


def to_display(light: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB in [0, 1], any shape."""
    curve = light.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(light <= 0.0031308, light * 12.92, curve)
