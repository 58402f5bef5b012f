"""SPyNet: coarse-to-fine optical flow by a pyramid of small networks."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.models.flow import PyramidFlow

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which the published weights expect
_SIDES = (8, 32, 64, 32, 16, 2)
_TOGETHER = 16  # frames: one by one leaves a GPU waiting, all at once is too much memory for a long clip


class SpyNet(PyramidFlow):
    """SPyNet optical flow (Ranjan and Black, "Optical flow estimation using a spatial pyramid network", 2017).

    The flow is computed in float32, since half precision would cause errors of whole pixels.

    Args:
        levels: number of pyramid levels; the size of the coarsest is 1 / 2^(levels - 1) of the input size.
    """

    align_corners = True

    def __init__(self, levels: int = 6) -> None:
        super().__init__(levels)
        self.levels = nn.ModuleList(_Level() for _ in range(levels))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        height, width = reference.shape[-2:]
        multiple = 2**self.halvings
        size = (math.ceil(height / multiple) * multiple, math.ceil(width / multiple) * multiple)
        pair = [F.interpolate(x.float(), size, mode="bilinear") for x in (reference, other)]
        with torch.autocast(reference.device.type, enabled=False):
            flow = F.interpolate(self.pyramid(*map(self.prepared, pair)), (height, width), mode="bilinear")
        ratio = torch.tensor([width / size[1], height / size[0]], device=flow.device).view(1, 2, 1, 1)
        return flow * ratio

    def both_ways(self, clip: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Estimate the flow between neighbouring frames of a clip, in both directions.

        Args:
            clip: (B, T, 3, H, W) in [0, 1].

        Returns:
            Backward flow (to the previous frame) and forward flow (to the next frame), in pixels: two lists of T - 1
            tensors (B, 2, H, W).
        """
        earlier, later = clip[:, :-1], clip[:, 1:]
        return self._between(later, earlier), self._between(earlier, later)

    def _between(self, references: Tensor, others: Tensor) -> list[Tensor]:
        flows: list[Tensor] = []
        for t in range(0, references.shape[1], _TOGETHER):
            near, far = (clip[:, t : t + _TOGETHER] for clip in (references, others))
            flows += self(near.flatten(0, 1), far.flatten(0, 1)).unflatten(0, near.shape[:2]).unbind(1)
        return flows

    def prepared(self, picture: Tensor) -> Tensor:
        return (picture - self.get_buffer("mean")) / self.get_buffer("std")

    def refined(self, level: int, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
        return flow + self.levels[level](torch.cat([near, backward_warp(far, flow), flow], 1))


class _Level(nn.Sequential):
    """One pyramid level: five 7x7 convolutions from two images and the upsampled flow to its correction."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise(_SIDES):
            layers += [nn.Conv2d(before, after, 7, padding=3), nn.ReLU()]
        super().__init__(*layers[:-1])
