"""Judge candidates on a suite under a protocol."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vsr_lab.core.errors import UserError
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.pictures import Pictures
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.evaluation.results import write_results
from vsr_lab.evaluation.scoring import Score, score_clip
from vsr_lab.evaluation.suites import Pair, Suite, read_pairs
from vsr_lab.footage.shots import Shot, check_lr_shot

_CHUNK = 8  # frames in memory at once


Twins = tuple[Shot, Shot | None]


def check_clips(candidates: Collection[Candidate], suite: Suite, protocol: Protocol) -> list[Twins]:
    """The HR shots of the suite, each with its LR twin or None.

    Raises UserError where a clip cannot be judged, its twin does not fit or a candidate has another scale.
    """
    for candidate in candidates:
        if candidate.scale not in (None, protocol.scale):
            raise UserError(
                candidate.name, f"enlarges by {candidate.scale}, the protocol by {protocol.scale}", "choose another"
            )
    high = suite.shots()
    low = suite.low_shots(high, protocol.scale) or [None] * len(high)
    clips = list(zip(high, low, strict=True))
    for shot, twin in clips:
        if twin:
            check_lr_shot(shot, twin, protocol.scale)
        if len(protocol.scored_frames(shot.frames)) < 1:
            raise UserError(shot.path, f"has {shot.frames} frames, too few for trim {protocol.trim}", "leave it out")
        shot.read(0, 1)  # what is damaged is refused now, before anything is written
    return clips


def evaluate(
    candidates: Mapping[Path, Candidate], suite: Suite, clips: Sequence[Twins], protocol: Protocol
) -> dict[Path, dict[str, Any]]:
    """Score every candidate (by the folder its results go to) on the clips and write its results; the summaries."""
    scores: list[Score] = []
    pace: dict[str, list[float]] = {candidate.name: [] for candidate in candidates.values()}
    shown: list[dict[str, Any]] = []
    with _progress() as progress:
        task = progress.add_task("", total=sum(shot.frames for shot, _ in clips))
        for shot, twin in clips:
            progress.update(task, description=f"{suite.name}/{shot.name}")
            pictures = Pictures(protocol, shot.frames, _probe(shot))

            def watch(t: int, pair: Pair, made: dict[str, torch.Tensor], pictures: Pictures = pictures) -> None:
                pictures.watch(t, pair, made)
                progress.advance(task)

            pairs = read_pairs(shot, twin, protocol, _CHUNK)
            with torch.inference_mode():
                new, seconds = score_clip(
                    list(candidates.values()), shot.name, pairs, shot.frames, protocol, _CHUNK, watch
                )
            scores += new
            for name, milliseconds in seconds.items():
                pace[name].append(milliseconds)
            for folder, candidate in candidates.items():
                pictures.write(candidate.name, folder / "pictures" / shot.name)
            shown.append({"clip": shot.name, "frame": pictures.frame, "row": pictures.row})
    return {
        folder: write_results(
            folder,
            suite.name,
            [score for score in scores if score.candidate == candidate.name],
            {
                "candidate": candidate.name,
                "candidate_facts": candidate.facts,
                "content": suite.content,
                "suite_fingerprint": _suite_fingerprint([shot for shot, _ in clips]),
                "protocol": protocol.name,
                "protocol_fingerprint": protocol.fingerprint,
                "protocol_description": protocol.description,
                "metric_fingerprints": protocol.metric_fingerprints,
                "scale": protocol.scale,
                "ms_per_frame": sum(pace[candidate.name]) / len(pace[candidate.name]),
                "pictures": shown,
            },
        )
        for folder, candidate in candidates.items()
    }


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


def _probe(shot: Shot) -> Any:
    """Two HR frames around the middle, by which pictures are chosen."""
    middle = shot.frames // 2
    return shot.read(max(middle - 2, 0), middle + 1).eight_bit()


def _suite_fingerprint(shots: Sequence[Shot]) -> str:
    """Changes with the clips, their windows, crops and sizes; not with the place they lie in."""
    facts = [
        (shot.name, shot.start, shot.frames, shot.size, shot.downscale, shot.crop)
        + ((shot.read_options,) if shot.read_options.changes else ())
        for shot in shots
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
