"""Optical flow for LR frames: a small network that is trained jointly, and a method without parameters."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.ranges import Channels, Layers, Levels, Odd
from vsr_lab.models.blocks import leaky, zero_


class PyramidFlow(nn.Module, ABC):
    """Base class of optical flow networks that refine the flow from level to level of an image pyramid, in float32.

    Args:
        count: number of levels of the pyramid; the size of the coarsest is 1 / 2^(count - 1) of the input size.
    """

    align_corners = False  # of the enlargement from level to level

    def __init__(self, count: int) -> None:
        super().__init__()
        self.halvings = count - 1

    @abstractmethod
    def refined(self, level: int, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
        """Refine flow (B, 2, h, w) from picture near to picture far at a level, 0 for the coarsest."""

    def prepared(self, picture: Tensor) -> Tensor:
        """Convert RGB (B, 3, h, w) in [0, 1] to the picture of the finest level, for example to gray."""
        return picture

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Estimate the flow from reference to other, by which other is warped onto reference.

        Args:
            reference, other: (B, 3, h, w) in [0, 1].

        Returns:
            Flow in pixels, (B, 2, h, w).
        """
        height, width = reference.shape[-2:]
        below, right = -height % 2**self.halvings, -width % 2**self.halvings
        with torch.autocast(reference.device.type, enabled=False):
            pair = (self.prepared(x.float()) for x in (reference, other))
            padded = [F.pad(x, (0, right, 0, below), mode="replicate") for x in pair]
            return self.pyramid(*padded)[..., :height, :width]

    def pyramid(self, reference: Tensor, other: Tensor) -> Tensor:
        """Estimate flow between prepared pictures, whose sizes are multiples of 2^halvings."""
        levels = [(reference, other)]
        for _ in range(self.halvings):
            near, far = levels[0]
            levels.insert(0, (F.avg_pool2d(near, 2), F.avg_pool2d(far, 2)))
        flow = torch.zeros_like(levels[0][0][:, :1]).repeat(1, 2, 1, 1)
        for level, (near, far) in enumerate(levels):
            if level:
                flow = 2 * F.interpolate(flow, scale_factor=2.0, mode="bilinear", align_corners=self.align_corners)
            flow = self.refined(level, near, far, flow)
        return flow


class FlowNet(PyramidFlow):
    """Coarse-to-fine optical flow network: a SPyNet whose levels share their weights. Its initial flow is zero.

    Args:
        channels: channels of its convolutions.
        levels: levels of the image pyramid.
    """

    def __init__(self, channels: Channels = 32, levels: Levels = 4) -> None:
        super().__init__(levels)
        self.entry = nn.Conv2d(8, channels, 5, padding=2)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3))
        self.head = zero_(nn.Conv2d(channels, 2, 3, padding=1))

    def refined(self, level: int, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
        x = leaky(self.entry(torch.cat([near, backward_warp(far, flow), flow], 1)))
        for layer in self.body:
            x = leaky(layer(x))
        return flow + self.head(x)


_NOISE = (2 / 255) ** 2  # variance that is added to that of the gradients: where there are none, nothing moves


class LucasKanade(PyramidFlow):
    """Dense pyramidal Lucas-Kanade optical flow, without weights.

    At every pyramid level, from coarse to fine, the flow is refined by a least-squares fit of the brightness in a
    window. Source: Bouguet, "Pyramidal implementation of the Lucas Kanade feature tracker", 2000.

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
