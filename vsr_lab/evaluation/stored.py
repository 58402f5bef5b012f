"""Stored scores of clips, by which an interrupted evaluation is continued."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import inside
from vsr_lab.core.records import Record, read_record, write_record
from vsr_lab.core.records.evaluation import Shown, WorstPlace
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.footage.shots import Shot

_FOLDER = ".clips"


class ClipScores(Record, command="evaluate"):
    """Stored scores of one candidate on one clip, by which an interrupted evaluation is continued.

    Attributes:
        fingerprint: hash of everything that the scores depend on, see the function `fingerprint`.
        shown: the frames that were saved for the report.
        worst: the worst frame and tile of the clip.
        scores: metric -> value of every frame; None for a frame that is not scored or has no value.
    """

    record: Literal["clip scores"] = "clip scores"
    schema_version: Literal[1] = 1
    fingerprint: str
    ms_per_frame: float
    shown: Shown
    worst: list[WorstPlace]
    scores: dict[str, list[float | None]]


def fingerprint(candidate: Candidate, protocol: Protocol, shots: tuple[Shot, Shot | None]) -> str:
    """Hash of everything that the scores of a clip depend on: candidate, protocol, metrics, HR and LR.

    Files are identified by their size and modification time. A candidate in memory has another hash in every call,
    since it may have changed.

    Args:
        candidate: the candidate.
        protocol: the protocol.
        shots: (HR clip, recorded LR clip); the LR clip is None if LR is computed by the protocol.
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


def has_clips(folder: Path) -> bool:
    """Whether a folder contains scores that an interrupted evaluation stored."""
    return (folder / _FOLDER).is_dir()


def write_clip(folder: Path, scores: ClipScores) -> None:
    """Store the scores of a clip in the folder of an evaluation, so that it can be continued if it is interrupted."""
    write_record(_path(folder, scores.shown.clip), scores)


def remove_clips(folder: Path, clips: Iterable[str]) -> None:
    """Remove the files that `write_clip` wrote to the folder of an evaluation, when its results are complete."""
    for path in [_path(folder, clip) for clip in clips]:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # others are left in it
            os.removedirs(path.parent)


def _path(folder: Path, clip: str) -> Path:
    return inside(folder, f"{_FOLDER}/{clip}.json")
