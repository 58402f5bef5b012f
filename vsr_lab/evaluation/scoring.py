"""Scores of candidates on one clip.

All candidates are scored together, so that values that depend only on HR are computed once.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.cuts import IsCut, SceneCutDetector
from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.meters import Meter
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.statistics import Values
from vsr_lab.metrics import NETS, find_text, raft_motion, read_text, reference_motion


class Timed:
    """Iterator over the SR frames of a candidate, which measures the time of each frame.

    Args:
        candidate: candidate to run.
        clip: name of the clip.
        lr: LR frames (C, h, w) of the clip, in order.

    Attributes:
        seconds: time of each frame so far, in seconds.
    """

    def __init__(self, candidate: Candidate, clip: str, lr: Iterable[Tensor]) -> None:
        self.candidate = candidate
        self._frames = candidate.frames(clip, lr)
        self.seconds: list[float] = []

    def pace(self) -> float:
        """Seconds per frame: the median, or the mean if the first frame took more than half of the total time."""
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


Scored = tuple[Pair, dict[str, Tensor]]  # a pair, and the quantised output of each candidate
Watch = Callable[[int, Pair, dict[str, Tensor]], None]


class ClipFacts(NamedTuple):
    """Name, number of frames, and frames per second of a clip."""

    name: str
    frames: int
    rate: float = 25.0


def score_clip(
    candidates: Sequence[Candidate],
    clip: ClipFacts,
    pairs: Iterable[Pair],
    *,
    protocol: Protocol,
    chunk: int,
    watch: Watch,
) -> tuple[dict[str, dict[str, Values]], dict[str, float]]:
    """Compute the metrics of several candidates on one clip, frame by frame.

    Temporal metrics have no value at the first frame of a scene, because the frame before it shows another scene.

    Args:
        candidates: candidates with distinct names.
        clip: name, length and rate of the clip.
        pairs: LR and HR frames of the clip, which are iterated over once, and only as far ahead as the candidates need.
        protocol: metrics, colour and the frames that are scored.
        chunk: number of frames that are measured at a time, which limits memory.
        watch: called for every frame with its number, the LR/HR pair, and the quantised output of each candidate.

    Returns:
        candidate -> metric -> value of every frame (NaN if it is not scored), and candidate -> milliseconds per frame.

    Raises:
        UserError: the SR frames of a candidate differ from HR in size or number, or are not finite; or a metric does
            not return one number per frame, finite or NaN.
    """
    targets, *inputs = itertools.tee(pairs, len(candidates) + 1)
    outputs = [Timed(c, clip.name, (p.lr for p in copy)) for c, copy in zip(candidates, inputs, strict=True)]
    values = {c.name: {metric: np.full(clip.frames, np.nan) for metric in protocol.metrics} for c in candidates}
    scored = protocol.scored_frames(clip.frames)
    whole = {name for name, metric in protocol.metrics.items() if "stream" in required_inputs(metric)}
    with ExitStack() as stack:
        meters = {
            (name, metric): stack.enter_context(Meter(protocol.metrics[metric], len(scored), clip.rate))
            for name, metric in itertools.product(values, whole)
        }
        for first, shared, window in _windows(_frames(targets, outputs, watch), chunk, SceneCutDetector()):
            reference = _Reference(protocol, [pair for pair, _ in window])
            new = range(first + shared, first + len(window))
            both = range(max(new.start, scored.start), min(new.stop, scored.stop))  # new and scored
            for name, own in values.items():
                known = reference.inputs(torch.stack([sr[name] for _, sr in window]))
                for metric, function in protocol.metrics.items():
                    if metric not in whole:
                        own[metric][new] = _row(metric, known.call(function), len(window))[shared:].numpy()
                    elif both:
                        meters[name, metric].send((known, slice(both.start - first, both.stop - first)))
        for (name, metric), meter in meters.items():
            values[name][metric][scored] = _row(metric, meter.result(), len(scored)).numpy()
    for row in itertools.chain.from_iterable(own.values() for own in values.values()):
        row[np.setdiff1d(np.arange(clip.frames), scored)] = np.nan
    return values, {timed.candidate.name: 1000 * timed.pace() for timed in outputs}


def _frames(targets: Iterable[Pair], outputs: Sequence[Timed], watch: Watch) -> Iterator[Scored]:
    for t, pair in enumerate(targets):
        made: dict[str, Tensor] = {}
        for timed in outputs:
            sr, name = next(timed, None), timed.candidate.name
            if sr is None:
                raise UserError(
                    name, f"outputs {t} frames, but the clip has more", "output one frame for each frame of the clip"
                )
            if sr.shape != pair.hr.shape:
                (width, height), (w, h) = (frame.shape[-1:-3:-1] for frame in (sr, pair.hr))
                raise UserError(
                    name,
                    f"outputs {width}x{height} frames, but HR has {w}x{h}",
                    "choose a candidate with the scale of the protocol",
                )
            if not sr.sum(dtype=torch.float32).isfinite():  # a third of the time of looking at each
                where = timed.candidate.facts.path or name
                raise UserError(where, f"outputs NaN or infinity in frame {t}", "evaluate other weights")
            made[name] = quantise(sr.float())
        watch(t, pair, made)
        yield pair, made
    for timed in outputs:
        if next(timed, None) is not None:
            raise UserError(
                timed.candidate.name,
                "outputs more frames than the clip has",
                "output one frame for each frame of the clip",
            )


def _windows(frames: Iterable[Scored], size: int, starts_scene: IsCut) -> Iterator[tuple[int, int, list[Scored]]]:
    """Split frames into windows of at most size + 1 frames, each within one scene.

    Unless it starts a scene, a window begins with the last frame of the previous window, for the temporal metrics.

    Yields:
        Number of the first frame; number of repeated frames, 0 or 1; frames.
    """
    window: list[Scored] = []
    first = shared = 0
    for frame in frames:
        cut = starts_scene(frame[0].hr)
        if window and (cut or len(window) > size):
            yield first, shared, window
            kept = [] if cut else window[-1:]
            first, shared, window = first + len(window) - len(kept), len(kept), kept
        window.append(frame)
    if window:
        yield first, shared, window


class _Reference:
    """Optical flow and features of a window of frames, which depend only on LR and HR."""

    def __init__(self, protocol: Protocol, pairs: Sequence[Pair]) -> None:
        self._protocol = protocol
        hr = protocol.cropped(torch.stack([pair.hr for pair in pairs]))[None]
        lr = torch.stack([pair.lr for pair in pairs])[None]
        known = Inputs(
            {"hr": hr, "colour": protocol.colour},
            {
                "motion": lambda: reference_motion(hr),
                "raft_motion": lambda: raft_motion(hr),
                "text_hr": lambda: find_text(hr),
                **{f"{name}_hr": lambda net=net: net().features(hr) for name, net in NETS.items()},
            },
        )
        changes = {name: lambda name=name, net=net: net().changes(known[f"{name}_hr"]) for name, net in NETS.items()}
        # Nothing here refers to itself: such frames would stay in memory until Python searches for cycles.
        self._inputs = Inputs({}, {f"{name}_changes": change for name, change in changes.items()}, parent=known)
        self.lr = lr

    def inputs(self, sr: Tensor) -> Inputs:
        """Inputs of the metrics for SR frames (T, C, H, W)."""
        whole = sr[None]
        judged = self._protocol.cropped(whole)
        return Inputs(
            # lr_consistency compares whole frames, so lr and degraded keep their border.
            {"sr": judged, "lr": self.lr},
            {
                "degraded": lambda: self._protocol.degrade(whole),
                "text_sr": lambda: read_text(judged, self._inputs["text_hr"]),
                **{f"{name}_sr": lambda net=net: net().features(judged) for name, net in NETS.items()},
            },
            parent=self._inputs,
        )


def _row(metric: str, values: object, frames: int) -> Tensor:
    """The values of a metric for one clip. Raises UserError unless they are (1, frames), each finite or NaN."""
    if not isinstance(values, Tensor) or values.shape != (1, frames):
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        hint = "return one value per frame, NaN where there is none"
        raise UserError(f"metric {metric}", f"returned {found}, expected a tensor of shape (1, {frames})", hint)
    if torch.isinf(values).any():
        raise UserError(f"metric {metric}", "returned infinity", "return finite numbers or NaN")
    return values[0]
