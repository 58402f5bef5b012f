"""Gates on the cost of a network: its time per frame on this machine, and its memory."""

from abc import abstractmethod
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
from vsr_lab.deployment.runtimes.torch import bundled_network
from vsr_lab.evaluation.gates.base import Gate, verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.models import load_network

_FRAMES = 6


class CostGate(Gate):
    """Base class of gates that limit what the network needs for a frame.

    Args:
        bound: largest value.
        width, height: size of the LR frame, in pixels.

    Attributes:
        words: format string of the value in messages, followed by the size of the frame.
    """

    is_slow = True
    words: str

    def __init__(self, bound: float, width: int, height: int) -> None:
        self.bound = bound
        self.size = height, width

    @abstractmethod
    def measure(self, facts: CandidateFacts, runtime: Runtime) -> float:
        """Measure the value for a candidate in a runtime. Raises Refusal if the candidate cannot be deployed."""

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        runtime = facts.runtime or Runtime(
            backend="torch", device="cpu", precision="float32", threads=0, version=torch.__version__
        )
        try:
            value = self.measure(facts, runtime)
        except Refusal as refusal:
            return verdict(name, None, self.bound, passed=False, reason=str(refusal))
        height, width = self.size
        reason = f"{self.words.format(value)} of {width}x{height} pixels with {runtime}"
        return verdict(name, value, self.bound, passed=value <= self.bound, reason=reason)


class Latency(CostGate):
    """Gate that limits the time per frame on this machine. Run `select` on a machine like those of the deployment.

    The network of a bundle is run in the runtime (library, device, precision) in which it was evaluated. The network of
    a checkpoint is run in torch in float32 on the CPU. After a first frame without measurement, 5 frames are measured,
    and the shortest time is used.

    Args:
        milliseconds: largest time per frame.
        width, height: size of the LR frame, in pixels.
    """

    words = "{:.1f} ms per frame"

    def __init__(self, milliseconds: Positive, width: Count, height: Count) -> None:
        super().__init__(milliseconds, width, height)

    def measure(self, facts: CandidateFacts, runtime: Runtime) -> float:
        folder = Path(facts.path or "")
        network = open_runtime(folder, open_bundle(folder).manifest, runtime) if facts.runtime else _network(facts)
        _, seconds = run_clip(network, rollout_clip(_FRAMES, *self.size))
        return 1000 * seconds


class Memory(CostGate):
    """Gate that limits the memory that the network needs for a whole frame. It is estimated as by `upscale`.

    Args:
        megabytes: largest memory, in 1e6 bytes.
        width, height: size of the LR frame, in pixels.
    """

    words = "about {:.0f} MB for a frame"

    def __init__(self, megabytes: Positive, width: Count, height: Count) -> None:
        super().__init__(megabytes, width, height)

    def measure(self, facts: CandidateFacts, runtime: Runtime) -> float:
        height, width = self.size
        return needed_memory(_network(facts), runtime, height * width) / 1e6


def _network(facts: CandidateFacts) -> StreamingNetwork:
    """The network of a checkpoint or bundle in torch, in float32 on the CPU."""
    path = Path(facts.path or "")
    if facts.kind == "bundle":
        return bundled_network(path)
    if facts.kind != "checkpoint":
        raise Refusal(f"a candidate of kind {facts.kind} has no network that can be deployed")
    network, _ = load_network(path)
    if not isinstance(network, StreamingNetwork):
        raise Refusal("the network needs future frames, so it cannot run frame by frame")
    return network.eval().to(memory_format=torch.channels_last)
