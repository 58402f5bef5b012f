"""What the temporal losses reward, and how the objective weighs its terms."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback, Motion
from vsr_lab.losses import Charbonnier, Flicker, FlowAlignment, Objective, PingPong, Term, Warp

Moving = Callable[..., Tensor]


def _still(frames: int = 4, height: int = 48, width: int = 64) -> Motion:
    flow = torch.zeros(1, frames - 1, 2, height, width)
    return Motion(flow, flow, torch.ones(1, frames - 1, 1, height, width))


def _blurred(clip: Tensor) -> Tensor:
    return functional.avg_pool2d(clip.flatten(0, 1), 5, 1, 2, count_include_pad=False).view_as(clip)


@pytest.fixture
def hr(moving: Moving) -> Tensor:
    """A textured clip that moves, B T C H W."""
    return moving()[None]


# Flicker and warp


def test_flicker_of_the_truth_is_zero(hr: Tensor) -> None:
    assert Flicker()(hr, hr, Farneback()(hr)) == 0


def test_an_error_that_stays_does_not_flicker(hr: Tensor) -> None:
    offset = torch.tensor([0.1, -0.2, 0.05]).view(3, 1, 1)
    assert Flicker()(hr + offset, hr, Farneback()(hr)).item() == pytest.approx(0, abs=1e-6)


def test_an_error_that_moves_with_the_picture_does_not_flicker(moving: Moving) -> None:
    hr, error = moving(3, y=0, x=2, seed=0)[None], moving(3, y=0, x=2, seed=1)[None]
    flow = torch.zeros(1, 2, 2, 48, 64)
    flow[:, :, 0] = -2
    motion = Motion(flow, -flow, torch.ones(1, 2, 1, 48, 64))
    assert Flicker()(hr + error, hr, motion).item() == pytest.approx(0, abs=1e-5), "what comes in at the left is new"
    assert Warp()(hr, motion).item() == pytest.approx(0, abs=1e-5)


def test_an_error_that_alternates_flickers_by_its_swing(hr: Tensor) -> None:
    swing = torch.tensor([0.0, 0.1, 0.0, 0.1]).view(4, 1, 1, 1)
    assert Flicker()(hr + swing, hr, _still()).item() == pytest.approx(0.1, abs=1e-6)


def test_what_is_not_visible_does_not_count(hr: Tensor) -> None:
    motion = _still()
    motion.mask[..., :32] = 0
    sr = hr.clone()
    sr[:, 1::2, ..., :32] += 0.5
    assert Flicker()(sr, hr, motion) == 0
    assert Warp()(sr, motion) == Warp()(hr, motion)


def test_a_mask_of_nothing_is_no_error(hr: Tensor) -> None:
    motion = _still()
    motion.mask.zero_()
    assert Flicker()(hr + torch.rand_like(hr), hr, motion) == 0


def test_warp_prefers_blur_to_the_truth_and_flicker_does_not(sliding: tuple[Tensor, Motion]) -> None:
    hr, motion = sliding
    blurred = _blurred(hr)
    assert Warp()(blurred, motion) < 0.5 * Warp()(hr, motion)
    assert Flicker()(blurred, hr, motion) > Flicker()(hr, hr, motion)


def test_warp_is_the_mean_change_where_nothing_moves() -> None:
    sr = torch.tensor([0.0, 0.3]).view(1, 2, 1, 1, 1).expand(1, 2, 3, 48, 64)
    assert Warp()(sr, _still(2)).item() == pytest.approx(0.3)


def test_charbonnier_is_l1_above_a_floor(hr: Tensor) -> None:
    assert Charbonnier(1e-3)(hr, hr).item() == pytest.approx(1e-3, rel=1e-4)
    assert Charbonnier(1e-3)(hr + 0.25, hr).item() == pytest.approx(0.25, abs=1e-5)


@pytest.mark.parametrize("loss", [Warp(), Flicker(), FlowAlignment(), PingPong()])
def test_a_clip_of_one_frame_has_no_change_to_be_judged(loss: nn.Module) -> None:
    frame, flow = torch.rand(1, 1, 3, 16, 16), torch.zeros(1, 0, 2, 16, 16)
    more = {"sr_backward": lambda: frame, "lr_flow": lambda: flow}
    objective = Objective({"a": Term(loss, 1.0)}, Farneback())
    total, parts = objective(torch.rand_like(frame), frame, frame, progress=0.0, measure_all=False, extra=more)
    assert (total.item(), parts["a"].item()) == (0, 0)


# The objective


class Named(nn.Module):
    """A loss that is its input's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, sr: Tensor) -> Tensor:
        self.calls += 1
        return sr.mean()


def _no_flow(clip: Tensor) -> Motion:
    raise AssertionError("nobody asked for flow")


def _run(objective: Objective, sr: Tensor, progress: float = 0.0, measure_all: bool = True) -> tuple[Tensor, dict]:
    return objective(sr, torch.zeros_like(sr), sr, progress=progress, measure_all=measure_all)


def test_the_total_is_the_weighted_sum_and_the_parts_are_not_weighted() -> None:
    sr = torch.rand(1, 2, 3, 4, 4)
    total, parts = _run(Objective({"a": Term(Named(), 2.0), "b": Term(Named(), 0.5)}, _no_flow), sr)
    assert total.item() == pytest.approx(2.5 * sr.mean().item())
    assert parts == {"a": sr.mean(), "b": sr.mean()}


def test_a_term_of_weight_zero_is_logged_and_trains_nothing() -> None:
    sr = torch.rand(1, 2, 3, 4, 4, requires_grad=True)
    total, parts = _run(Objective({"a": Term(Named(), 0.0)}, _no_flow), sr)
    assert parts["a"].item() == pytest.approx(sr.mean().item())
    assert not total.requires_grad
    assert not parts["a"].requires_grad


def test_a_term_of_weight_zero_adds_nothing_to_the_gradient() -> None:
    gradients: list[Tensor | None] = []
    for others in ({}, {"free": Term(Named(), 0.0)}):
        sr = torch.full((1, 2, 3, 4, 4), 0.5, requires_grad=True)
        _run(Objective({"a": Term(Charbonnier(), 1.0), **others}, _no_flow), sr)[0].backward()
        gradients.append(sr.grad)
    assert gradients[0] is not None
    assert torch.equal(*gradients)


def test_a_term_of_weight_zero_costs_nothing_between_measurements() -> None:
    loss = Named()
    _, parts = _run(Objective({"a": Term(loss, 0.0)}, _no_flow), torch.rand(1, 2, 3, 4, 4), measure_all=False)
    assert (parts, loss.calls) == ({}, 0)


def test_a_term_of_weight_zero_cuts_no_gradient_of_another_that_shares_its_input() -> None:
    sr = torch.rand(1, 3, 3, 8, 8, requires_grad=True)
    objective = Objective({"watched": Term(PingPong(), 0.0), "trained": Term(PingPong(), 1.0)}, _no_flow)
    hr = torch.zeros_like(sr)
    objective(sr, hr, hr, progress=0.0, measure_all=True, extra={"sr_backward": lambda: 3 * sr})[0].backward()
    assert sr.grad is not None
    assert torch.allclose(sr.grad[:, :-1], torch.full((), 2 / sr[:, :-1].numel())), "|x - 3x| has the slope 2"


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 0.0), (0.59, 0.0), (0.6, 3.0), (1.0, 3.0)])
def test_a_term_begins_at_its_start(progress: float, weight: float) -> None:
    sr = torch.rand(1, 2, 3, 4, 4)
    total, _ = _run(Objective({"late": Term(Named(), 3.0, start=0.6)}, _no_flow), sr, progress)
    assert total.item() == pytest.approx(weight * sr.mean().item())


def test_flow_is_of_the_truth_and_computed_once() -> None:
    seen: list[Tensor] = []

    def estimator(clip: Tensor) -> Motion:
        seen.append(clip)
        return _still(2)

    hr = torch.rand(1, 2, 3, 48, 64)
    objective = Objective({"warp": Term(Warp(), 1.0), "flicker": Term(Flicker(), 1.0)}, estimator)
    objective(torch.rand_like(hr), hr, hr, progress=0.0, measure_all=False)
    assert len(seen) == 1
    assert seen[0] is hr


def test_every_loss_gives_a_gradient_to_sr(hr: Tensor) -> None:
    sr = (hr + 0.1 * torch.rand_like(hr)).requires_grad_()
    terms = {"pixel": Charbonnier(), "warp": Warp(), "flicker": Flicker()}
    for name, loss in terms.items():
        sr.grad = None
        Objective({name: Term(loss, 1.0)}, Farneback())(sr, hr, hr, progress=0.0, measure_all=False)[0].backward()
        assert sr.grad is not None and sr.grad.abs().max() > 0, name


def test_a_loss_that_asks_for_what_nobody_has_is_named() -> None:
    class Depth(nn.Module):
        def forward(self, sr: Tensor, depth: Tensor) -> Tensor:
            return sr.mean()

    with pytest.raises(UserError, match="depth"):
        _run(Objective({"a": Term(Depth(), 1.0)}, _no_flow), torch.rand(1, 2, 3, 4, 4))


@pytest.mark.parametrize(("weight", "start"), [(-1, 0), (1, -0.1), (1, 1.1), (float("nan"), 0)])
def test_a_weight_or_start_that_makes_no_sense_is_refused(weight: float, start: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        Term(Named(), weight, start)
