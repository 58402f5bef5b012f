"""Evaluation of candidates on a suite, clip by clip, so that an interrupted evaluation can be continued."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import inside
from vsr_lab.core.network import Network
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records.evaluation import Evaluated, ProtocolFacts, Summary
from vsr_lab.evaluation.candidates import Candidate, FramesCandidate, as_candidate, evaluated_facts
from vsr_lab.evaluation.pictures import SavedFrames
from vsr_lab.evaluation.protocol import Pair, Protocol, Suite, read_pairs
from vsr_lab.evaluation.results import check_results, write_results
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.evaluation.stored import ClipScores, fingerprint, has_clips, read_clip, remove_clips, write_clip
from vsr_lab.evaluation.worst import WorstPlaces
from vsr_lab.fleet import Executor
from vsr_lab.footage.shots import Shot, check_lr_shot

_CHUNK = 8  # frames in memory at once

Twins = tuple[Shot, Shot | None]
Judged = Candidate | Network | Path | str | Callable[[], Candidate]


def check_clips(candidates: Collection[Candidate], suite: Suite, protocol: Protocol) -> list[Twins]:
    """Check that candidates can be evaluated on the clips of a suite, before anything is written.

    Returns:
        The HR clips of the suite, each with its recorded LR (None if LR is computed by the protocol).

    Raises:
        UserError: a clip cannot be read, or is too short or too small, its LR has another size or number of frames than
            expected, or a candidate has another scale than the protocol or no output for a clip.
    """
    for candidate in candidates:
        if candidate.scale not in (None, protocol.scale):
            raise UserError(
                f"candidate {candidate.name}",
                f"{_description(candidate)} upscales x{candidate.scale}, protocol {protocol.name} is x{protocol.scale}",
                "choose a candidate and a protocol of the same scale",
            )
    high = suite.shots()
    low = suite.low_shots(high, protocol.scale) or [None] * len(high)
    clips = list(zip(high, low, strict=True))
    for shot, twin in clips:
        if twin:
            check_lr_shot(shot, twin, protocol.scale)
        if len(protocol.scored_frames(shot.frames)) < 1:
            raise UserError(
                shot.path,
                f"has {shot.frames} frames, but protocol.trim={protocol.trim} needs {2 * protocol.trim + 1}",
                "leave this clip out by suite.clips=[CLIP,...]",
            )
        if min(shot.size) // protocol.scale * protocol.scale < protocol.min_side:
            size = "x".join(map(str, shot.size[::-1]))
            reason = f"needs at least {protocol.min_side} pixels a side (protocol.crop={protocol.crop})"
            raise UserError(
                shot.path,
                f"is {size}, but protocol {protocol.name} {reason}",
                "leave this clip out by suite.clips=[CLIP,...]",
            )
        for candidate in candidates:
            if isinstance(candidate, FramesCandidate):
                candidate.shot(shot.name)
        shot.read(0, 1)  # a damaged file is refused now
    return clips


def _description(candidate: Candidate) -> str:
    """The file and the network that a candidate was made from."""
    facts = candidate.facts
    network = " ".join(word for word in (facts.kind, facts.architecture, facts.content) if word)
    return f"{facts.path} ({network})" if facts.path else network


def evaluate(
    candidates: Mapping[Path, Judged] | Mapping[str, Judged],
    suite: Suite | Path | str,
    protocol: Protocol,
    *,
    save_frames: int = 32,
    executor: Executor | None = None,
    begin: Callable[[], object] = lambda: None,
) -> dict[Path, Summary]:
    """Score candidates on the clips of a suite under a protocol, and write the results of each candidate to a folder.

    All candidates are scored in one pass over the clips, and scores are written clip by clip. If the same call is
    repeated after an interruption, candidates that are read from files are evaluated on the remaining clips only.
    Networks in memory are evaluated on all clips again.

    Args:
        candidates: folder for the results -> what is evaluated: a network, the path of a weights file, any `Candidate`,
            or a function that makes one. A network or weights file is named after its folder.
        suite: the suite, or a folder of clips.
        protocol: how LR is computed and what is measured.
        save_frames: number of frames of every clip, around its middle, that are saved losslessly for the report.
        executor: scores several clips at the same time, or several candidates if there are fewer clips than workers;
            the candidates must then be picklable. Scores do not depend on the executor. None: one clip after the other.
        begin: called once, after all checks and before the first file is written.

    Returns:
        folder -> summary: for every metric the mean over clips, its interval, and the mean of each clip. Values for
        each frame are in frames.parquet in the folder.

    Raises:
        UserError: a clip or candidate cannot be evaluated, see `check_clips`; nothing is written. Or output cannot be
            scored, see `score_clip`, or a task of the executor failed; the same call then continues with the clips that
            are not scored yet.

    Example:
        >>> from vsr_lab.degradations import ResizeDown
        >>> from vsr_lab.evaluation.protocol import Protocol
        >>> from vsr_lab.models import Interpolation
        >>> candidates = {"judged/bicubic": Interpolation(2), "judged/small": "runs/small/network.safetensors"}
        >>> protocol = Protocol("mine", "PSNR-Y; LR by bicubic", 2, ResizeDown(2))
        >>> for summary in vsr_lab.evaluate(candidates, "footage", protocol).values():
        ...     print(summary.candidate, summary.frames, list(summary.metrics))
        bicubic 48 ['psnr', 'ssim', 'flicker', 'lr_consistency']
        small 48 ['psnr', 'ssim', 'flicker', 'lr_consistency']
    """
    if not isinstance(suite, Suite):
        suite = Suite(Path(suite).name, str(suite))
    given = {Path(folder): candidate for folder, candidate in candidates.items()}
    made = {folder: as_candidate(candidate, folder.name) for folder, candidate in given.items()}
    clips = check_clips(made.values(), suite, protocol)
    begin()
    for folder, candidate in made.items():
        if not has_clips(folder):  # else an interrupted evaluation is continued
            check_results(folder, candidate.name, suite.name, protocol.fingerprint)
    scored, tasks = _tasks(made, clips, protocol, apart=executor is not None and len(clips) < executor.workers)
    with progress_bar(suite.name, sum(task.frames for task in tasks.values()), "frames") as update:
        advance = partial(_advance, update)
        if executor:
            new = _run_in(executor, _Scorer(given, protocol, save_frames, _threads(executor)), tasks, advance)
        else:
            scorer = _Scorer(made, protocol, save_frames)
            new = (scorer.score(task, advance) for task in tasks.values())
        for found in new:
            scored |= {(folder, clip.shown.clip): clip for folder, clip in found.items()}
    return _write(made, suite, [shot for shot, _ in clips], protocol, scored)


def _advance(update: Callable[..., object], frames: int) -> None:
    update(advance=frames)


class _Task(NamedTuple):
    """A clip, and the candidates that are scored on it. keys: folder of the candidate -> fingerprint of its scores."""

    twins: Twins
    keys: Mapping[Path, str]

    @property
    def frames(self) -> int:
        return self.twins[0].frames * len(self.keys)


Scored = dict[tuple[Path, str], ClipScores]  # by folder of the candidate and name of the clip


def _tasks(
    candidates: Mapping[Path, Candidate], clips: Sequence[Twins], protocol: Protocol, *, apart: bool
) -> tuple[Scored, dict[str, _Task]]:
    """Scores that an interrupted evaluation has stored, and the tasks that remain: name -> task.

    apart: if True, a task scores one candidate; else it scores all, so that values of HR are computed once.
    """
    scored: Scored = {}
    tasks: dict[str, _Task] = {}
    for twins in clips:
        name = twins[0].name
        keys = {folder: fingerprint(candidate, protocol, twins) for folder, candidate in candidates.items()}
        known = {folder: found for folder, key in keys.items() if (found := read_clip(folder, name, key))}
        scored |= {(folder, name): found for folder, found in known.items()}
        left = {folder: key for folder, key in keys.items() if folder not in known}
        if apart:
            tasks |= {
                f"{candidates[folder].name} on {name}": _Task(twins, {folder: key}) for folder, key in left.items()
            }
        elif left:
            tasks[name] = _Task(twins, left)
    return scored, tasks


def _threads(executor: Executor) -> int:
    """Number of threads for each worker, so that together they use the cores of one machine."""
    return max(1, (os.cpu_count() or 1) // executor.workers)


def _run_in(
    executor: Executor, scorer: "_Scorer", tasks: Mapping[str, _Task], advance: Callable[[int], object]
) -> Iterator[dict[Path, ClipScores]]:
    """Run tasks and yield their results. Raises UserError at the end if some failed."""
    errors: list[str] = []
    for outcome in executor.run(scorer, tasks):
        advance(tasks[outcome.key].frames)
        if outcome.result is None:
            errors.append(f"{outcome.key}: {outcome.traceback or outcome.error}")
        else:
            yield outcome.result
    if errors:
        problem = f"{len(errors)} of {len(tasks)} tasks failed ({errors[0]})"
        raise UserError("evaluation", problem, "run the same command again to repeat these tasks")


def _write(
    candidates: Mapping[Path, Candidate],
    suite: Suite,
    shots: Sequence[Shot],
    protocol: Protocol,
    scored: Scored,
) -> dict[Path, Summary]:
    """Write the results of every candidate, and remove the stored scores of single clips, which are not needed now."""
    suite_fingerprint = _suite_fingerprint(shots)
    summaries: dict[Path, Summary] = {}
    for folder, candidate in candidates.items():
        own = [scored[folder, shot.name] for shot in shots]
        evaluated = Evaluated(
            candidate=candidate.name,
            candidate_facts=evaluated_facts(candidate, [shot.name for shot in shots]),
            suite=suite.name,
            content=suite.content,
            suite_fingerprint=suite_fingerprint,
            protocol=ProtocolFacts.model_validate(protocol, from_attributes=True),
            metric_fingerprints=protocol.metric_fingerprints,
            ms_per_frame=sum(clip.ms_per_frame for clip in own) / len(own),
            pictures=[clip.shown for clip in own],
            worst=[place for clip in own for place in clip.worst],
        )
        scores = {
            clip.shown.clip: {metric: np.array(values, np.float64) for metric, values in clip.scores.items()}
            for clip in own
        }
        summaries[folder] = write_results(folder, evaluated, scores)
    for folder in candidates:
        remove_clips(folder, [shot.name for shot in shots])
    return summaries


@dataclass(frozen=True)
class _Scorer:
    """Scores candidates on one clip. It can be pickled if the candidates can.

    Args:
        candidates: folder -> candidate, as given to `evaluate`.
        protocol: the protocol.
        save_frames: number of frames that are saved.
        threads: number of threads of torch; None: unchanged.
    """

    candidates: Mapping[Path, Judged]
    protocol: Protocol
    save_frames: int
    threads: int | None = None

    def __call__(self, task: _Task) -> dict[Path, ClipScores]:
        """Score a clip in a process of its own."""
        if self.threads:
            torch.set_num_threads(self.threads)
        return self.score(task, lambda _: None)

    def score(self, task: _Task, advance: Callable[[int], object]) -> dict[Path, ClipScores]:
        """Score a clip, and write frames and scores. advance: called with the number of new frames."""
        (shot, twin), keys = task
        candidates = {folder: as_candidate(self.candidates[folder], folder.name) for folder in keys}
        folders = {candidate.name: inside(folder / "pictures", shot.name) for folder, candidate in candidates.items()}
        saved = SavedFrames(shot, folders, self.save_frames)
        worst = WorstPlaces(shot.name, shot.frames, self.protocol)

        def watch(t: int, pair: Pair, made: dict[str, torch.Tensor]) -> None:
            saved.watch(t, pair, made)
            if self.save_frames:
                worst.watch(t, pair, made)
            advance(len(made))

        with torch.inference_mode(), saved:
            scores, milliseconds = score_clip(
                list(candidates.values()),
                ClipFacts(shot.name, shot.frames, float(shot.rate)),
                read_pairs(shot, twin, self.protocol, _CHUNK),
                protocol=self.protocol,
                chunk=_CHUNK,
                watch=watch,
            )
        worst.write(folders)
        results: dict[Path, ClipScores] = {}
        for folder, candidate in candidates.items():
            results[folder] = ClipScores(
                fingerprint=keys[folder],
                ms_per_frame=milliseconds[candidate.name],
                shown=saved.shown,
                worst=worst.places(candidate.name),
                scores={
                    metric: [None if np.isnan(value) else value for value in values.tolist()]
                    for metric, values in scores[candidate.name].items()
                },
            )
            write_clip(folder, results[folder])
        return results


def _suite_fingerprint(shots: Sequence[Shot]) -> str:
    """Hash of the clips' names, windows, crops and sizes; it does not depend on where they are stored."""
    facts = [
        (shot.name, shot.start, shot.frames, shot.size, shot.downscale, shot.crop)
        + ((shot.read_options,) if shot.read_options.changes else ())
        for shot in shots
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
