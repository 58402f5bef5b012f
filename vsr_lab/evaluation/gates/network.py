"""Gates that run the network of a candidate: can it be exported, and does its output drift?

Drift of a recurrent network is a decrease of PSNR over hundreds of frames.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import FrameNetwork, StreamingNetwork, stream
from vsr_lab.core.ranges import Count, NonNegative
from vsr_lab.core.records.evaluation import CandidateFacts, Verdict
from vsr_lab.core.resize import imresize
from vsr_lab.deployment import MANIFEST, open_bundle
from vsr_lab.deployment.export import Exporter
from vsr_lab.evaluation.gates.base import Gate, verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.models import load_network

_CHANCE = 1 / 30  # that the state is reset at a frame, in the run that is compared with


class Drift(NamedTuple):
    """Quality of a recurrent network at the start and at the end of a long video, to detect drift.

    Each value is the mean PSNR in dB over one pass (the clip played forward and backward), or NaN if the output is not
    finite.

    Attributes:
        early, late: PSNR of the second and of the last pass if the state is never reset.
        fresh: PSNR of the last pass if the state is reset at random frames.
    """

    early: float
    late: float
    fresh: float

    @property
    def loss(self) -> float:
        """Decrease of PSNR in dB: max(early, fresh) - late."""
        return max(self.early, self.fresh) - self.late


def measure_drift(network: StreamingNetwork, hr: Tensor, frames: int) -> Drift:
    """Measure whether the output of a recurrent network becomes worse over time, on a clip that is repeated many times.

    The clip is played forward and backward. LR is computed by bicubic downscaling.

    Args:
        network: network to measure.
        hr: the clip, (T, 3, H, W) in [0, 1]; H and W are multiples of the scale.
        frames: total number of frames to process.

    Raises:
        ValueError: `frames` is less than three passes over the clip.
    """
    order = list(there_and_back(len(hr), frames))
    period = 2 * len(hr) - 2
    if len(hr) < 2 or frames < 3 * period:
        raise ValueError(f"{frames} frames are less than three passes of {period}")
    lr = quantise(imresize(hr, 1 / network.scale))
    resets = np.random.default_rng(0).random(frames) < _CHANCE
    resets[0] = True
    lasting = _psnr(stream(network, (lr[t] for t in order)), hr, order)
    # Only the last pass counts, so the frames before the last reset that precedes it have no effect: they are left out.
    begin = int(resets[: frames - period + 1].nonzero()[0][-1])
    following = iter(resets[begin:].tolist())
    fresh = _psnr(stream(network, (lr[t] for t in order[begin:]), lambda _: next(following)), hr, order[begin:])
    return Drift(*(float(part.mean()) for part in (lasting[period : 2 * period], lasting[-period:], fresh[-period:])))


def there_and_back(length: int, frames: int) -> Iterator[int]:
    """Yield `frames` frame numbers of a clip played forward and backward: 0 1 ... length-1 ... 1 0 1 ..."""
    last = length - 1
    return (last - abs(t % (2 * last) - last) for t in range(frames))


def _psnr(made: Iterator[Tensor], hr: Tensor, order: Sequence[int]) -> Tensor:
    """PSNR per frame in dB, float64, at most 100."""
    errors = [(quantise(sr.float()) - hr[t]).double().square().mean() for sr, t in zip(made, order, strict=True)]
    return -10 * torch.stack(errors).clamp(min=1e-10).log10()


def wandering_clip(frames: int, height: int, width: int) -> Tensor:
    """Draw a synthetic clip for `measure_drift`: a texture under a moving camera, the same in every call.

    Returns:
        (frames, 3, height, width) in [0, 1], rounded to 8 bits.
    """
    generator = torch.Generator().manual_seed(0)
    picture = torch.zeros(3, height + 2 * frames, width + 2 * frames)
    for cell, share in ((16, 0.5), (5, 0.3), (2, 0.2)):
        rows, columns = (-(-side // cell) for side in picture.shape[-2:])
        noise = torch.rand(3, rows, columns, generator=generator)
        picture += share * imresize(noise, cell)[:, : picture.shape[1], : picture.shape[2]]
    steps = torch.randint(0, 3, (frames, 2), generator=generator).cumsum(0).tolist()
    return quantise(torch.stack([picture[:, y : y + height, x : x + width] for y, x in steps]))


_PASS = 31  # frames in one direction
_SIZE = (32, 40)  # LR pixels
_NO_STEP = "has no streaming step that can be run for long"
# By kind of candidate: the file, below its path, that changes whenever the network does.
_PROOF = {"checkpoint": "", "bundle": MANIFEST}


class ExportParity(Gate):
    """Gate that requires that the network can be exported, and that the graph gives the same output on a long clip.

    Args:
        exporter: exporter of the graph, which sets the tolerance and the length of the clip.
    """

    is_slow = True

    def __init__(self, exporter: Exporter) -> None:
        self.exporter = exporter

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        bound = self.exporter.tolerance
        if facts.kind == "bundle":
            return verdict(name, None, bound, passed=True, reason="the candidate is an exported bundle")
        if facts.kind != "checkpoint":
            return verdict(
                name, None, bound, passed=False, reason=f"a candidate of kind {facts.kind} cannot be exported"
            )
        path = _path(facts)
        return _export_verdict(name, self.exporter, path, _digest(path))


class NoDrift(Gate):
    """Gate that limits how much worse the output of a recurrent network becomes over time.

    A recurrent network can accumulate errors in its state (mmagic#509). A synthetic clip is played forward and backward
    repeatedly. After `frames` frames, the PSNR is compared with two values: the PSNR at the start, and the PSNR of the
    same network if its state is reset at random frames. It may be at most `margin` dB lower than each of these values.

    Args:
        frames: number of frames to process, >= 180, which is three passes over the clip.
        margin: allowed decrease of the PSNR in dB, >= 0.

    Raises:
        ValueError: `frames` is less than 180.
    """

    is_slow = True

    def __init__(self, frames: Count, margin: NonNegative) -> None:
        if frames < (least := 3 * (2 * _PASS - 2)):
            raise ValueError(f"frames must be >= {least}, got {frames}")
        self.frames = frames
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        facts = run.summary.candidate_facts
        if facts.kind not in _PROOF:
            return verdict(name, None, self.margin, passed=False, reason=_NO_STEP)
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
        return verdict(
            name, None, bound, passed=False, reason="needs future frames, so it has no streaming step to export"
        )
    with TemporaryDirectory() as folder:
        try:
            parity = exporter.export(network, Path(folder))
        except Refusal as refusal:
            return verdict(name, None, bound, passed=False, reason=str(refusal))
    return verdict(name, parity.worst, bound, passed=True, reason=f"{parity.format}, {parity.frames} frames")


@lru_cache(maxsize=64)
def _drift_verdict(name: str, kind: str, path: Path, digest: str, frames: int, margin: float) -> Verdict:
    network = load_network(path)[0] if kind == "checkpoint" else open_bundle(path).network
    if not isinstance(network, StreamingNetwork):
        return verdict(name, None, margin, passed=False, reason=_NO_STEP)
    if isinstance(network, FrameNetwork):
        return verdict(name, None, margin, passed=True, reason="the network has no state")
    found = measure_drift(network, wandering_clip(_PASS, *(side * network.scale for side in _SIZE)), frames)
    reason = f"{found.late:.2f} dB at the end, {found.early:.2f} at the beginning, {found.fresh:.2f} restarted"
    return verdict(name, found.loss, margin, passed=found.loss <= margin, reason=f"{reason}, {frames} frames")


def _path(facts: CandidateFacts) -> Path:
    return Path(facts.path or "")


def _digest(file: Path) -> str:
    if not file.is_file():
        raise UserError(
            file, "not found", "run vsr-lab select in the folder where evaluate ran, or evaluate this candidate again"
        )
    return sha256(file)
