"""Metrics by learned perceptual distances, whose features are computed once per frame for all metrics."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.perceptual import Features, PerceptualNet, dists_net, lpips_net, st_lpips_net

NETS: dict[str, Callable[[], PerceptualNet]] = {"lpips": lpips_net, "st_lpips": st_lpips_net}


def lpips(sr: Tensor, lpips_sr: Features, lpips_hr: Features) -> Tensor:
    """LPIPS v0.1 on AlexNet (Zhang et al. 2018); lower is better.

    Args:
        sr: (B, T, 3, H, W); only its shape is used.
        lpips_sr, lpips_hr: AlexNet features of sr and hr, as from `PerceptualNet.features`.

    Returns:
        (B, T).
    """
    return lpips_net().distance(lpips_sr, lpips_hr).view(sr.shape[:2])


def st_lpips(sr: Tensor, st_lpips_sr: Features, st_lpips_hr: Features) -> Tensor:
    """Shift-tolerant LPIPS on AlexNet (Ghildyal and Liu 2022); lower is better.

    Its values cannot be compared with those of `lpips`.

    Args:
        sr: (B, T, 3, H, W); only its shape is used.
        st_lpips_sr, st_lpips_hr: AlexNet features of sr and hr, as from `PerceptualNet.features`.

    Returns:
        (B, T).
    """
    return st_lpips_net().distance(st_lpips_sr, st_lpips_hr).view(sr.shape[:2])


def dists(sr: Tensor, hr: Tensor) -> Tensor:
    """DISTS (Ding et al. 2020), as piq computes it; lower is better. It tolerates differences between similar textures.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].

    Returns:
        (B, T).
    """
    net = dists_net()
    frames = zip(sr.flatten(0, 1).float(), hr.flatten(0, 1).float(), strict=True)
    return torch.stack([net(a[None], b[None]) for a, b in frames]).view(sr.shape[:2]).double()


def _change_difference(ours: Tensor, truth: Tensor) -> Tensor:
    """Difference of the distances between neighbouring frames of one clip, 100 |truth - ours|, (1, T)."""
    return F.pad((truth - ours).abs()[None] * 100, (1, 0), value=torch.nan)


def tlp(lpips_sr: Features, lpips_changes: Tensor) -> Tensor:
    """Temporal metric tLP100 (Chu et al. 2020), 100 |LPIPS(hr_(t-1), hr_t) - LPIPS(sr_(t-1), sr_t)|; lower is better.

    Args:
        lpips_sr: AlexNet features of one SR clip, as from `PerceptualNet.features`.
        lpips_changes: LPIPS between neighbouring frames of the HR clip, as from `PerceptualNet.changes`.

    Returns:
        (1, T), NaN for the first frame.
    """
    return _change_difference(lpips_net().changes(lpips_sr), lpips_changes)


def st_tlp(st_lpips_sr: Features, st_lpips_changes: Tensor) -> Tensor:
    """Temporal metric tLP100 with ST-LPIPS instead of LPIPS; arguments and result are as in `tlp`."""
    return _change_difference(st_lpips_net().changes(st_lpips_sr), st_lpips_changes)
