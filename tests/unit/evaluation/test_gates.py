"""Gates: the number, the bound it was held against, and what it takes to pass."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.gates import Above, ExportParity, Floor, Gate, NoDrift, NotWorse
from vsr_lab.evaluation.results import Run
from vsr_lab.models import Compact, save_network

MakeRun = Callable[..., Run]
NOISE = np.random.default_rng(0).normal(30, 2, 64)


def _psnr(shift: float | np.ndarray = 0.0) -> dict[str, dict[str, list[float]]]:
    return {"psnr": {"walk": (NOISE + shift).tolist()}}


def test_above_asks_for_the_whole_interval(make_run: MakeRun) -> None:
    """Both are 0.65 above in the mean; one is so in every frame."""
    baseline = make_run("bicubic", _psnr())
    steady, drifting = make_run("steady", _psnr(0.65)), make_run("drifting", _psnr(np.linspace(-3, 4.3, 64)))
    verdict = Above("psnr", 0.5).judge("sharp", steady, baseline)
    assert (verdict.gate, verdict.passed, verdict.bound) == ("sharp", True, 0.5)
    assert verdict.value == pytest.approx(0.65)
    assert "over bicubic" in verdict.reason
    assert not Above("psnr", 0.5).judge("sharp", drifting, baseline).passed


def test_above_asks_for_more_than_the_margin(make_run: MakeRun) -> None:
    baseline = make_run("bicubic", {"psnr": {"walk": [30.0] * 16}})
    equal = make_run("equal", {"psnr": {"walk": [30.5] * 16}})
    assert not Above("psnr", 0.5).judge("gate", equal, baseline).passed
    assert Above("psnr", 0.4).judge("gate", equal, baseline).passed


@pytest.mark.parametrize(("value", "passed"), [(1.0, True), (1.1, True), (1.11, False)])
def test_not_worse_allows_a_share_of_the_baselines(make_run: MakeRun, value: float, passed: bool) -> None:
    baseline = make_run("bicubic", {"flicker": {"walk": [1.0, 1.0]}})
    run = make_run("ours", {"flicker": {"walk": [value, value]}})
    verdict = NotWorse("flicker", 0.1).judge("calm", run, baseline)
    assert (verdict.passed, verdict.value, verdict.bound) == (passed, value, 1.1)


@pytest.mark.parametrize(("value", "passed"), [(29.9, False), (30.0, True)])
def test_floor_is_the_least_that_passes(make_run: MakeRun, value: float, passed: bool) -> None:
    run = make_run("ours", {"psnr": {"walk": [value]}})
    assert Floor("psnr", 30).judge("floor", run, run).passed == passed


@pytest.mark.parametrize("gate", [Above("ssim", 0), NotWorse("ssim", 0), Floor("ssim", 0)])
def test_a_metric_that_was_not_measured_is_named(make_run: MakeRun, gate: Above | NotWorse | Floor) -> None:
    run = make_run("ours", _psnr())
    with pytest.raises(UserError, match="has no ssim, which a gate needs"):
        gate.judge("gate", run, run)


def test_a_verdict_says_itself_in_json(make_run: MakeRun) -> None:
    run = make_run("ours", {"psnr": {"walk": [31.0]}})
    assert Floor("psnr", 30).judge("floor", run, run).model_dump() == {
        "gate": "floor",
        "value": 31.0,
        "bound": 30,
        "passed": True,
        "reason": "psnr 31.00",
    }


# Export


class Kept(Exporter):
    """Keeps the network in memory, changed by `change`."""

    format = "kept"
    file = "kept"

    def __init__(self, change: Callable[[StreamingNetwork], StreamingNetwork] = lambda network: network) -> None:
        super().__init__(tolerance=1e-4, frames=3)
        self.change = change

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        path.touch()
        self.network = network

    def load(self, path: Path) -> StreamingNetwork:
        return self.change(self.network)


@pytest.fixture
def trained(tmp_path: Path, make_run: MakeRun) -> Run:
    spec = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}
    save_network(Compact(2, 4, 1), spec, {}, tmp_path / "network.safetensors")
    return make_run(
        "ours", _psnr(), candidate_facts={"kind": "checkpoint", "path": str(tmp_path / "network.safetensors")}
    )


def test_a_checkpoint_that_exports_passes(trained: Run) -> None:
    verdict = ExportParity(Kept()).judge("export", trained, trained)
    assert (verdict.passed, verdict.value, verdict.bound) == (True, 0, 1e-4)


def test_a_checkpoint_whose_graph_strays_fails_with_the_reason(trained: Run) -> None:
    class Brighter(Compact):
        def frame(self, lr: Tensor) -> Tensor:
            return super().frame(lr) + 0.01

    verdict = ExportParity(Kept(lambda _: Brighter(2, 4, 1))).judge("export", trained, trained)
    assert not verdict.passed
    assert "differs from the network by 0.01" in verdict.reason


@pytest.mark.parametrize(("kind", "passed"), [("bundle", True), ("interpolation", False), ("frames", False)])
def test_only_a_bundle_needs_no_export(make_run: MakeRun, kind: str, passed: bool) -> None:
    run = make_run("ours", _psnr(), candidate_facts={"kind": kind})
    assert ExportParity(Kept()).judge("export", run, run).passed == passed


class Counted(Kept):
    """Counts what it was asked to write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        self.writes += 1
        super().write(network, example, path)


def test_a_network_is_exported_once_for_all_suites_and_anew_when_it_has_changed(trained: Run) -> None:
    exporter = Counted()
    gate = ExportParity(exporter)
    assert gate.judge("export", trained, trained) == gate.judge("export", trained, trained)
    assert exporter.writes == 1
    spec = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}
    save_network(Compact(2, 4, 1), spec, {"seed": 1}, Path(trained.summary.candidate_facts.path or ""))
    gate.judge("export", trained, trained)
    assert exporter.writes == 2


@pytest.mark.parametrize("gate", [ExportParity(Kept()), NoDrift(600, 0.1)])
def test_a_checkpoint_that_is_gone_is_told_in_one_line(trained: Run, gate: Gate) -> None:
    Path(trained.summary.candidate_facts.path or "").unlink()
    with pytest.raises(UserError, match=r"network\.safetensors: not found"):
        gate.judge("gate", trained, trained)


def test_a_network_without_memory_has_no_drift_to_measure(trained: Run) -> None:
    verdict = NoDrift(600, 0.1).judge("drift", trained, trained)
    assert (verdict.passed, verdict.value, verdict.reason) == (True, None, "the network has no state")
