"""Edges, spectra, teachers, ways there and back: what each loss is zero for, and what it pulls on."""

import urllib.error
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import piq
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback
from vsr_lab.core.perceptual import dists_net
from vsr_lab.losses import (
    L1,
    Charbonnier,
    Distillation,
    Dists,
    Edges,
    FlowAlignment,
    FocalFrequency,
    LogMse,
    Objective,
    PingPong,
    StLpips,
    Term,
)
from vsr_lab.models.flow import FlowNet

Moving = Callable[..., Tensor]
stlpips = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="the extra metrics is not installed")


@pytest.fixture
def hr(moving: Moving) -> Tensor:
    return moving()[None]


@pytest.mark.parametrize(
    "loss", [L1(), LogMse(), Distillation(), Edges(), FocalFrequency(), PingPong()], ids=lambda x: type(x).__name__
)
def test_equal_clips_cost_nothing_and_others_do(loss: nn.Module, hr: Tensor) -> None:
    assert loss(hr, hr) == 0
    other = (hr + 0.1 * torch.rand(hr.shape)).requires_grad_()
    value = loss(other, hr)
    value.backward()
    assert value > 0
    assert value.shape == ()
    assert other.grad is not None and torch.isfinite(other.grad).all()


def test_log_mse_weighs_clips_as_a_mean_of_psnr_does(hr: Tensor) -> None:
    target = hr.expand(2, *hr.shape[1:])
    error = torch.tensor([0.01, 0.1]).view(2, 1, 1, 1, 1) * torch.randn(target.shape)
    sr = (target + error).requires_grad_()
    psnr = -10 * error.square().flatten(1).mean(1).log10()
    loss = LogMse(floor=1e-9)(sr, target)
    assert 10 * (loss.item() - 9) == pytest.approx(-psnr.mean().item(), abs=1e-3)
    loss.backward()
    assert sr.grad is not None
    of_each = (sr.grad * error).flatten(1).sum(1)  # what one percent less of the error brings
    assert of_each[0].item() == pytest.approx(of_each[1].item(), rel=1e-3)


def test_edges_are_sobels_and_do_not_see_brightness(hr: Tensor) -> None:
    assert Edges()(hr + 0.2, hr).item() == pytest.approx(0, abs=1e-6)
    error = torch.rand(1, 1, 3, 16, 20)
    along = [ndimage.sobel(x, axis, mode="nearest") / 8 for x in error[0, 0].numpy() for axis in (0, 1)]
    assert Edges()(error, torch.zeros_like(error)).item() == pytest.approx(np.abs(along).mean(), rel=1e-5)


def test_focal_frequency_is_the_papers_formula() -> None:
    """Against numpy, written from equations 8 and 9 of Jiang et al. 2021."""
    sr, hr = torch.rand(2, 1, 2, 3, 8, 10)
    expected = []
    for channel in (sr - hr).numpy().reshape(-1, 8, 10):
        distance = np.abs(np.fft.fft2(channel, norm="ortho"))
        weight = distance / distance.max()
        expected.append((weight * distance**2).mean())
    assert FocalFrequency()(sr, hr).item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_focal_frequency_minds_a_lost_frequency_more_than_the_same_energy_as_noise() -> None:
    torch.manual_seed(0)
    hr = torch.rand(1, 1, 3, 32, 32)
    stripes = torch.sin(torch.arange(32) * np.pi / 4).expand(1, 1, 3, 32, 32)
    noise = torch.randn(1, 1, 3, 32, 32)
    noise = noise * stripes.square().mean().sqrt() / noise.square().mean().sqrt()
    assert FocalFrequency()(hr + stripes, hr) > 1.5 * FocalFrequency()(hr + noise, hr)


def test_flow_alignment_teaches_a_flow_network_how_far_things_moved(moving: Moving) -> None:
    torch.manual_seed(0)
    lr = moving(3, 48, 64, y=1, x=2)[None]
    network, loss = FlowNet(16), FlowAlignment()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(120):
        flow = network(lr[:, 1:].flatten(0, 1), lr[:, :-1].flatten(0, 1)).unflatten(0, (1, 2))
        optimizer.zero_grad()
        loss(lr, flow).backward()
        optimizer.step()
    x, y = flow[..., 8:-8, 8:-8].mean((0, 1, 3, 4)).tolist()
    assert x == pytest.approx(-2, abs=0.3)
    assert y == pytest.approx(-1, abs=0.3)


@stlpips
def test_st_lpips_is_the_metric_and_its_network_is_neither_trained_nor_saved(hr: Tensor) -> None:
    from vsr_lab.core.perceptual import st_lpips_net
    from vsr_lab.metrics import st_lpips

    loss = StLpips()
    sr = (hr + 0.1 * torch.rand(hr.shape)).requires_grad_()
    value = loss(sr, hr)
    net = st_lpips_net()
    assert value.item() == pytest.approx(st_lpips(sr, net.features(sr), net.features(hr)).mean().item(), rel=1e-5)
    value.backward()
    assert sr.grad is not None and sr.grad.abs().sum() > 0
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}


def test_a_net_that_a_validation_moved_can_be_trained_through() -> None:
    """What inference mode makes of weights takes no part in a backward pass."""
    from vsr_lab.core.perceptual import PerceptualNet

    seen: list[bool] = []

    class Moved(nn.Module):
        def to(self, *_: object, **__: object) -> "Moved":
            seen.append(torch.is_inference_mode_enabled())
            return self

    net = PerceptualNet(Moved())
    with torch.inference_mode():
        net.to(torch.device("cpu"))
    assert not seen[-1]


def test_dists_without_its_weights_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> nn.Module:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(piq, "DISTS", unreachable)
    dists_net.cache_clear()
    with pytest.raises(UserError, match="lacks the weights of DISTS"):
        Dists()


def test_a_weight_rises_over_its_ramp() -> None:
    term = Term(Charbonnier(), 2.0, start=0.4, ramp=0.2)
    assert [term.weight_at(p) for p in (0.0, 0.39, 0.4, 0.5, 0.6, 1.0)] == pytest.approx([0, 0, 0, 1, 2, 2])


def test_an_input_that_training_does_not_have_is_named() -> None:
    objective = Objective({"teacher": Term(Distillation(), 1.0)}, Farneback())
    objective.check({"teacher_sr"})
    with pytest.raises(UserError, match=r"loss\.terms\.teacher: needs teacher_sr"):
        objective.check(set())


def test_other_inputs_are_computed_only_where_asked_for(hr: Tensor) -> None:
    objective = Objective({"teacher": Term(Distillation(), 1.0, start=0.5)}, Farneback())
    calls: list[int] = []

    def teacher_sr() -> Tensor:
        calls.append(1)
        return hr

    for progress in (0.0, 1.0):
        objective(hr, hr, hr, progress=progress, measure_all=False, extra={"teacher_sr": teacher_sr})
    assert len(calls) == 1


def test_a_term_can_be_left_out_but_one_has_to_train_from_the_first_step() -> None:
    objective = Objective({"pixel": Term(L1(), 1.0), "other": None})
    objective.check(())
    assert [*objective.terms] == ["pixel"]
    for terms in ({"pixel": None}, {"pixel": Term(L1(), 0.0)}, {"pixel": Term(L1(), 1.0, 0.5)}):
        with pytest.raises(UserError, match=r"loss\.terms: must contain a loss with a weight > 0 at the first step"):
            Objective(terms).check(())
