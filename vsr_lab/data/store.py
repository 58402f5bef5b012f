"""Decoded footage on disk: one uint8 .npy a shot, memory-mapped, so that training never waits for a decoder."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rich.progress import track

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import written_beside
from vsr_lab.core.shots import Shot
from vsr_lab.core.video_io import read_chunks

_CHUNK = 32


@dataclass(frozen=True)
class StoredClip:
    """A decoded shot. Opens on first use, so it can be handed to worker processes."""

    name: str
    path: Path

    @cached_property
    def frames(self) -> Frames:
        """T H W C uint8, mapped: pages are shared between processes and dropped when memory is short."""
        return np.load(self.path, mmap_mode="r")

    def __getstate__(self) -> dict[str, object]:
        return {"name": self.name, "path": self.path}


def _key(shot: Shot) -> str:
    """Changes whenever the stored frames would."""
    files = [shot.path] if shot.path.is_file() else sorted(shot.path.iterdir())
    stamps = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    facts = (str(shot.path.resolve()), stamps, shot.start, shot.stop, shot.downscale, shot.crop)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]


def store_shots(shots: list[Shot], folder: Path, budget_gib: float) -> list[StoredClip]:
    """Decode every shot that is not stored yet. Interrupted, it goes on with the next shot.

    Raises UserError where the decoded footage would be larger than budget_gib.
    """
    size = sum(shot.frames * shot.size[0] * shot.size[1] * 3 for shot in shots) / 2**30
    if size > budget_gib:
        raise UserError(
            "data.budget_gib", f"{size:.1f} GiB decoded is over {budget_gib}", "raise it, or narrow data.frames"
        )
    stored = [StoredClip(shot.name, folder / f"{_key(shot)}.npy") for shot in shots]
    missing = [(shot, clip) for shot, clip in zip(shots, stored, strict=True) if not clip.path.exists()]
    for shot, clip in track(missing, "decoding footage", disable=not missing, transient=True):
        _decode(shot, clip.path)
    return stored


def _decode(shot: Shot, path: Path) -> None:
    with written_beside(path) as temporary:
        target = np.lib.format.open_memmap(temporary, "w+", np.uint8, (shot.frames, *shot.size, 3))
        first = 0
        for clip in read_chunks(shot, 0, shot.frames, _CHUNK):
            target[first : first + len(clip.frames)] = clip.eight_bit()
            first += len(clip.frames)
        target.flush()
