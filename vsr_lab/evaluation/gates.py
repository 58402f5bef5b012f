"""Gates: what a candidate has to show before it may ship."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import paired
from vsr_lab.exporters import Exporter
from vsr_lab.models import load_network


@dataclass(frozen=True)
class Verdict:
    """One gate's number, the bound it was held against, and whether it passed."""

    gate: str
    value: float | None
    bound: float | None
    passed: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Gate(ABC):
    """Judges a run beside the baseline's run on the same suite."""

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        """The verdict, under the name the gate has in the configuration."""


class Above(Gate):
    """`metric` exceeds the baseline's by more than `margin`, with the whole 95 % interval of the paired difference."""

    def __init__(self, metric: str, margin: float) -> None:
        self.metric = metric
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        difference = paired(_values(run, self.metric), _values(baseline, self.metric))
        passed = difference.low > self.margin
        interval = f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
        return Verdict(name, difference.low, self.margin, passed, f"{self.metric} {interval} over {baseline.candidate}")


class NotWorse(Gate):
    """`metric`, of which less is better, is at most (1 + margin) times the baseline's."""

    def __init__(self, metric: str, margin: float) -> None:
        self.metric = metric
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value, theirs = _mean(run, self.metric), _mean(baseline, self.metric)
        bound = theirs * (1 + self.margin)
        reason = f"{self.metric} {value:.3f}, {baseline.candidate} {theirs:.3f}"
        return Verdict(name, value, bound, value <= bound, reason)


class Floor(Gate):
    """`metric` is at least `floor`."""

    def __init__(self, metric: str, floor: float) -> None:
        self.metric = metric
        self.floor = floor

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value = _mean(run, self.metric)
        return Verdict(name, value, self.floor, value >= self.floor, f"{self.metric} {value:.2f}")


class ExportParity(Gate):
    """The network exports, and the graph gives what the network gives over a long rollout."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary["candidate_facts"]
        bound = self.exporter.tolerance
        if facts["kind"] == "bundle":
            return Verdict(name, None, bound, True, "judged as the exported bundle itself")
        if facts["kind"] != "checkpoint":
            return Verdict(name, None, bound, False, f"a candidate of kind {facts['kind']} cannot be exported")
        network, _ = load_network(Path(facts["path"]))
        if not isinstance(network, StreamingNetwork):
            return Verdict(name, None, bound, False, "needs future frames, so it has no step to export")
        with TemporaryDirectory() as folder:
            try:
                parity = self.exporter.export(network, Path(folder))
            except Refusal as refusal:
                return Verdict(name, None, bound, False, str(refusal))
        return Verdict(name, parity.worst, bound, True, f"{parity.format}, {parity.frames} frames")


def _values(run: Run, metric: str) -> Any:
    if metric not in run.values:
        raise UserError(run.folder, f"has no {metric}, which a gate needs", "evaluate it with that metric")
    return run.values[metric]


def _mean(run: Run, metric: str) -> float:
    _values(run, metric)
    return float(run.summary["metrics"][metric]["mean"])
