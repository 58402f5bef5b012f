"""Learned perceptual distances. Features are computed once per frame and shared by metrics."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.perceptual import Features, PerceptualNet, lpips_net, st_lpips_net

NETS: dict[str, Callable[[], PerceptualNet]] = {"lpips": lpips_net, "st_lpips": st_lpips_net}


def _pairwise(net: PerceptualNet, sr: Features, hr: Features, shape: torch.Size) -> Tensor:
    return net.distance(sr, hr).view(shape[:2])


def lpips(sr: Tensor, lpips_sr: Features, lpips_hr: Features) -> Tensor:
    """LPIPS v0.1, AlexNet; sr: B T 3 H W (for its shape), features of sr and hr. Result B T, lower is better."""
    return _pairwise(lpips_net(), lpips_sr, lpips_hr, sr.shape)


def st_lpips(sr: Tensor, st_lpips_sr: Features, st_lpips_hr: Features) -> Tensor:
    """ST-LPIPS, AlexNet: another metric than `lpips`, not comparable with it. Result B T, lower is better."""
    return _pairwise(st_lpips_net(), st_lpips_sr, st_lpips_hr, sr.shape)


def _change(net: PerceptualNet, features: Features, shape: torch.Size) -> Tensor:
    """Distance of every frame to the previous one, of one clip."""
    return net.distance([f[:-1] for f in features], [f[1:] for f in features]).view(1, shape[1] - 1)


def tlp(sr: Tensor, lpips_sr: Features, lpips_hr: Features) -> Tensor:
    """tLP100 (Chu et al. 2020): 100 |LPIPS(hr_(t-1), hr_t) - LPIPS(sr_(t-1), sr_t)|. sr: 1 T 3 H W; result 1 T."""
    net = lpips_net()
    return F.pad(
        (_change(net, lpips_hr, sr.shape) - _change(net, lpips_sr, sr.shape)).abs() * 100, (1, 0), value=torch.nan
    )


def st_tlp(sr: Tensor, st_lpips_sr: Features, st_lpips_hr: Features) -> Tensor:
    """tLP100 with ST-LPIPS instead of LPIPS. sr: 1 T 3 H W; result 1 T."""
    net = st_lpips_net()
    ours, truth = _change(net, st_lpips_sr, sr.shape), _change(net, st_lpips_hr, sr.shape)
    return F.pad((truth - ours).abs() * 100, (1, 0), value=torch.nan)
