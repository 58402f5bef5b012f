"""Losses on the pixels of single frames. sr, hr and teacher_sr are (B, T, C, H, W) in [0, 1]; each loss is a scalar."""

from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative, Positive


class Charbonnier(nn.Module):
    """Charbonnier loss, mean of sqrt((sr - hr)^2 + epsilon^2): a smooth L1 loss (Lai et al. 2017, eq. 2)."""

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

    As with PSNR, clips with small and with large errors have about the same weight.

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
