"""Learned perceptual distances. Features are computed once a frame and shared by the metrics that need them."""

import urllib.error
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.errors import UserError

Features = list[Tensor]


class PerceptualNet:
    """LPIPS of Zhang et al. 2018 (eq. 1), split in two: `features` of frames and `distance` between features."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # a third faster

    @torch.inference_mode()
    def features(self, clip: Tensor) -> Features:
        """Unit-length features of each layer for B T 3 H W in [0, 1], one frame at a time to keep memory low."""
        frames = clip.float().flatten(0, 1) * 2 - 1
        if self._model.version == "0.1":  # v0.0 weights were made without the scaling
            frames = self._model.scaling_layer(frames)
        layers = [self._model.net(frame[None]) for frame in frames]
        return [F.normalize(torch.cat(same), dim=1, eps=1e-10) for same in zip(*layers, strict=True)]

    @torch.inference_mode()
    def distance(self, a: Features, b: Features) -> Tensor:
        """One number a frame, float64."""
        layers = zip(self._model.lins, a, b, strict=True)
        return torch.stack([lin((x - y).square()).mean((1, 2, 3)) for lin, x, y in layers]).sum(0).double()


@lru_cache(maxsize=1)
def lpips_net() -> PerceptualNet:
    """LPIPS v0.1 on AlexNet. Raises UserError where the ImageNet backbone is missing and cannot be fetched."""
    import lpips
    from torchvision.models import AlexNet_Weights

    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(AlexNet_Weights.IMAGENET1K_V1.url).name
    try:
        return PerceptualNet(lpips.LPIPS(net="alex", verbose=False))
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise UserError(
            file,
            f"the AlexNet backbone of LPIPS is missing and could not be fetched ({error})",
            f"put torchvision's {file.name} there, or drop the metric with ~protocol.metrics.lpips",
        ) from error


@lru_cache(maxsize=1)
def st_lpips_net() -> PerceptualNet:
    """Shift-tolerant LPIPS (Ghildyal and Liu 2022) on AlexNet, with its own weights.

    Raises UserError where the extra `stlpips` is not installed.
    """
    try:
        from stlpips_pytorch import stlpips
    except ImportError as error:
        raise UserError(
            "metric st_lpips",
            f"its package is not installed ({error})",
            "pip install 'vsr-lab[stlpips]' (non-commercial use), or say ~protocol.metrics.st_lpips",
        ) from error
    return PerceptualNet(stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False))


NETS: dict[str, Callable[[], PerceptualNet]] = {"lpips": lpips_net, "st_lpips": st_lpips_net}


def _pairwise(net: PerceptualNet, sr: Features, hr: Features, shape: torch.Size) -> Tensor:
    return net.distance(sr, hr).view(shape[:2])


def lpips(sr: Tensor, lpips_sr: Features, lpips_hr: Features) -> Tensor:
    """LPIPS v0.1, AlexNet; sr: B T 3 H W (for its shape), features of sr and hr. Result B T, lower is nearer."""
    return _pairwise(lpips_net(), lpips_sr, lpips_hr, sr.shape)


def st_lpips(sr: Tensor, st_lpips_sr: Features, st_lpips_hr: Features) -> Tensor:
    """ST-LPIPS, AlexNet: a metric of its own, never to be compared with `lpips`. Result B T, lower is nearer."""
    return _pairwise(st_lpips_net(), st_lpips_sr, st_lpips_hr, sr.shape)


def _change(net: PerceptualNet, features: Features, shape: torch.Size) -> Tensor:
    """Distance of every frame to the one before it in its own clip; batches are single clips here."""
    return net.distance([f[:-1] for f in features], [f[1:] for f in features]).view(1, shape[1] - 1)


def tlp(sr: Tensor, lpips_sr: Features, lpips_hr: Features) -> Tensor:
    """tLP100 (Chu et al. 2020): 100 |LPIPS(hr_(t-1), hr_t) - LPIPS(sr_(t-1), sr_t)|. sr: 1 T 3 H W; result 1 T."""
    net = lpips_net()
    return F.pad(
        (_change(net, lpips_hr, sr.shape) - _change(net, lpips_sr, sr.shape)).abs() * 100, (1, 0), value=torch.nan
    )


def st_tlp(sr: Tensor, st_lpips_sr: Features, st_lpips_hr: Features) -> Tensor:
    """tLP100 with ST-LPIPS in the place of LPIPS. sr: 1 T 3 H W; result 1 T."""
    net = st_lpips_net()
    ours, truth = _change(net, st_lpips_sr, sr.shape), _change(net, st_lpips_hr, sr.shape)
    return F.pad((truth - ours).abs() * 100, (1, 0), value=torch.nan)
