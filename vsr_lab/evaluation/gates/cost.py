"""Gates on the cost of a network: its time per frame on this machine, and its memory."""

from pathlib import Path

import torch

from vsr_lab.core.errors import Refusal
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.ranges import Count, Positive
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.core.records.evaluation import CandidateFacts, Verdict
from vsr_lab.deployment import open_bundle
from vsr_lab.deployment.export import rollout_clip
from vsr_lab.deployment.runtimes import open_runtime, run_clip
from vsr_lab.deployment.runtimes.memory import needed_memory
from vsr_lab.evaluation.gates.base import Gate, verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.models import load_network
from vsr_lab.models.files import WEIGHTS

_FRAMES = 6


class Latency(Gate):
    """Gate that limits the time per frame on this machine. Run `select` on a machine like those of the deployment.

    The network of a bundle is run in the runtime (library, device, precision) in which it was evaluated. The network of
    a checkpoint is run in torch in float32 on the CPU. After a first frame without measurement, 5 frames are measured,
    and the shortest time is used.

    Args:
        milliseconds: largest time per frame.
        width, height: size of the LR frame, in pixels.
    """

    is_slow = True

    def __init__(self, milliseconds: Positive, width: Count, height: Count) -> None:
        self.milliseconds = milliseconds
        self.size = height, width

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        try:
            network = _deployed(facts)
        except Refusal as refusal:
            return verdict(name, None, self.milliseconds, passed=False, reason=str(refusal))
        value = 1000 * run_clip(network, rollout_clip(_FRAMES, *self.size))[1]
        reason = f"{value:.1f} ms per frame of {_text(self.size)} with {_runtime(facts)}"
        return verdict(name, value, self.milliseconds, passed=value <= self.milliseconds, reason=reason)


class Memory(Gate):
    """Gate that limits the memory that the network needs for a whole frame. It is estimated as by `upscale`.

    Args:
        megabytes: largest memory, in 1e6 bytes.
        width, height: size of the LR frame, in pixels.
    """

    is_slow = True

    def __init__(self, megabytes: Positive, width: Count, height: Count) -> None:
        self.megabytes = megabytes
        self.size = height, width

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        height, width = self.size
        try:
            network = _network(facts)
        except Refusal as refusal:
            return verdict(name, None, self.megabytes, passed=False, reason=str(refusal))
        value = needed_memory(network, _runtime(facts), height * width) / 1e6
        reason = f"about {value:.0f} MB for a frame of {_text(self.size)} with {_runtime(facts)}"
        return verdict(name, value, self.megabytes, passed=value <= self.megabytes, reason=reason)


def _deployed(facts: CandidateFacts) -> StreamingNetwork:
    """The network of a candidate in the runtime in which the candidate was evaluated."""
    network, folder = _network(facts), Path(facts.path or "")
    return network if facts.runtime is None else open_runtime(folder, open_bundle(folder).manifest, facts.runtime)


def _network(facts: CandidateFacts) -> StreamingNetwork:
    """The network of a checkpoint or bundle in torch, in float32 on the CPU."""
    if facts.kind not in {"checkpoint", "bundle"}:
        raise Refusal(f"a candidate of kind {facts.kind} has no network that can be deployed")
    path = Path(facts.path or "")
    network, _ = load_network(path / WEIGHTS if facts.kind == "bundle" else path)
    if not isinstance(network, StreamingNetwork):
        raise Refusal("the network needs future frames, so it cannot run frame by frame")
    return network.eval().to(memory_format=torch.channels_last)


def _runtime(facts: CandidateFacts) -> Runtime:
    """The runtime in which a candidate was evaluated."""
    threads = torch.get_num_threads()
    return facts.runtime or Runtime(
        backend="torch", device="cpu", precision="float32", threads=threads, version=torch.__version__
    )


def _text(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]} pixels"
