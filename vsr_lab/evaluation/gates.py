"""Gates: what a candidate has to show before it may ship."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import FrameNetwork, StreamingNetwork
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.drift import measure_drift, wandering_clip
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import paired
from vsr_lab.models import load_network

_PASS = 31  # frames one way
_SIZE = (32, 40)  # LR pixels
_NO_STEP = "has no step that can be run for long"
# The file of a candidate of each kind, below its path, that changes whenever its network does.
_PROOF = {"checkpoint": "", "bundle": MANIFEST}


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
        path = Path(facts["path"])
        return _export_verdict(name, self.exporter, path, _digest(path))


class NoDrift(Gate):
    """After `frames` frames a network is at most `margin` dB below its own beginning and below a fresh start.

    On a rendered clip, there and back over and over: recurrent networks can pile up what they invented (mmagic#509).
    """

    def __init__(self, frames: int, margin: float) -> None:
        self.frames = frames
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary["candidate_facts"]
        if facts["kind"] not in _PROOF:
            return Verdict(name, None, self.margin, False, _NO_STEP)
        path = Path(facts["path"])
        digest = _digest(path / _PROOF[facts["kind"]])
        return _drift_verdict(name, facts["kind"], path, digest, self.frames, self.margin)


# These two verdicts hang on the network alone, whichever suite it is judged on: a selection finds them once a network.
# digest: of its file, so that what has changed is judged anew.


@lru_cache(maxsize=64)
def _export_verdict(name: str, exporter: Exporter, path: Path, digest: str) -> Verdict:
    bound = exporter.tolerance
    network, _ = load_network(path)
    if not isinstance(network, StreamingNetwork):
        return Verdict(name, None, bound, False, "needs future frames, so it has no step to export")
    with TemporaryDirectory() as folder:
        try:
            parity = exporter.export(network, Path(folder))
        except Refusal as refusal:
            return Verdict(name, None, bound, False, str(refusal))
    return Verdict(name, parity.worst, bound, True, f"{parity.format}, {parity.frames} frames")


@lru_cache(maxsize=64)
def _drift_verdict(name: str, kind: str, path: Path, digest: str, frames: int, margin: float) -> Verdict:
    network = load_network(path)[0] if kind == "checkpoint" else open_bundle(path).network
    if not isinstance(network, StreamingNetwork):
        return Verdict(name, None, margin, False, _NO_STEP)
    if isinstance(network, FrameNetwork):
        return Verdict(name, None, margin, True, "remembers nothing")
    found = measure_drift(network, wandering_clip(_PASS, *(side * network.scale for side in _SIZE)), frames)
    reason = f"{found.late:.2f} dB in the end, {found.early:.2f} at first, {found.fresh:.2f} begun anew"
    return Verdict(name, found.loss, margin, found.loss <= margin, f"{reason}, {frames} frames")


def _digest(file: Path) -> str:
    if not file.is_file():
        raise UserError(file, "not found", "select where the candidate's files are, or evaluate it again")
    return sha256(file)


def _values(run: Run, metric: str) -> Any:
    if metric not in run.values:
        raise UserError(run.folder, f"has no {metric}, which a gate needs", "evaluate it with that metric")
    return run.values[metric]


def _mean(run: Run, metric: str) -> float:
    _values(run, metric)
    return float(run.summary["metrics"][metric]["mean"])
