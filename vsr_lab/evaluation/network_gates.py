"""Gates that run the network of a candidate: whether it can be exported, and whether its output drifts."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import FrameNetwork, StreamingNetwork
from vsr_lab.core.ranges import Count, NonNegative
from vsr_lab.core.records.evaluation import CandidateFacts, Verdict
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.drift import measure_drift, wandering_clip
from vsr_lab.evaluation.gates import Gate, verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.models import load_network

_PASS = 31  # frames in one direction
_SIZE = (32, 40)  # LR pixels
_NO_STEP = "has no streaming step that can be run for long"
# By kind of candidate: the file, below its path, that changes whenever the network does.
_PROOF = {"checkpoint": "", "bundle": MANIFEST}


class ExportParity(Gate):
    """Passes if the network can be exported and the graph gives the same output over a long clip."""

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        bound = self.exporter.tolerance
        if facts.kind == "bundle":
            return verdict(name, None, bound, True, "the candidate is an exported bundle")
        if facts.kind != "checkpoint":
            return verdict(name, None, bound, False, f"a candidate of kind {facts.kind} cannot be exported")
        path = _path(facts)
        return _export_verdict(name, self.exporter, path, _digest(path))


class NoDrift(Gate):
    """Gate that limits how much worse the output of a recurrent network becomes over time.

    A recurrent network can accumulate errors in its state (mmagic#509). A synthetic clip is played forward and backward
    repeatedly. After `frames` frames, the PSNR is compared with two values: that at the start, and that of the same
    network with a state that was reset. It may be at most `margin` dB lower than either.

    Args:
        frames: number of frames to process.
        margin: allowed decrease of the PSNR in dB, >= 0.
    """

    def __init__(self, frames: Count, margin: NonNegative) -> None:
        self.frames = frames
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        if facts.kind not in _PROOF:
            return verdict(name, None, self.margin, False, _NO_STEP)
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
        return verdict(name, None, bound, False, "needs future frames, so it has no streaming step to export")
    with TemporaryDirectory() as folder:
        try:
            parity = exporter.export(network, Path(folder))
        except Refusal as refusal:
            return verdict(name, None, bound, False, str(refusal))
    return verdict(name, parity.worst, bound, True, f"{parity.format}, {parity.frames} frames")


@lru_cache(maxsize=64)
def _drift_verdict(name: str, kind: str, path: Path, digest: str, frames: int, margin: float) -> Verdict:
    network = load_network(path)[0] if kind == "checkpoint" else open_bundle(path).network
    if not isinstance(network, StreamingNetwork):
        return verdict(name, None, margin, False, _NO_STEP)
    if isinstance(network, FrameNetwork):
        return verdict(name, None, margin, True, "the network has no state")
    found = measure_drift(network, wandering_clip(_PASS, *(side * network.scale for side in _SIZE)), frames)
    reason = f"{found.late:.2f} dB at the end, {found.early:.2f} at the beginning, {found.fresh:.2f} restarted"
    return verdict(name, found.loss, margin, found.loss <= margin, f"{reason}, {frames} frames")


def _path(facts: CandidateFacts) -> Path:
    return Path(facts.path or "")


def _digest(file: Path) -> str:
    if not file.is_file():
        raise UserError(file, "not found", "run select where the candidate's files are, or evaluate it again")
    return sha256(file)
