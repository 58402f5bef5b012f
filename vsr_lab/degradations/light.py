"""Between what a screen is sent and the light it gives: the sRGB transfer curve (IEC 61966-2-1)."""

import torch
from torch import Tensor


def to_linear(display: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light in [0, 1], any shape."""
    return torch.where(display <= 0.04045, display / 12.92, ((display.clamp(min=0) + 0.055) / 1.055) ** 2.4)


def to_display(light: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB in [0, 1], any shape."""
    return torch.where(light <= 0.0031308, light * 12.92, 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)
