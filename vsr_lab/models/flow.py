"""A small optical flow network that is trained together with the network that uses it."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.ranges import Channels, Levels
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.blocks import leaky, zero_


class FlowNet(nn.Module):
    """Coarse-to-fine optical flow, a SPyNet whose levels share their weights; in float32. Its initial flow is zero.

    Args:
        channels: channels of its convolutions.
        levels: levels of the image pyramid.
    """

    def __init__(self, channels: Channels = 32, levels: Levels = 4) -> None:
        super().__init__()
        self.size_multiple = 2 ** (levels - 1)
        self.halvings = levels - 1
        self.entry = nn.Conv2d(8, channels, 5, padding=2)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3))
        self.head = zero_(nn.Conv2d(channels, 2, 3, padding=1))

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Estimate flow from reference to other, so that other warped by it is similar to reference.

        Args:
            reference, other: (B, 3, h, w) in [0, 1].

        Returns:
            Flow in pixels, (B, 2, h, w).
        """
        height, width = reference.shape[-2:]
        below, right = (math.ceil(side / self.size_multiple) * self.size_multiple - side for side in (height, width))
        with torch.autocast(reference.device.type, enabled=False):
            pair = [F.pad(x.float(), (0, right, 0, below), mode="replicate") for x in (reference, other)]
            return self._pyramid(*pair)[..., :height, :width]

    def _pyramid(self, reference: Tensor, other: Tensor) -> Tensor:
        references, others = [reference], [other]
        for _ in range(self.halvings):
            references.insert(0, F.avg_pool2d(references[0], 2))
            others.insert(0, F.avg_pool2d(others[0], 2))
        flow = torch.zeros_like(references[0][:, :2])
        for level, (near, far) in enumerate(zip(references, others, strict=True)):
            if level:
                flow = F.interpolate(flow, scale_factor=2.0, mode="bilinear") * 2
            flow = flow + self._missing(torch.cat([near, backward_warp(far, flow), flow], 1))
        return flow

    def _missing(self, x: Tensor) -> Tensor:
        x = leaky(self.entry(x))
        for layer in self.body:
            x = leaky(layer(x))
        return self.head(x)
