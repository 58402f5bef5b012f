"""Losses on the fine structure of single frames: edges and spectra. sr, hr: B T C H W in [0, 1]; each is one number."""

import torch
from kornia.filters import spatial_gradient
from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative


class Edges(nn.Module):
    """mean |grad sr - grad hr| by Sobel filters: text is edges, and fills do not drown them."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return spatial_gradient((sr - hr).flatten(0, 1), "sobel").abs().mean()


class FocalFrequency(nn.Module):
    """Distance of spectra, weighted by itself (Jiang et al., "Focal frequency loss", 2021, eq. 8 and 9).

    mean of w |F(sr) - F(hr)|^2 with w = |F(sr) - F(hr)|^alpha over its own largest value in each channel, held
    constant; F is the orthonormal Fourier transform of the whole frame.
    """

    def __init__(self, alpha: NonNegative = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        difference = torch.fft.fft2((sr - hr).float(), norm="ortho")
        square = difference.real.square() + difference.imag.square()
        weight = square.detach() ** (self.alpha / 2)
        weight = weight / weight.amax((-2, -1), keepdim=True).clamp(min=1e-12)
        return (weight * square).mean()
