"""Optical flow for LR frames, as part of a network: a small trained network, a method without weights, and SPyNet."""

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.ranges import Channels, Layers, Levels, Odd
from vsr_lab.models.blocks import leaky, zero_


class PyramidFlow(nn.Module, ABC):
    """Base class of optical flow networks that refine the flow from level to level of an image pyramid, in float32.

    Args:
        count: number of levels of the pyramid; the coarsest level has 1 / 2^(count - 1) of the input size.
    """

    align_corners = False  # of the enlargement from level to level

    def __init__(self, count: int) -> None:
        super().__init__()
        self.halvings = count - 1

    @abstractmethod
    def refined(self, level: int, near: Tensor, far: Tensor, flow: Tensor) -> Tensor:
        """Refine the flow between two pictures at one level of the pyramid.

        Args:
            level: number of the level, 0 for the coarsest.
            near, far: the pictures at the size of the level, (B, C, h, w).
            flow: flow from `near` to `far` in pixels, enlarged from the previous level, (B, 2, h, w).
        """

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
        """Estimate the flow between two results of `prepared`; their sides must be multiples of 2^(count - 1)."""
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
    """Optical flow network like SPyNet, whose pyramid levels share their weights. Initially the flow is zero.

    Args:
        channels: channels of the convolutions.
        levels: number of levels of the image pyramid.
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
        steps: number of refinements per level.
        levels: number of levels of the image pyramid.
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


_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which the published weights expect
_SIDES = (8, 32, 64, 32, 16, 2)
_TOGETHER = 16  # frames: one by one leaves a GPU waiting, all at once is too much memory for a long clip


class SpyNet(PyramidFlow):
    """SPyNet optical flow (Ranjan and Black, "Optical flow estimation using a spatial pyramid network", 2017).

    The flow is computed in float32, since half precision would cause errors of whole pixels.

    Args:
        levels: number of pyramid levels; the coarsest level has 1 / 2^(levels - 1) of the input size.
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
