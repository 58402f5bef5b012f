"""Evaluation of candidates on a suite, clip by clip, so that an interrupted evaluation can be continued."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import inside
from vsr_lab.core.network import Network
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records import Record, read_record, write_record
from vsr_lab.core.records.evaluation import Evaluated, ProtocolFacts, Shown, Summary
from vsr_lab.evaluation.candidates import Candidate, FramesCandidate, as_candidate
from vsr_lab.evaluation.pictures import SavedFrames
from vsr_lab.evaluation.protocol import Pair, Protocol, Suite, read_pairs
from vsr_lab.evaluation.results import write_results
from vsr_lab.evaluation.scoring import ClipFacts, score_clip
from vsr_lab.footage.shots import Shot, check_lr_shot

_FOLDER = ".clips"


class ClipScores(Record, command="evaluate"):
    """Stored scores of one candidate on one clip, by which an interrupted evaluation is continued.

    Attributes:
        fingerprint: hash of everything that the scores depend on, see the function `fingerprint`.
        shown: the frames that were saved for the report.
        scores: metric -> value of every frame; None for a frame that is not scored.
    """

    record: Literal["clip scores"] = "clip scores"
    schema_version: Literal[1] = 1
    fingerprint: str
    ms_per_frame: float
    shown: Shown
    scores: dict[str, list[float | None]]


def fingerprint(candidate: Candidate, protocol: Protocol, shots: tuple[Shot, Shot | None]) -> str:
    """Hash of everything that the scores of a clip depend on: candidate, protocol, metrics, HR and LR.

    Files are identified by their size and modification time. A candidate in memory has another hash in every call,
    since it may have changed.

    Args:
        candidate: the candidate.
        protocol: the protocol.
        shots: the HR clip and its recorded LR; None if LR is computed by the protocol.
    """
    facts = candidate.facts
    fixed = facts.path or facts.kind == "interpolation"
    known = [
        *(version("vsr-lab"), candidate.name, facts.model_dump(), "" if fixed else secrets.token_hex()),
        *(protocol.name, protocol.fingerprint, protocol.metric_fingerprints),
        *(repr(shot) for shot in shots),
        *(_files(Path(path)) for path in (facts.path, *(shot.path for shot in shots if shot)) if path),
    ]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()


def _files(path: Path) -> list[tuple[str, int, int]]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [(str(file), (status := file.stat()).st_size, status.st_mtime_ns) for file in files]


def read_clip(folder: Path, clip: str, expected: str) -> ClipScores | None:
    """Read the scores of a clip that an interrupted evaluation stored in its folder.

    Returns None if there are none, or if they have another fingerprint than `expected`.
    """
    path = _path(folder, clip)
    try:
        found = read_record(path, ClipScores) if path.is_file() else None
    except UserError:  # of another version
        return None
    return found if found and found.fingerprint == expected else None


def write_clip(folder: Path, scores: ClipScores) -> None:
    """Store the scores of a clip in the folder of an evaluation, so that it can be continued if it is interrupted."""
    write_record(_path(folder, scores.shown.clip), scores)


def remove_clips(folder: Path, clips: Iterable[str]) -> None:
    """Remove the files of `write_clip` from the folder of an evaluation whose results are complete."""
    for path in [_path(folder, clip) for clip in clips]:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # others are left in it
            os.removedirs(path.parent)


def _path(folder: Path, clip: str) -> Path:
    return inside(folder, f"{_FOLDER}/{clip}.json")


_CHUNK = 8  # frames in memory at once

Twins = tuple[Shot, Shot | None]
Judged = Candidate | Network | Path | str


def check_clips(candidates: Collection[Candidate], suite: Suite, protocol: Protocol) -> list[Twins]:
    """Check that candidates can be evaluated on the clips of a suite, before anything is written.

    Returns:
        The HR clips of the suite, each with its recorded LR (None if LR is computed by the protocol).

    Raises:
        UserError: a clip cannot be read or is too short, its LR has another size or number of frames than expected, or
            a candidate has another scale than the protocol or no output for a clip.
    """
    for candidate in candidates:
        if candidate.scale not in (None, protocol.scale):
            raise UserError(
                f"candidate {candidate.name}",
                f"{_description(candidate)} upscales x{candidate.scale}, protocol {protocol.name} is x{protocol.scale}",
                "choose a candidate or a protocol of the other's scale",
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
                f"has {shot.frames} frames, too few for protocol.trim={protocol.trim}",
                "leave it out by suite.clips=",
            )
        if min(shot.size) // protocol.scale * protocol.scale - 2 * protocol.crop < protocol.min_side:
            size, least = "x".join(map(str, shot.size[::-1])), protocol.min_side + 2 * protocol.crop
            reason = f"needs at least {least} pixels a side (protocol.crop={protocol.crop})"
            raise UserError(
                shot.path, f"is {size}, and protocol {protocol.name} {reason}", "leave it out by suite.clips="
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
    begin: Callable[[], object] = lambda: None,
) -> dict[Path, Summary]:
    """Score candidates on the clips of a suite under a protocol, and write the results of each candidate to a folder.

    All candidates are scored in one pass over the clips, and scores are written clip by clip. If the same call is
    repeated after an interruption, candidates that are read from files are evaluated on the remaining clips only.
    Networks in memory are evaluated on all clips again.

    Args:
        candidates: folder for the results -> what is evaluated: a network, the path of a weights file, or any
            `Candidate`. A network or weights file is named after its folder.
        suite: the suite, or a folder of clips.
        protocol: how LR is computed and what is measured.
        save_frames: number of frames of every clip, around its middle, that are saved losslessly for the report.
        begin: called once, after all checks and before the first file is written.

    Returns:
        folder -> summary: for every metric the mean over clips, its interval, and the mean of each clip. Values for
        each frame are in frames.parquet in the folder.

    Raises:
        UserError: a clip or candidate cannot be evaluated under the protocol, see `check_clips`; nothing is written.

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
    made = {Path(folder): as_candidate(given, Path(folder).name) for folder, given in candidates.items()}
    clips = check_clips(made.values(), suite, protocol)
    begin()
    return _evaluate(made, suite, clips, protocol, save_frames)


def _evaluate(
    candidates: Mapping[Path, Candidate], suite: Suite, clips: Sequence[Twins], protocol: Protocol, save_frames: int
) -> dict[Path, Summary]:
    scored: dict[Path, list[ClipScores]] = {folder: [] for folder in candidates}
    with progress_bar("", sum(shot.frames for shot, _ in clips), "frames") as update:
        for twins in clips:
            update(description=f"{suite.name}/{twins[0].name}")
            keys = {folder: fingerprint(candidate, protocol, twins) for folder, candidate in candidates.items()}
            known = {folder: read_clip(folder, twins[0].name, key) for folder, key in keys.items()}
            left = {folder: candidates[folder] for folder, found in known.items() if found is None}
            todo = partial(_score, save_frames=save_frames, advance=lambda: update(advance=1))
            new = todo(left, keys, twins, protocol) if left else {}
            for folder, found in known.items():
                scored[folder].append(found or new[folder])
            if not left:
                update(advance=twins[0].frames)
    suite_fingerprint = _suite_fingerprint([shot for shot, _ in clips])
    summaries: dict[Path, Summary] = {}
    for folder, candidate in candidates.items():
        own = scored[folder]
        evaluated = Evaluated(
            candidate=candidate.name,
            candidate_facts=candidate.facts,
            suite=suite.name,
            content=suite.content,
            suite_fingerprint=suite_fingerprint,
            protocol=ProtocolFacts.model_validate(protocol, from_attributes=True),
            metric_fingerprints=protocol.metric_fingerprints,
            ms_per_frame=sum(clip.ms_per_frame for clip in own) / len(own),
            pictures=[clip.shown for clip in own],
        )
        scores = {
            clip.shown.clip: {metric: np.array(values, np.float64) for metric, values in clip.scores.items()}
            for clip in own
        }
        summaries[folder] = write_results(folder, evaluated, scores)
    for folder in candidates:
        remove_clips(folder, [shot.name for shot, _ in clips])
    return summaries


def _score(
    candidates: Mapping[Path, Candidate],
    keys: Mapping[Path, str],
    twins: Twins,
    protocol: Protocol,
    *,
    save_frames: int,
    advance: Callable[[], object],
) -> dict[Path, ClipScores]:
    """Score candidates on one clip, and write their frames and scores."""
    shot, twin = twins
    folders = {candidate.name: inside(folder / "pictures", shot.name) for folder, candidate in candidates.items()}
    saved = SavedFrames(shot, folders, save_frames)

    def watch(t: int, pair: Pair, made: dict[str, torch.Tensor]) -> None:
        saved.watch(t, pair, made)
        advance()

    with torch.inference_mode(), saved:
        scores, milliseconds = score_clip(
            list(candidates.values()),
            ClipFacts(shot.name, shot.frames, float(shot.rate)),
            read_pairs(shot, twin, protocol, _CHUNK),
            protocol=protocol,
            chunk=_CHUNK,
            watch=watch,
        )
    results: dict[Path, ClipScores] = {}
    for folder, candidate in candidates.items():
        results[folder] = ClipScores(
            fingerprint=keys[folder],
            ms_per_frame=milliseconds[candidate.name],
            shown=saved.shown,
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
