"""Fidelity of single frames. sr, hr: B T 3 H W in [0, 1], already quantised; results B T, float64."""

import piq
import torch
from torch import Tensor

from vsr_lab.core.colour import judged_channels

_CEILING_DB = 100.0  # what identical frames are given, so that means and intervals stay finite


def _decibels(squared_error: Tensor) -> Tensor:
    return (10 * torch.log10(255**2 / squared_error.clamp(min=1e-12))).clamp(max=_CEILING_DB)


def psnr(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Peak signal-to-noise ratio in dB on 8-bit levels, float64; colour "y" or "rgb". Identical frames: 100 dB."""
    error = judged_channels(sr, colour) - judged_channels(hr, colour)
    return _decibels(error.square().mean((-3, -2, -1)))


def ssim(sr: Tensor, hr: Tensor, colour: str) -> Tensor:
    """Structural similarity (Wang et al. 2004): 11x11 Gaussian of sigma 1.5, valid region, channels averaged."""
    # float32: ten times faster than float64 here, and equal to 1e-6 on Vid4.
    a = judged_channels(sr, colour).flatten(0, 1).float()
    b = judged_channels(hr, colour).flatten(0, 1).float()
    # piq's default would first shrink the picture: .956 where the field's SSIM reads .689.
    value = piq.ssim(a, b, data_range=255, reduction="none", downsample=False)
    assert isinstance(value, Tensor)
    return value.view(sr.shape[:2]).double()


def lr_consistency(degraded: Tensor, lr: Tensor) -> Tensor:
    """PSNR in dB between the degraded output and the input: how much the model contradicts what was recorded.

    degraded: sr once more through the degradation; both B T 3 h w.
    """
    error = (degraded.double() - lr.double()) * 255
    return _decibels(error.square().mean((-3, -2, -1)))
