"""Losses on edges and spectra of single frames. sr, hr: (B, T, C, H, W) in [0, 1]; each loss is a scalar."""

import torch
from kornia.filters import spatial_gradient
from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative


class Edges(nn.Module):
    """L1 distance of Sobel gradients, mean of |grad sr - grad hr|.

    Flat areas hardly contribute to it, unlike the edges of text and lines.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return spatial_gradient((sr - hr).flatten(0, 1), "sobel").abs().mean()


class FocalFrequency(nn.Module):
    """Focal frequency loss: a weighted squared distance of spectra (Jiang et al., 2021, eq. 8 and 9).

    It is the mean of w |F(sr) - F(hr)|^2, where F is the orthonormal 2-D Fourier transform of the whole frame. The
    weight w is |F(sr) - F(hr)|^alpha divided by its maximum in each channel, without gradient.
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
