"""Gates on time and memory: the bound decides, and what has no network of its own is refused."""

from pathlib import Path

import pytest

from tests.unit.evaluation.conftest import MakeRun
from vsr_lab.deployment.bundle import export
from vsr_lab.deployment.export import OnnxExporter
from vsr_lab.evaluation import candidates
from vsr_lab.evaluation.gates.cost import Latency, Memory
from vsr_lab.evaluation.results import Run
from vsr_lab.models import build_network, save_network

_SLOW, _FAST = 1e5, 1e-3  # milliseconds


def _run(make_run: MakeRun, **facts: object) -> Run:
    return make_run("ours", {"psnr": {"walk": [30.0]}}, candidate_facts=facts)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    spec = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 8, "layers": 2}
    save_network(build_network(spec), {}, tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors"


def test_the_time_of_a_frame_is_held_against_the_bound(weights: Path, make_run: MakeRun) -> None:
    run = _run(make_run, kind="checkpoint", path=str(weights))
    found = Latency(_SLOW, 24, 16).judge("latency", run, run)
    assert found.passed, found.reason
    assert found.reason.endswith("ms per frame of 24x16 pixels with torch float32 on cpu")
    slow = Latency(_FAST, 24, 16).judge("latency", run, run)
    assert not slow.passed
    assert slow.bound == _FAST


def test_memory_grows_with_the_frame(weights: Path, make_run: MakeRun) -> None:
    run = _run(make_run, kind="checkpoint", path=str(weights))
    small, large = (Memory(1, side, side).judge("memory", run, run) for side in (8, 800))
    assert small.passed, small.reason
    assert not large.passed
    assert large.value == pytest.approx(1e4 * (small.value or 0), rel=1e-3)  # bytes are rounded


def test_a_bundle_is_run_as_it_was_evaluated(tmp_path: Path, weights: Path, make_run: MakeRun) -> None:
    export(weights, tmp_path / "bundle", name="small", exporters=[OnnxExporter(tolerance=1e-4, frames=4)])
    facts = candidates.bundle(str(tmp_path / "bundle"), precision="bfloat16").facts
    run = make_run("half", {"psnr": {"walk": [30.0]}}, candidate_facts=facts.model_dump())
    for gate in (Latency(_SLOW, 24, 16), Memory(100, 24, 16)):
        found = gate.judge("cost", run, run)
        assert found.passed, found.reason
        assert found.reason.endswith("with torch bfloat16 on cpu")


@pytest.mark.parametrize("gate", [Latency(_SLOW, 24, 16), Memory(100, 24, 16)])
def test_frames_of_another_tool_have_no_cost(gate: Latency | Memory, make_run: MakeRun) -> None:
    run = _run(make_run, kind="frames", path="frames")
    assert gate.judge("cost", run, run).reason == "a candidate of kind frames has no network that can be deployed"


def test_what_needs_future_frames_has_no_time_per_frame(tmp_path: Path, make_run: MakeRun) -> None:
    spec = {"_target_": "vsr_lab.models.AnimeSr", "scale": 2, "channels": 4}
    save_network(build_network(spec), {}, tmp_path / "network.safetensors")
    run = _run(make_run, kind="checkpoint", path=str(tmp_path / "network.safetensors"))
    found = Latency(_SLOW, 24, 16).judge("latency", run, run)
    assert not found.passed
    assert "needs future frames" in found.reason
