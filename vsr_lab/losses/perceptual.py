"""Learned perceptual distances, as losses."""

import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import piq
import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.perceptual import PerceptualNet, lpips_net, st_lpips_net


class _Distance(nn.Module):
    """Mean distance between features of a fixed network, whose weights are not saved with those that are trained."""

    def __init__(self, net: Callable[[], PerceptualNet]) -> None:
        super().__init__()
        self.net = net
        net()  # what is missing is told before the first step

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.autocast(sr.device.type, enabled=False):
            net = self.net().to(sr.device)
            with torch.no_grad():
                truth = net.features(hr)
            return net.distance(net.features(sr), truth).mean().float()


class Lpips(_Distance):
    """LPIPS v0.1 on AlexNet as a loss (Zhang et al. 2018); sr, hr: (B, T, 3, H, W) in [0, 1].

    Raises UserError if its weights cannot be downloaded.
    """

    def __init__(self) -> None:
        super().__init__(lpips_net)


class StLpips(_Distance):
    """Shift-tolerant LPIPS on AlexNet as a loss (Ghildyal and Liu 2022); sr, hr: (B, T, 3, H, W) in [0, 1].

    Raises UserError if the extra `metrics` is not installed.
    """

    def __init__(self) -> None:
        super().__init__(st_lpips_net)


class Dists(nn.Module):
    """DISTS as a loss, computed by piq: a distance of VGG features that separates structure and texture.

    Ding et al., "Image quality assessment: Unifying structure and texture similarity", 2020. sr, hr: (B, T, 3, H, W) in
    [0, 1]. Raises UserError if its weights are missing.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            distance: Any = piq.DISTS()
        except (urllib.error.URLError, OSError, RuntimeError) as error:
            folder = Path(torch.hub.get_dir()) / "checkpoints"
            raise UserError(
                folder,
                f"the weights of DISTS are missing and could not be fetched ({error})",
                "put torchvision's VGG16 and piq's DISTS weights there, or drop the loss",
            ) from error
        self._distance = [distance]  # in a list, so that it is not saved with what is trained

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.autocast(sr.device.type, enabled=False):
            distance = self._distance[0].to(sr.device)
            return distance(sr.float().clamp(0, 1).flatten(0, 1), hr.float().flatten(0, 1))
