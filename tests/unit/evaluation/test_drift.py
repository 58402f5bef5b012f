"""Drift: what piles up over a long run is found, and what does not is left in peace."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.resize import imresize
from vsr_lab.evaluation.gates.network import NoDrift, measure_drift, there_and_back, wandering_clip
from vsr_lab.evaluation.results import Run
from vsr_lab.models import build_network, save_network


class Piling(StreamingNetwork):
    """Bicubic, and a gray that grows by `growth` a frame; `kept` is what stays of it from frame to frame."""

    scale = 2

    def __init__(self, growth: float, kept: float = 1.0) -> None:
        super().__init__()
        self.growth = growth
        self.kept = kept

    def zero_state(self, lr: Tensor) -> State:
        return (lr.new_zeros(len(lr), 1, 1, 1),)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        gray = self.kept * state[0] + self.growth
        return imresize(lr, 2) + gray, (gray,)


@pytest.fixture(scope="module")
def hr() -> Tensor:
    return wandering_clip(6, 16, 24)


def test_what_piles_up_is_measured_against_the_beginning_and_a_fresh_start(hr: Tensor) -> None:
    drift = measure_drift(Piling(0.0005), hr, 200)
    assert drift.loss > 5
    assert drift.early > drift.late
    assert drift.fresh > drift.late


@pytest.mark.parametrize("network", [Piling(0.0), Piling(0.01, kept=0.1)], ids=["bicubic", "settles"])
def test_what_settles_does_not_drift(network: StreamingNetwork, hr: Tensor) -> None:
    assert measure_drift(network, hr, 100).loss < 0.1


def test_what_becomes_no_number_fails(hr: Tensor) -> None:
    assert not measure_drift(Piling(float("nan")), hr, 40).loss <= 0.1


def test_a_run_of_less_than_three_passes_is_none(hr: Tensor) -> None:
    with pytest.raises(ValueError, match="three passes of 10"):
        measure_drift(Piling(0), hr, 29)
    with pytest.raises(ValueError, match="frames must be >= 180, got 179"):
        NoDrift(frames=179, margin=0.1)


@pytest.mark.parametrize(
    ("spec", "passed"),
    [
        ({"_target_": "vsr_lab.models.Recurrent", "scale": 2, "channels": 4, "blocks": 1}, True),
        ({"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}, True),
        ({"_target_": "vsr_lab.models.AnimeSr", "scale": 2, "channels": 4}, False),
    ],
    ids=lambda value: value["_target_"].rpartition(".")[2] if isinstance(value, dict) else "",
)
def test_the_gate_runs_what_can_run_for_long(
    tmp_path: Path, make_run: Callable[..., Run], spec: dict[str, Any], passed: bool
) -> None:
    path = tmp_path / "network.safetensors"
    save_network(build_network(spec), {}, path)
    run = make_run("ours", {"psnr": {"walk": [30.0]}}, candidate_facts={"kind": "checkpoint", "path": str(path)})
    verdict = NoDrift(frames=180, margin=0.1).judge("drift", run, run)
    assert (verdict.gate, verdict.passed) == ("drift", passed), verdict.reason


def test_the_way_there_and_back_never_jumps() -> None:
    order = list(there_and_back(4, 14))
    assert order == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]


def test_the_clip_moves_and_is_the_same_every_time(hr: Tensor) -> None:
    assert torch.equal(hr, wandering_clip(6, 16, 24))
    assert hr.shape == (6, 3, 16, 24)
    assert (hr[1:] - hr[:-1]).abs().mean() > 0.01
