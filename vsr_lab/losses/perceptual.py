"""Losses that are perceptual distances, computed by pretrained networks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vsr_lab.core.perceptual import PerceptualNet, dists_net, lpips_net, st_lpips_net


class _Distance(nn.Module):
    """Mean distance between features of a fixed network; its weights are not saved with the trained weights."""

    load: Callable[[], PerceptualNet]

    def __init__(self) -> None:
        super().__init__()
        self.load()  # what is missing is told before the first step

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.autocast(sr.device.type, enabled=False):
            net = self.load().to(sr.device)
            with torch.no_grad():
                truth = net.features(hr)
            return net.distance(net.features(sr), truth).mean().float()


class Lpips(_Distance):
    """LPIPS v0.1 on AlexNet as a loss (Zhang et al. 2018); sr, hr: (B, T, 3, H, W) in [0, 1].

    Raises UserError if its weights cannot be downloaded.
    """

    load = staticmethod(lpips_net)


class StLpips(_Distance):
    """Shift-tolerant LPIPS on AlexNet as a loss (Ghildyal and Liu 2022); sr, hr: (B, T, 3, H, W) in [0, 1].

    Raises UserError if the extra `metrics` is not installed.
    """

    load = staticmethod(st_lpips_net)


class Dists(nn.Module):
    """DISTS as a loss, computed by piq: a distance of VGG features that separates structure and texture.

    Ding et al., "Image quality assessment: Unifying structure and texture similarity", 2020. sr, hr: (B, T, 3, H, W) in
    [0, 1]. Raises UserError if its weights are missing.
    """

    def __init__(self) -> None:
        super().__init__()
        dists_net()

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.autocast(sr.device.type, enabled=False):
            net = dists_net().to(sr.device)
            return net(sr.float().clamp(0, 1).flatten(0, 1), hr.float().flatten(0, 1)).mean()
