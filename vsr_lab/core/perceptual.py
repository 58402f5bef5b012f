"""Learned perceptual distances: LPIPS, ST-LPIPS and DISTS, with the weights of their authors."""

import urllib.error
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.errors import reported

Features = list[Tensor]


class PerceptualNet:
    """LPIPS (Zhang et al. 2018, eq. 1) in two steps, `features` and `distance`, so that features can be reused.

    Args:
        model: the LPIPS module of the package `lpips` or `stlpips_pytorch`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # 1/3 faster

    def to(self, device: torch.device) -> "PerceptualNet":
        """Move the network to a device and return self."""
        with torch.inference_mode(False):  # inference tensors could not be trained through later
            self._model.to(device)
        return self

    def features(self, clip: Tensor) -> Features:
        """Compute the normalised features of each layer, frame by frame to save memory.

        Gradients are computed for clip, not for the weights of the network.

        Args:
            clip: RGB (B, T, 3, H, W) in [0, 1].

        Returns:
            One tensor (B * T, C, h, w) per layer.
        """
        frames = clip.float().flatten(0, 1) * 2 - 1
        if self._model.version == "0.1":  # v0.0 weights were made without the scaling
            frames = self._model.scaling_layer(frames)
        frames = frames.contiguous(memory_format=torch.channels_last)  # as the weights
        layers = [self._model.net(frame[None]) for frame in frames]
        return [F.normalize(torch.cat(same), dim=1, eps=1e-10) for same in zip(*layers, strict=True)]

    def distance(self, a: Features, b: Features) -> Tensor:
        """LPIPS distance between the frames of two clips, given the `features` of both; float64 (B * T,)."""
        layers = zip(self._model.lins, a, b, strict=True)
        return torch.stack([lin((x - y).square()).mean((1, 2, 3)) for lin, x, y in layers]).sum(0).double()

    def changes(self, clip: Features) -> Tensor:
        """Distance between each frame and the previous frame, given the `features` of a clip; float64 (T - 1,)."""
        return self.distance([f[:-1] for f in clip], [f[1:] for f in clip])


@contextmanager
def _fetched(subject: Path, problem: str, hint: str) -> Generator[None]:
    """Context manager for code that builds a network and downloads its weights. Raises UserError if it fails."""
    kinds = (urllib.error.URLError, OSError, RuntimeError)
    with reported(kinds, subject, problem, hint), warnings.catch_warnings():  # of torchvision, about how it is called
        warnings.simplefilter("ignore")
        yield


@lru_cache(maxsize=1)
@torch.inference_mode(False)  # first needed in an evaluation, it may be trained through later
def lpips_net() -> PerceptualNet:
    """LPIPS v0.1 on AlexNet. Raises UserError if the ImageNet backbone is missing and cannot be downloaded."""
    import lpips
    from torchvision.models import AlexNet_Weights

    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(AlexNet_Weights.IMAGENET1K_V1.url).name
    problem = "the AlexNet backbone of LPIPS is missing and could not be downloaded ({})"
    hint = f"copy torchvision's {file.name} there, or remove the metric (~protocol.metrics.lpips) or the loss"
    with _fetched(file, problem, hint):
        return PerceptualNet(lpips.LPIPS(net="alex", verbose=False))


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def st_lpips_net() -> PerceptualNet:
    """Shift-tolerant LPIPS (Ghildyal and Liu 2022) on AlexNet. Raises UserError if the extra `metrics` is missing."""
    hint = "pip install 'vsr-lab[metrics]' (non-commercial use), or remove the metric (~protocol.metrics.st_lpips)"
    with reported(ImportError, "st_lpips", "its package is not installed ({})", hint):
        from stlpips_pytorch import stlpips
    return PerceptualNet(stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False))


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def dists_net() -> torch.nn.Module:
    """DISTS on VGG16: maps two images (N, 3, H, W) to distances (N,). Raises UserError if weights cannot be fetched."""
    import piq
    from torchvision.models import VGG16_Weights

    names = (Path(VGG16_Weights.IMAGENET1K_V1.url).name, "dists_weights.pt")
    problem = f"lacks the weights of DISTS, {' or '.join(names)}, which could not be downloaded ({{}})"
    hint = "copy torchvision's and piq's file there, or remove the metric (~protocol.metrics.dists) or the loss"
    with _fetched(Path(torch.hub.get_dir()) / "checkpoints", problem, hint):
        return piq.DISTS(reduction="none").eval()
