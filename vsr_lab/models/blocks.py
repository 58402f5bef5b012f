"""Layers that several networks share."""

from itertools import pairwise

import torch
from torch import Tensor, nn

_LEAK = 0.1
# How an enlargement is made of pixel shuffles.
FACTORS = {2: (2,), 3: (3,), 4: (2, 2)}


class ResidualBlock(nn.Module):
    """Residual block without normalisation, x + conv(relu(conv(x))) (EDSR, Lim et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x).relu())


class Trunk(nn.Module):
    """Convolution, leaky ReLU and residual blocks, from (B, inputs, H, W) to (B, channels, H, W).

    As in BasicVSR (Chan et al. 2021). The residual blocks are initialised with small weights, because a recurrent
    network with thirty of them would otherwise diverge.
    """

    def __init__(self, inputs: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.entry = nn.Conv2d(inputs, channels, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(channels) for _ in range(blocks))
        with torch.no_grad():
            for block in self.blocks:
                for layer in block.children():
                    nn.init.kaiming_normal_(layer.weight).mul_(0.1)  # pyright: ignore[reportArgumentType]
                    nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        x = leaky(self.entry(x))
        for block in self.blocks:
            x = block(x)
        return x


class Enlarger(nn.Module):
    """Upsampling head: pixel shuffles and two convolutions, (B, channels, h, w) to (B, 3, scale * h, scale * w).

    The initial output is zero, so that a network that adds it to an interpolation starts as this interpolation.

    Args:
        channels: input channels.
        width: channels at high resolution.
        scale: 2, 3 or 4.

    Raises:
        ValueError: another scale.
    """

    def __init__(self, channels: int, width: int, scale: int) -> None:
        super().__init__()
        if scale not in FACTORS:
            raise ValueError(f"scale must be one of {[*FACTORS]}, not {scale}")
        widths = [channels, *[width] * len(FACTORS[scale])]
        self.up = nn.ModuleList(
            nn.Conv2d(before, after * factor**2, 3, padding=1)
            for (before, after), factor in zip(pairwise(widths), FACTORS[scale], strict=True)
        )
        self.shuffles = nn.ModuleList(nn.PixelShuffle(factor) for factor in FACTORS[scale])
        self.high = nn.Conv2d(width, width, 3, padding=1)
        self.last = zero_(nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        for conv, shuffle in zip(self.up, self.shuffles, strict=True):
            x = leaky(shuffle(conv(x)))
        return self.last(leaky(self.high(x)))


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.1."""
    return nn.functional.leaky_relu(x, _LEAK)


def zero_(conv: nn.Conv2d) -> nn.Conv2d:
    """Initialise a convolution to zero, in place, so that a network with a bicubic skip starts as bicubic upscaling."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
