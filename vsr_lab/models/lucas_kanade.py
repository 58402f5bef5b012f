"""Optical flow in closed form, without trainable weights."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.ranges import Layers, Levels, Odd
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.flow import PyramidFlow

_NOISE = (2 / 255) ** 2  # variance that is added to that of the gradients: where there are none, nothing moves


class LucasKanade(PyramidFlow):
    """Dense pyramidal Lucas-Kanade optical flow, without weights.

    At every pyramid level, from coarse to fine, the flow is refined by a least-squares fit of the brightness in a
    window (Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker", 2000).

    Args:
        steps: refinements per level.
        levels: levels of the image pyramid.
        window: side of the window in pixels, odd.
    """

    def __init__(self, steps: Layers = 2, levels: Levels = 4, window: Odd = 7) -> None:
        super().__init__(levels)
        self.window = window
        self.steps = steps

    def prepared(self, picture: Tensor) -> Tensor:
        return picture.mean(1, keepdim=True)

    def refined(self, level: int, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
        padded = F.pad(near, (1, 1, 1, 1), mode="replicate")
        dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
        dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
        xx, xy, yy = self._mean(torch.cat([dx * dx, dx * dy, dy * dy], 1)).split(1, 1)
        xx, yy = xx + _NOISE, yy + _NOISE
        scale = 1 / (xx * yy - xy * xy)
        for _ in range(self.steps):
            missing = near - backward_warp(far, flow)
            x, y = self._mean(torch.cat([dx * missing, dy * missing], 1)).split(1, 1)
            step = torch.cat([yy * x - xy * y, xx * y - xy * x], 1) * scale
            flow = self._mean(flow + step.clamp(-1, 1))
        return flow

    def _mean(self, x: Tensor) -> Tensor:
        """Mean over the window; at borders, over the part of it that is inside."""
        half = self.window // 2
        x = F.avg_pool2d(x, (self.window, 1), 1, (half, 0), count_include_pad=False)
        return F.avg_pool2d(x, (1, self.window), 1, (0, half), count_include_pad=False)
