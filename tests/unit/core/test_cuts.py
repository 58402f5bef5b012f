"""Cuts: told at their first frame, and what was seen before them is forgotten."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.cuts import SceneCutDetector
from vsr_lab.core.network import Network, stream
from vsr_lab.evaluation.candidates import NetworkCandidate
from vsr_lab.models import Recurrent

Moving = Callable[..., Tensor]


@pytest.fixture
def two_scenes(moving: Moving) -> Tensor:
    """Six frames of one scene, four of another."""
    return torch.cat([moving(6, 48, 64), moving(4, 48, 64, seed=1)])


@pytest.fixture
def remembering() -> Network:
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1, warm_up=1).eval()
    nn.init.normal_(network.head.weight, std=0.1)
    return network


def _cuts(clip: Tensor) -> list[int]:
    watch = SceneCutDetector()
    answers = [watch(frame) for frame in clip]
    assert watch.found == [t for t, cut in enumerate(answers) if cut]
    return watch.found


def test_a_hard_cut_is_told_at_its_first_frame(two_scenes: Tensor) -> None:
    assert _cuts(two_scenes) == [6]


def test_a_camera_that_gets_fast_is_no_cut(moving: Moving) -> None:
    whole = moving(64, 96, 128, y=1, x=2)
    assert _cuts(whole[[0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30]]) == []


def test_a_flash_and_a_lamp_are_no_cuts(moving: Moving) -> None:
    clip = moving(9, 48, 64)
    clip[3] = 1.0
    clip[6:] = clip[6:] * 0.4
    assert _cuts(clip) == []


@pytest.mark.parametrize("share", [0.3, 0.6, 0.7])
def test_a_window_that_is_raised_over_another_is_no_cut(moving: Moving, share: float) -> None:
    """The desktop and the menu bar stay as they were."""
    desktop, window = moving(1, 48, 64), moving(1, 48, 64, seed=1)
    before, after = desktop.repeat(5, 1, 1, 1), desktop.repeat(5, 1, 1, 1)
    width = int(64 * share / (40 / 48))
    after[..., 8:, :width] = window[..., 8:, :width]
    assert _cuts(torch.cat([before, after])) == []


def test_black_bars_do_not_hide_a_cut(moving: Moving) -> None:
    clip = torch.cat([moving(5, 48, 64), moving(5, 48, 64, seed=1)])
    clip[..., :8, :] = clip[..., -8:, :] = 0
    assert _cuts(clip) == [5]


def test_the_end_of_a_dissolve_is_no_cut(moving: Moving) -> None:
    one, other = moving(24, 96, 128), moving(24, 96, 128, seed=1)
    shares = torch.linspace(0, 1, 8).view(-1, 1, 1, 1)
    assert _cuts(torch.cat([one[:8], one[8:16].lerp(other[8:16], shares), other[16:]])) == []


def test_after_a_cut_all_is_as_at_a_fresh_start(two_scenes: Tensor, remembering: Network) -> None:
    made = list(NetworkCandidate("network", remembering).frames("clip", two_scenes))
    fresh = list(stream(remembering, two_scenes[6:]))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(made[6:], fresh, strict=True))
    dragged = list(stream(remembering, two_scenes))  # nobody watches
    assert torch.equal(dragged[5], made[5])
    assert (dragged[6] - made[6]).abs().max() > 1e-3


def test_a_network_that_needs_the_whole_clip_gets_a_scene_at_a_time(two_scenes: Tensor) -> None:
    class Reversed(Network):
        scale = 1

        def forward(self, lr: Tensor) -> Tensor:
            return lr.flip(1)

    made = torch.stack(list(stream(Reversed(), two_scenes, SceneCutDetector())))
    assert torch.equal(made, torch.cat([two_scenes[:6].flip(0), two_scenes[6:].flip(0)]))
