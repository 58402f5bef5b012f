"""The learned distances in time, and what is said where their weights or packages are missing."""

import sys
import urllib.error
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.metrics import perceptual, st_lpips, st_tlp, tlp
from vsr_lab.metrics.perceptual import Features, PerceptualNet

Moving = Callable[..., Tensor]
installed = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="the extra metrics is not installed")


class Brightness(PerceptualNet):
    """Sees nothing but how bright a frame is."""

    def __init__(self) -> None:
        pass

    def features(self, clip: Tensor) -> Features:
        return [clip[0].mean((1, 2, 3))]

    def distance(self, a: Features, b: Features) -> Tensor:
        return (a[0] - b[0]).abs().double()


def test_tlp_is_a_hundred_times_the_difference_between_two_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, "lpips_net", Brightness)
    sr, hr = (
        torch.tensor(v).view(1, 4, 1, 1, 1).expand(1, 4, 3, 8, 8) for v in ([0.1, 0.3, 0.3, 0.3], [0.2, 0.3, 0.3, 0.7])
    )
    net = Brightness()
    value = tlp(net.features(sr), net.changes(net.features(hr)))
    assert value.shape == (1, 4)
    assert value[0].isnan().tolist() == [True, False, False, False]
    assert value[0, 1:].tolist() == pytest.approx([10, 0, 40], abs=1e-4)


@installed
def test_the_truth_is_at_no_distance_from_itself(moving: Moving) -> None:
    hr = moving(3)[None]
    features = perceptual.st_lpips_net().features(hr)
    assert st_lpips(hr, features, features).tolist() == [[0, 0, 0]]
    assert st_tlp(features, perceptual.st_lpips_net().changes(features))[0, 1:].tolist() == [0, 0]


@installed
def test_a_network_that_an_evaluation_built_can_be_trained_through(moving: Moving) -> None:
    with torch.inference_mode():
        built = perceptual.st_lpips_net.__wrapped__()
    sr = moving(1)[None].requires_grad_()
    built.features(sr)[0].sum().backward()
    assert sr.grad is not None


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stlpips_pytorch", None)
    with pytest.raises(UserError, match=r"st_lpips: its package is not installed .* pip install 'vsr-lab\[metrics\]'"):
        perceptual.st_lpips_net.__wrapped__()


def test_a_backbone_that_cannot_be_fetched_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import lpips

    def offline(**_: Any) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(lpips, "LPIPS", offline)
    with pytest.raises(UserError, match=r"checkpoints/alexnet-.*\.pth: the AlexNet backbone of LPIPS is missing"):
        perceptual.lpips_net.__wrapped__()


def test_weights_of_dists_that_cannot_be_fetched_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"checkpoints: lacks the weights of DISTS, vgg16\S+ or dists_weights.pt"):
        perceptual.dists_net.__wrapped__()
