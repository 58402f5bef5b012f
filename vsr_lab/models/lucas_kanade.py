"""Optical flow in closed form, without trainable weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.ranges import Layers, Levels, Odd
from vsr_lab.core.warp import backward_warp

_NOISE = (2 / 255) ** 2  # variance that is added to that of the gradients: where there are none, nothing moves


class LucasKanade(nn.Module):
    """Dense pyramidal Lucas-Kanade (Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker", 2000).

    At every pyramid level, from coarse to fine, the flow is refined by a least-squares fit of the brightness in a
    window.

    Args:
        steps: refinements per level.
        levels: levels of the image pyramid.
        window: side of the window in pixels.
    """

    def __init__(self, steps: Layers = 2, levels: Levels = 4, window: Odd = 7) -> None:
        super().__init__()
        self.levels = levels
        self.window = window
        self.steps = steps

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Estimate flow from reference to other, so that other warped by it is similar to reference.

        Args:
            reference, other: (B, 3, h, w) in [0, 1].

        Returns:
            Flow in pixels, (B, 2, h, w).
        """
        multiple = 2 ** (self.levels - 1)
        height, width = reference.shape[-2:]
        below, right = -height % multiple, -width % multiple
        with torch.autocast(reference.device.type, enabled=False):
            gray = [x.float().mean(1, keepdim=True) for x in (reference, other)]
            pair = [F.pad(x, (0, right, 0, below), mode="replicate") for x in gray]
            return self._pyramid(*pair)[..., :height, :width]

    def _pyramid(self, reference: Tensor, other: Tensor) -> Tensor:
        pyramid = [(reference, other)]
        for _ in range(self.levels - 1):
            near, far = pyramid[0]
            pyramid.insert(0, (F.avg_pool2d(near, 2), F.avg_pool2d(far, 2)))
        flow = torch.zeros_like(pyramid[0][0]).repeat(1, 2, 1, 1)
        for level, (near, far) in enumerate(pyramid):
            if level:
                flow = 2 * F.interpolate(flow, scale_factor=2.0, mode="bilinear")
            flow = self._refined(near, far, flow)
        return flow

    def _refined(self, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
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
