"""Screens: grids of pixels, coloured text, pointers, frames that come twice."""

import itertools

import numpy as np
import pytest
import torch

from vsr_lab.degradations import AdaptiveResolution, CursorOverlay, DroppedFrames, RescaleRoundTrip, SubpixelDown


def test_a_grid_and_back_loses_detail_and_moves_nothing() -> None:
    ramp = torch.linspace(0, 1, 48).expand(1, 3, 32, 48)
    for factor in (1.25, 1.5, 1.75, 0.8):
        lr = RescaleRoundTrip([factor]).apply(ramp, {"factor": factor})
        assert torch.allclose(lr[..., 3:-3], ramp[..., 3:-3], atol=2e-3)
    checks = (torch.arange(32)[:, None] + torch.arange(48)).fmod(2).expand(1, 3, 32, 48).float()
    assert RescaleRoundTrip([1.5]).apply(checks, {"factor": 1.5}).std() < 0.6 * checks.std()


def test_only_the_factors_given_are_drawn() -> None:
    step = RescaleRoundTrip([1.25, 1.5])
    assert {step.sample(np.random.default_rng(seed))["factor"] for seed in range(20)} == {1.25, 1.5}


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_red_and_blue_are_a_third_of_a_pixel_to_either_side(scale: int) -> None:
    edge = torch.zeros(1, 3, 4 * scale, 24 * scale)
    edge[..., 12 * scale :] = 1
    lr = SubpixelDown(scale).apply(edge, {})
    middles = 24 - lr[0, :, 0].sum(-1)  # where the step is, by how much of the line is white
    # Red is taken a third further left, so that it sees the step a third of a pixel later.
    assert middles.tolist() == pytest.approx([12 + 1 / 3, 12, 12 - 1 / 3], abs=0.02)
    flat = torch.full((1, 3, 4 * scale, 12 * scale), 0.5)
    assert SubpixelDown(scale).apply(flat, {}).std() == 0


def test_a_dropped_frame_is_its_predecessor_and_so_is_its_truth() -> None:
    hr = torch.rand(40, 3, 4, 4)
    step, params = DroppedFrames((0, 0.5), 0), {"dropped": 0.4, "doubled": 0.0, "seed": 1}
    order = step.order(40, params)
    lr = step.apply(hr, params)
    held = [t for t in range(1, 40) if order[t] != t]
    assert 8 <= len(held) <= 24
    for t in range(40):
        assert torch.equal(lr[t], lr[t - 1] if t in held else hr[t])
    assert torch.equal(step.target(hr, params), lr)


def test_a_doubled_frame_makes_all_late_until_a_drop() -> None:
    step = DroppedFrames((0, 0.2), (0, 0.2))
    orders = [step.order(60, {"dropped": 0.1, "doubled": 0.1, "seed": seed}) for seed in range(20)]
    for order in orders:
        assert len(order) == 60 and all(b >= a for a, b in itertools.pairwise(order))
        assert all(t - shown >= 0 for t, shown in enumerate(order))
    assert any(t - shown == 1 and order[t - 1] == shown - 1 for order in orders for t, shown in enumerate(order) if t)


def test_a_call_changes_its_size_now_and_then() -> None:
    step = AdaptiveResolution([0.25, 0.5, 1.0], 10)
    rungs = step.rungs(400, {"start": 1, "seed": 0})
    changes = np.flatnonzero(np.diff(rungs))
    assert set(rungs) == {0, 1, 2} and 15 < len(changes) < 60 and np.abs(np.diff(rungs)).max() == 1
    hr = torch.rand(12, 3, 16, 24)
    lr = step.apply(hr, {"start": 0, "seed": 0})
    sizes = step.rungs(12, {"start": 0, "seed": 0})
    detail = [float(frame.std()) for frame in lr]
    assert sizes[0] == 0
    assert detail[0] < 0.5 * float(hr[0].std())


def test_the_pointer_moves_smoothly_and_is_in_the_truth_at_its_place() -> None:
    hr = torch.full((30, 3, 120, 160), 0.5)
    step, params = CursorOverlay(12), {"size": 12, "seed": 2}
    lr, truth = step.apply(hr[..., ::2, ::2], params), step.target(hr, params, zoom=2)
    assert (lr != 0.5).any(dim=1).sum((1, 2)).max() < 160
    shrunk = torch.nn.functional.avg_pool2d(truth, 2)
    assert torch.allclose(shrunk, lr, atol=1e-5)
    path = step.path(200, params) * (80, 60)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 12 and np.linalg.norm(path[-1] - path[0]) > 1
