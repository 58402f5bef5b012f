"""HR footage to pairs on disk: LR files, and beside each a record from which it can be made again, bit for bit."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, sha256, write_json
from vsr_lab.degradations import Degradation, Params
from vsr_lab.footage.manifest import write_manifest
from vsr_lab.footage.shots import Shot, check_lr_shot
from vsr_lab.video import VideoWriter

RECORD = ".degradation.json"
# What a step holds at once, in copies of the HR as float32: the clip, its truth and a step's own work.
_COPIES = 4


@dataclass(frozen=True)
class Pair:
    """What was written for a clip; hr is None where the source itself is the truth."""

    name: str
    frames: int
    lr: Path
    hr: Path | None
    size: tuple[int, int]  # of the LR, height and width


@dataclass(frozen=True)
class Degrading:
    """How pairs are made. config: the degradation's plain yaml, for the records; seed: of all clips together.

    window: frames at a time where a degradation treats every frame alike; memory_gib: what a clip may take where it has
    to be held whole.
    """

    degradation: Degradation
    config: Mapping[str, Any]
    seed: int
    window: int
    memory_gib: float

    def params(self, name: str) -> Params:
        """The parameters of the clip of that name, whichever clips come with it."""
        return self.degradation.sample(np.random.default_rng((self.seed, zlib.crc32(name.encode()))))

    def check(self, shots: Sequence[Shot]) -> None:
        """Raises UserError where a clip is too small or too long for the degradation."""
        scale = self.degradation.scale
        for shot in shots:
            height, width = shot.size
            if min(height, width) < scale:
                raise UserError(shot.path, f"is {width}x{height}, too small for scale {scale}", "lower scale=")
            need = shot.frames * height * width * 3 * 4 * _COPIES / 2**30
            if self._whole and need > self.memory_gib:
                raise UserError(
                    shot.path,
                    f"has {shot.frames} frames of {width}x{height}: held whole they take {need:.1f} GiB",
                    "narrow it (frames=0:200, or a manifest of shots) or raise memory_gib=",
                )

    @property
    def _whole(self) -> bool:
        return self.degradation.temporal

    def runs(self, shot: Shot, params: Params) -> Iterator[tuple[Frames, Frames, np.ndarray]]:
        """LR frames, the truth's frames and their times in seconds, a run of frames at a time."""
        size = shot.frames if self._whole else self.window
        origin = 0.0
        for first in range(0, shot.frames, size):
            clip = shot.read(first, min(first + size, shot.frames))
            origin = origin if first else float(clip.timestamps[0])
            hr = _whole_multiple(clip.tensor(), self.degradation.scale)
            with torch.inference_mode():
                lr, truth = self.degradation.apply(hr, params), self.degradation.target(hr, params)
            yield to_frames(lr), to_frames(truth), clip.timestamps - origin


def _whole_multiple(hr: Tensor, scale: int) -> Tensor:
    """hr without the last rows and columns that make no whole LR pixel, so that pair and source share their corner."""
    height, width = hr.shape[-2:]
    return hr[..., : height - height % scale, : width - width % scale]


def write_pairs(shots: Sequence[Shot], degrading: Degrading, folder: Path) -> list[Pair]:
    """Write lr/NAME.mkv (lossless) with its record and manifest.csv into folder; hr/NAME.mkv where truth is retouched.

    Raises UserError, before anything is written, where a clip cannot be taken.
    """
    degrading.check(shots)
    pairs: list[Pair] = []
    with _progress() as progress:
        task = progress.add_task("", total=sum(shot.frames for shot in shots))
        for shot in shots:
            progress.update(task, description=shot.name)
            pairs.append(_write_pair(shot, degrading, folder, lambda n: progress.advance(task, n)))
    rows = [{"name": pair.name, "path": pair.lr.relative_to(folder).as_posix()} for pair in pairs]
    write_manifest(folder / "manifest.csv", rows)
    return pairs


def _write_pair(shot: Shot, degrading: Degrading, folder: Path, advance: Any) -> Pair:
    params = degrading.params(shot.name)
    scale = degrading.degradation.scale
    height, width = (size // scale for size in shot.size)
    lr_path, hr_path = (folder / kind / f"{shot.name}.mkv" for kind in ("lr", "hr"))
    digest = hashlib.sha256()
    with ExitStack() as stack:
        low = _writer(stack, lr_path, (height, width))
        high = (
            _writer(stack, hr_path, (height * scale, width * scale)) if degrading.degradation.modifies_target else None
        )
        for lr, truth, times in degrading.runs(shot, params):
            low.write(lr, times)
            if high:
                high.write(truth, times)
            digest.update(lr.tobytes())
            advance(len(lr))
    check_lr_shot(Shot(shot.name, hr_path) if high else shot, Shot(shot.name, lr_path), scale)
    record = {
        "schema": 1,
        "clip": shot.name,
        "degradation": dict(degrading.config),
        "params": params,
        "seed": degrading.seed,
        "scale": scale,
        "frames": shot.frames,
        "source": {
            "path": str(shot.path.resolve()),
            "sha256": _digest(shot.path),
            "start": shot.start,
            "crop": shot.crop,
            "downscale": shot.downscale,
        },
        "lr_frames_sha256": digest.hexdigest(),
        "versions": {name: version(name) for name in ("vsr-lab", "torch", "numpy", "av")},
    }
    write_json(folder / "lr" / f"{shot.name}{RECORD}", record)
    return Pair(shot.name, shot.frames, lr_path, hr_path if high else None, (height, width))


def _writer(stack: ExitStack, path: Path, size: tuple[int, int]) -> VideoWriter:
    temporary = stack.enter_context(atomic_path(path))
    return stack.enter_context(VideoWriter(temporary, size, Fraction(25), "ffv1", "bgr0"))


def _digest(path: Path) -> str:
    """Of a file's bytes; of a folder's files, in the order of their names."""
    if path.is_file():
        return sha256(path)
    return hashlib.sha256(
        "".join(sha256(file) for file in sorted(path.iterdir()) if file.is_file()).encode()
    ).hexdigest()


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
