"""Scores of candidates on one clip, all in step, so that what depends on the truth alone is computed once."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import Inputs
from vsr_lab.core.luma import quantise
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.evaluation.suites import Pair
from vsr_lab.metrics import NETS, reference_motion


class Score(NamedTuple):
    """One number: a metric of one frame of one clip."""

    candidate: str
    clip: str
    frame: int
    metric: str
    value: float


class Timed:
    """The frames of a candidate, and the seconds it took to make them."""

    def __init__(self, candidate: Candidate, clip: str, lr: Iterable[Tensor]) -> None:
        self.candidate = candidate
        self._frames = candidate.frames(clip, lr)
        self.seconds: list[float] = []

    def pace(self) -> float:
        """Seconds a frame: the median; the mean where nearly all work was done before the first frame came."""
        if self.seconds[0] > sum(self.seconds) / 2:
            return sum(self.seconds) / len(self.seconds)
        return statistics.median(self.seconds)

    def __iter__(self) -> Iterator[Tensor]:
        return self

    def __next__(self) -> Tensor:
        start = time.perf_counter()
        frame = next(self._frames)
        self.seconds.append(time.perf_counter() - start)
        return frame


T = TypeVar("T")
Watch = Callable[[int, Pair, dict[str, Tensor]], None]


def score_clip(
    candidates: Sequence[Candidate],
    clip: str,
    pairs: Iterable[Pair],
    frames: int,
    protocol: Protocol,
    chunk: int,
    watch: Watch,
) -> tuple[list[Score], dict[str, float]]:
    """Every metric of every frame that counts, and each candidate's median milliseconds a frame.

    pairs: the clip's frames, read once and only as far as the candidates look ahead; watch is shown every frame (its
    number, the pair, the quantised output of each candidate) as it passes.
    Raises UserError where a candidate's frames have another size than the truth's.
    """
    truth, *inputs = itertools.tee(pairs, len(candidates) + 1)
    outputs = [Timed(c, clip, (p.lr for p in copy)) for c, copy in zip(candidates, inputs, strict=True)]
    counted = protocol.scored_frames(frames)
    scores: list[Score] = []
    for first, window in _overlapping(_frames(truth, outputs, watch), chunk):
        reference = _Reference(protocol, [pair for pair, _ in window])
        for timed in outputs:
            name = timed.candidate.name
            values = reference.measure(torch.stack([sr[name] for _, sr in window]))
            # The frame before the chunk is there for the temporal metrics only; it was scored with its own chunk.
            fresh = range(first if first == 0 else first + 1, first + len(window))
            scores += [
                Score(name, clip, t, metric, float(row[t - first]))
                for metric, row in values.items()
                for t in fresh
                if t in counted and not torch.isnan(row[t - first])
            ]
    return scores, {timed.candidate.name: 1000 * timed.pace() for timed in outputs}


def _frames(truth: Iterable[Pair], outputs: Sequence[Timed], watch: Watch) -> Iterator[tuple[Pair, dict[str, Tensor]]]:
    for t, pair in enumerate(truth):
        made: dict[str, Tensor] = {}
        for timed in outputs:
            sr = next(timed)
            if sr.shape != pair.hr.shape:
                got, want = tuple(sr.shape[-1:-3:-1]), tuple(pair.hr.shape[-1:-3:-1])
                raise UserError(timed.candidate.name, f"makes frames of {got}, the truth is {want}", "check its scale")
            if not torch.isfinite(sr).all():
                raise UserError(timed.candidate.name, f"makes NaN or Inf in frame {t}", "it cannot be judged")
            made[timed.candidate.name] = quantise(sr.float())
        watch(t, pair, made)
        yield pair, made
    for timed in outputs:
        if next(timed, None) is not None:
            raise UserError(timed.candidate.name, "makes more frames than the clip has", "give the same window")


def _overlapping(items: Iterable[T], size: int) -> Iterator[tuple[int, list[T]]]:
    """Runs of items with the number of their first; each run but the first begins with the last of the one before."""
    window: list[T] = []
    first = 0
    for item in items:
        window.append(item)
        if len(window) == size + 1:
            yield first, window
            first += size
            window = window[-1:]
    if len(window) > 1 or first == 0:
        yield first, window


class _Reference:
    """What the truth alone decides in a run of frames: motion, features, degradation."""

    def __init__(self, protocol: Protocol, pairs: Sequence[Pair]) -> None:
        self._protocol = protocol
        hr = protocol.cropped(torch.stack([pair.hr for pair in pairs]))[None]
        lr = torch.stack([pair.lr for pair in pairs])[None]
        self._truth = Inputs(
            {"hr": hr, "colour": protocol.colour},
            {
                "motion": lambda: reference_motion(hr),
                **{f"{name}_hr": lambda net=net: net().features(hr) for name, net in NETS.items()},
            },
        )
        self._lr = lr

    def measure(self, sr: Tensor) -> dict[str, Tensor]:
        """Each metric of sr (T C H W), a row of T."""
        whole = sr[None]
        judged = self._protocol.cropped(whole)
        own = Inputs(
            # What was recorded covers the whole frame, so lr and degraded keep their border.
            {"sr": judged, "lr": self._lr},
            {
                "degraded": lambda: self._protocol.degrade(whole),
                **{f"{name}_sr": lambda net=net: net().features(judged) for name, net in NETS.items()},
            },
            parent=self._truth,
        )
        return {name: own.call(metric)[0] for name, metric in self._protocol.metrics.items()}
