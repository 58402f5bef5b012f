"""Color spaces of degradations: sRGB and linear light, RGB and YUV."""

import torch
from torch import Tensor

from vsr_lab.core.clip import ycbcr_matrix


def srgb_to_linear(srgb: Tensor) -> Tensor:
    """Convert sRGB values in [0, 1] to linear light in [0, 1], any shape."""
    curve = srgb.add(0.055).mul_(1 / 1.055).clamp_(min=0).pow_(2.4)  # in place: allocating costs more than pow
    return torch.where(srgb <= 0.04045, srgb / 12.92, curve)


def linear_to_srgb(light: Tensor) -> Tensor:
    """Convert linear light in [0, 1] to sRGB values in [0, 1], any shape."""
    curve = light.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(light <= 0.0031308, light * 12.92, curve)


def to_yuv(rgb: Tensor, matrix: str) -> Tensor:
    """Convert RGB to YUV, not rounded.

    Args:
        rgb: (..., 3, H, W) in [0, 1].
        matrix: "bt601", "bt709", "bt2020", "smpte240m" or "fcc".

    Returns:
        Same shape: luma in [0, 1], chroma in [-0.5, 0.5].
    """
    return torch.einsum("ij,...jhw->...ihw", torch.from_numpy(ycbcr_matrix(matrix)).to(rgb), rgb)


def to_rgb(yuv: Tensor, matrix: str) -> Tensor:
    """Convert YUV to RGB, not clamped: the inverse of `to_yuv`."""
    inverse = torch.linalg.inv(torch.from_numpy(ycbcr_matrix(matrix)))
    return torch.einsum("ij,...jhw->...ihw", inverse.to(yuv), yuv)
