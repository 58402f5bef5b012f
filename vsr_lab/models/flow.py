"""A flow network small enough to be trained with what it serves."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.ranges import Channels, Levels
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.blocks import leaky, zero_


class FlowNet(nn.Module):
    """Flow from coarse to fine by one stack of convolutions shared by all levels, in float32; starts at zero.

    As SPyNet, but with its weights shared: the same step is learnt once, at every size. levels: of the pyramid.
    """

    def __init__(self, channels: Channels = 32, levels: Levels = 4) -> None:
        super().__init__()
        self.size_multiple = 2 ** (levels - 1)
        self.halvings = levels - 1
        self.entry = nn.Conv2d(8, channels, 5, padding=2)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3))
        self.head = zero_(nn.Conv2d(channels, 2, 3, padding=1))

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """reference, other: B 3 h w in [0, 1] -> flow B 2 h w: other, warped by it, looks like reference."""
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
