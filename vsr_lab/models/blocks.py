"""Parts that several networks share."""

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), no normalisation (EDSR, Lim et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x).relu())


def zero_(conv: nn.Conv2d) -> nn.Conv2d:
    """Start conv at zero, so that a network with a bicubic skip starts as bicubic exactly."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
