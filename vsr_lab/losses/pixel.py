"""Losses on pixels, edges and spectra of single frames, (B, T, C, H, W) in [0, 1]; each loss is a scalar."""

import torch
from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative, Positive


class Charbonnier(nn.Module):
    """Charbonnier loss, mean of sqrt((sr - hr)^2 + epsilon^2): a smooth L1 loss (Lai et al. 2017, eq. 2).

    Args:
        epsilon: error in [0, 1] below which the loss is nearly quadratic, and above which it is nearly linear.
    """

    def __init__(self, epsilon: NonNegative = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return ((sr - hr).square() + self.epsilon**2).sqrt().mean()


class L1(nn.Module):
    """L1 loss, mean of |sr - hr|."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return (sr - hr).abs().mean()


class LogMse(nn.Module):
    """Logarithm of the squared error: the mean over clips of log10(1 + MSE / floor).

    Clips with small errors have about the same weight as clips with large errors, as in the mean PSNR of several clips.

    Args:
        floor: squared error, for values in [0, 1], below which the loss hardly decreases, > 0.
    """

    def __init__(self, floor: Positive = 1e-4) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return ((sr - hr).square().flatten(1).mean(1) / self.floor).add(1).log10().mean()


class Distillation(nn.Module):
    """L1 distance to the output of a teacher network for the same LR, mean of |sr - teacher_sr|."""

    def forward(self, sr: Tensor, teacher_sr: Tensor) -> Tensor:
        return (sr - teacher_sr).abs().mean()


class Edges(nn.Module):
    """Edge loss: L1 distance of Sobel gradients, mean of |grad sr - grad hr|.

    Edges, such as those of text and lines, dominate the loss; flat areas hardly contribute.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        from kornia.filters import spatial_gradient  # slow to import

        return spatial_gradient((sr - hr).flatten(0, 1), "sobel").abs().mean()


class FocalFrequency(nn.Module):
    """Focal frequency loss: squared difference of spectra, weighted by the difference itself (Jiang et al., 2021).

    The loss is the mean of w |F(sr) - F(hr)|^2 (eq. 8 and 9), where F is the orthonormal 2-D Fourier transform of the
    whole frame. The weight w is |F(sr) - F(hr)|^alpha divided by its maximum in each channel, without gradient.

    Args:
        alpha: exponent of the weight, >= 0; 0 weights all frequencies equally.
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
