"""Losses on the pixels of single frames. sr, hr and teacher_sr are (B, T, C, H, W) in [0, 1]; each loss is a scalar."""

from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative


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


class Distillation(nn.Module):
    """L1 distance to the output of a teacher network for the same LR, mean of |sr - teacher_sr|."""

    def forward(self, sr: Tensor, teacher_sr: Tensor) -> Tensor:
        return (sr - teacher_sr).abs().mean()
