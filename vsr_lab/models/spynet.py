"""SPyNet: coarse-to-fine optical flow by a pyramid of small networks."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.warp import backward_warp

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which the published weights expect
_SIDES = (8, 32, 64, 32, 16, 2)
_TOGETHER = 16  # frames: one by one leaves a GPU waiting, all at once is too much memory for a long clip


class SpyNet(nn.Module):
    """SPyNet (Ranjan and Black, "Optical flow estimation using a spatial pyramid network", 2017), in float32.

    Half precision would cause errors of whole pixels.

    Args:
        levels: pyramid levels; the coarsest is smaller by 2^(levels - 1).
    """

    def __init__(self, levels: int = 6) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_Level() for _ in range(levels))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Estimate flow from reference to other, so that other warped by it is similar to reference.

        Args:
            reference, other: (B, 3, H, W) in [0, 1].

        Returns:
            Flow in pixels, (B, 2, H, W).
        """
        height, width = reference.shape[-2:]
        multiple = 2 ** (len(self.levels) - 1)
        size = (math.ceil(height / multiple) * multiple, math.ceil(width / multiple) * multiple)
        pair = [F.interpolate(x.float(), size, mode="bilinear") for x in (reference, other)]
        with torch.autocast(reference.device.type, enabled=False):
            flow = F.interpolate(self._pyramid(*pair), (height, width), mode="bilinear")
        ratio = torch.tensor([width / size[1], height / size[0]], device=flow.device).view(1, 2, 1, 1)
        return flow * ratio

    def both_ways(self, clip: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Estimate flow from each frame of a clip to the previous one, and from each to the next one.

        Args:
            clip: (B, T, 3, H, W) in [0, 1].

        Returns:
            Two lists of T - 1 tensors (B, 2, H, W).
        """
        earlier, later = clip[:, :-1], clip[:, 1:]
        return self._between(later, earlier), self._between(earlier, later)

    def _between(self, references: Tensor, others: Tensor) -> list[Tensor]:
        flows: list[Tensor] = []
        for t in range(0, references.shape[1], _TOGETHER):
            near, far = (clip[:, t : t + _TOGETHER] for clip in (references, others))
            flows += self(near.flatten(0, 1), far.flatten(0, 1)).unflatten(0, near.shape[:2]).unbind(1)
        return flows

    def _pyramid(self, reference: Tensor, other: Tensor) -> Tensor:
        mean, std = self.get_buffer("mean"), self.get_buffer("std")
        references, others = ([(x - mean) / std] for x in (reference, other))
        for _ in range(len(self.levels) - 1):
            references.insert(0, F.avg_pool2d(references[0], 2))
            others.insert(0, F.avg_pool2d(others[0], 2))
        batch, _, height, width = references[0].shape
        flow = references[0].new_zeros(batch, 2, height, width)
        for level, (refine, near, far) in enumerate(zip(self.levels, references, others, strict=True)):
            if level:
                flow = F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=True) * 2
            flow = flow + refine(torch.cat([near, backward_warp(far, flow), flow], 1))
        return flow


class _Level(nn.Sequential):
    """One pyramid level: five 7x7 convolutions from two images and the upsampled flow to its correction."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise(_SIDES):
            layers += [nn.Conv2d(before, after, 7, padding=3), nn.ReLU()]
        super().__init__(*layers[:-1])
