"""Losses on the pixels of single frames. sr, hr, teacher_sr: B T C H W in [0, 1]; each loss is one number."""

from torch import Tensor, nn

from vsr_lab.core.ranges import NonNegative


class Charbonnier(nn.Module):
    """mean sqrt((sr - hr)^2 + epsilon^2): L1 with a smooth floor (Lai et al. 2017, eq. 2)."""

    def __init__(self, epsilon: NonNegative = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return ((sr - hr).square() + self.epsilon**2).sqrt().mean()


class L1(nn.Module):
    """mean |sr - hr|."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return (sr - hr).abs().mean()


class Distillation(nn.Module):
    """mean |sr - teacher_sr|: what a teacher network makes of the same lr (train teacher=<network.safetensors>)."""

    def forward(self, sr: Tensor, teacher_sr: Tensor) -> Tensor:
        return (sr - teacher_sr).abs().mean()
