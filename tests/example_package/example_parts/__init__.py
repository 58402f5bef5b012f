"""A network, a loss and a metric that vsr-lab finds by the entry point in pyproject.toml."""

import torch
from torch import Tensor, nn

from vsr_lab.core.network import FrameNetwork


class Sharpened(FrameNetwork):
    """Bilinear interpolation and a learned correction of `channels` channels."""

    def __init__(self, scale: int, channels: int = 8) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.correction = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        )

    def frame(self, lr: Tensor) -> Tensor:
        enlarged = nn.functional.interpolate(lr, scale_factor=self.scale, mode="bilinear")
        return enlarged + nn.functional.pixel_shuffle(self.correction(lr), self.scale)


class MeanColor(nn.Module):
    """mean |mean color of sr - mean color of hr|, over the frames."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return (sr.mean((-2, -1)) - hr.mean((-2, -1))).abs().mean()


@torch.no_grad()
def color_error(sr: Tensor, hr: Tensor) -> Tensor:
    """Difference of the mean colors of each frame, in 8-bit levels, (B, T)."""
    return 255 * (sr.mean((-2, -1)) - hr.mean((-2, -1))).abs().mean(-1)
