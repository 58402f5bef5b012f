"""Gates: tests that a candidate must pass before it may be deployed."""

import math
from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import FrameNetwork, StreamingNetwork
from vsr_lab.core.ranges import Count, Name, NonNegative
from vsr_lab.core.records.evaluation import CandidateFacts, Verdict
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.drift import measure_drift, wandering_clip
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import Values, paired
from vsr_lab.models import load_network

_PASS = 31  # frames in one direction
_SIZE = (32, 40)  # LR pixels
_NO_STEP = "has no streaming step that can be run for long"
# By kind of candidate: the file, below its path, that changes whenever the network does.
_PROOF = {"checkpoint": "", "bundle": MANIFEST}


class Gate(ABC):
    """A test of the evaluation of a candidate, compared with that of the baseline on the same suite."""

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        """Test an evaluation.

        Args:
            name: name of the gate in the configuration.
            run: evaluation of the candidate.
            baseline: evaluation of the baseline on the same suite.
        """


def _verdict(name: str, value: float | None, bound: float, passed: bool, reason: str) -> Verdict:
    known = value is not None and math.isfinite(value)
    return Verdict(gate=name, value=value if known else None, bound=bound, passed=passed, reason=reason)


class Above(Gate):
    """Passes if the 95 % interval of the paired difference of `metric` from the baseline is above `margin`."""

    def __init__(self, metric: Name, margin: float) -> None:
        self.metric = metric
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        difference = paired(_values(run, self.metric), _values(baseline, self.metric))
        passed = difference.low > self.margin
        interval = f"{difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
        return _verdict(
            name, difference.low, self.margin, passed, f"{self.metric} {interval} over {baseline.candidate}"
        )


class NotWorse(Gate):
    """Passes if `metric`, for which lower is better, is at most (1 + margin) times that of the baseline."""

    def __init__(self, metric: Name, margin: NonNegative) -> None:
        self.metric = metric
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value, theirs = _mean(run, self.metric), _mean(baseline, self.metric)
        bound = theirs * (1 + self.margin)
        reason = f"{self.metric} {value:.3f}, {baseline.candidate} {theirs:.3f}"
        return _verdict(name, value, bound, value <= bound, reason)


class Floor(Gate):
    """Passes if `metric` is at least `floor`."""

    def __init__(self, metric: Name, floor: float) -> None:
        self.metric = metric
        self.floor = floor

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value = _mean(run, self.metric)
        return _verdict(name, value, self.floor, value >= self.floor, f"{self.metric} {value:.2f}")


class ExportParity(Gate):
    """Passes if the network can be exported and the graph gives the same output over a long clip."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        bound = self.exporter.tolerance
        if facts.kind == "bundle":
            return _verdict(name, None, bound, True, "the candidate is an exported bundle")
        if facts.kind != "checkpoint":
            return _verdict(name, None, bound, False, f"a candidate of kind {facts.kind} cannot be exported")
        path = _path(facts)
        return _export_verdict(name, self.exporter, path, _digest(path))


class NoDrift(Gate):
    """Passes if after `frames` frames a network is at most `margin` dB worse than at the start and than after a reset.

    It is measured on a synthetic clip that is played forward and backward repeatedly, since recurrent networks can
    accumulate generated detail (mmagic#509).
    """

    def __init__(self, frames: Count, margin: NonNegative) -> None:
        self.frames = frames
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        if facts.kind not in _PROOF:
            return _verdict(name, None, self.margin, False, _NO_STEP)
        path = _path(facts)
        digest = _digest(path / _PROOF[facts.kind])
        return _drift_verdict(name, facts.kind, path, digest, self.frames, self.margin)


# These two verdicts depend on the network only, so they are computed once for all suites. digest: hash of its file, so
# that a changed file is tested again.


@lru_cache(maxsize=64)
def _export_verdict(name: str, exporter: Exporter, path: Path, digest: str) -> Verdict:
    bound = exporter.tolerance
    network, _ = load_network(path)
    if not isinstance(network, StreamingNetwork):
        return _verdict(name, None, bound, False, "needs future frames, so it has no streaming step to export")
    with TemporaryDirectory() as folder:
        try:
            parity = exporter.export(network, Path(folder))
        except Refusal as refusal:
            return _verdict(name, None, bound, False, str(refusal))
    return _verdict(name, parity.worst, bound, True, f"{parity.format}, {parity.frames} frames")


@lru_cache(maxsize=64)
def _drift_verdict(name: str, kind: str, path: Path, digest: str, frames: int, margin: float) -> Verdict:
    network = load_network(path)[0] if kind == "checkpoint" else open_bundle(path).network
    if not isinstance(network, StreamingNetwork):
        return _verdict(name, None, margin, False, _NO_STEP)
    if isinstance(network, FrameNetwork):
        return _verdict(name, None, margin, True, "the network has no state")
    found = measure_drift(network, wandering_clip(_PASS, *(side * network.scale for side in _SIZE)), frames)
    reason = f"{found.late:.2f} dB at the end, {found.early:.2f} at the beginning, {found.fresh:.2f} restarted"
    return _verdict(name, found.loss, margin, found.loss <= margin, f"{reason}, {frames} frames")


def _path(facts: CandidateFacts) -> Path:
    return Path(facts.path or "")


def _digest(file: Path) -> str:
    if not file.is_file():
        raise UserError(file, "not found", "run select where the candidate's files are, or evaluate it again")
    return sha256(file)


def _values(run: Run, metric: str) -> dict[str, Values]:
    if metric not in run.values:
        raise UserError(run.folder, f"has no {metric}, which a gate needs", "evaluate it with that metric")
    return run.values[metric]


def _mean(run: Run, metric: str) -> float:
    _values(run, metric)
    return run.summary.metrics[metric].mean
