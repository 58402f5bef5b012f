"""The plan counts what can be counted by hand."""

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.network import FrameNetwork
from vsr_lab.models import Recurrent
from vsr_lab.training import Plan, Workload, make_plan

CPU = torch.device("cpu")


class _OneConvolution(FrameNetwork):
    """3 to 12 channels, 3x3: 324 multiplications a pixel."""

    scale = 2
    ran: ClassVar[set[int]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)

    def frame(self, lr: Tensor) -> Tensor:
        self.ran.add(id(self))
        return nn.functional.pixel_shuffle(self.conv(lr), 2)


def _plan(network: FrameNetwork | Recurrent, batch: int = 4, steps: int = 10, accumulate: int = 1) -> Plan:
    return make_plan(network, CPU, Workload(batch, 6, 16, steps, accumulate, world=2))


def test_parameters_operations_and_samples_are_counted() -> None:
    plan = _plan(_OneConvolution(), accumulate=3)
    assert plan.parameters == 3 * 12 * 9 + 12
    assert plan.gmac == pytest.approx(324 * 180 * 320 / 1e9, rel=1e-6)
    assert plan.samples == 10 * 3 * 2 * 4


def test_what_a_clip_costs_once_is_not_in_the_cost_of_a_frame() -> None:
    plain, warmed = (_plan(Recurrent(2, 8, 1, warm_up=n)).gmac for n in (0, 3))
    assert plain == pytest.approx(warmed)


def test_memory_grows_with_the_batch_and_holds_the_frames_kept_for_the_backward_pass() -> None:
    one, four = (_plan(_OneConvolution(), batch=n) for n in (1, 4))
    weights = 16 * one.parameters
    assert four.memory - weights == pytest.approx(4 * (one.memory - weights), rel=0.01)
    assert one.memory - weights >= 6 * 3 * 16 * 16 * 4  # the input of the convolution, six frames in float32


def test_recomputed_activations_take_less_memory_and_the_plan_says_so() -> None:
    network = Recurrent(2, 16, 4)
    plain = make_plan(network, CPU, Workload(2, 12, 16, steps=1))
    network.checkpoint_activations = True
    lean = make_plan(network, CPU, Workload(2, 12, 16, steps=1))
    assert lean.memory < plain.memory / 2
    # What goes into every step, and once what is in it: state and frame of float32, 12 frames of 2 clips.
    assert lean.memory > 16 * lean.parameters + 12 * 2 * (3 + 3 + 16 + 12) * 16 * 16 * 4
    assert "recomputed activations" in str(lean)
    assert "recomputed" not in str(plain)


def test_planning_draws_no_random_numbers_and_does_not_touch_the_network() -> None:
    network = _OneConvolution()
    _OneConvolution.ran.clear()
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    _plan(network)
    assert torch.equal(torch.rand(3), expected)
    assert _OneConvolution.ran
    assert id(network) not in _OneConvolution.ran


def test_it_is_told_in_one_line() -> None:
    said = str(Plan(1_500_000, 12.34, 3 * 2**30, 4000, 1000, 3.6))
    assert said == (
        "1.50 M parameters, 12.3 GMAC a frame at 320x180, at least 3.00 GiB; "
        "1000 steps of 3.60 s, 4000 clips: about 1.0 h"
    )
