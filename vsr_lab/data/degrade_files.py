"""Writing of LR files of HR footage, each with a record from which the file can be computed again, bit for bit."""

import hashlib
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, digest_of, inside, write_json
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.spec import spec_of
from vsr_lab.degradations import Degradation, Params, degrade
from vsr_lab.footage.shots import Shot, check_lr_shot
from vsr_lab.footage.tables import write_rows
from vsr_lab.video import VideoWriter

RECORD = ".degradation.json"
# Copies of the HR in float32 that are held at once: the clip, its target and the memory of a step.
_COPIES = 4


class Pair(NamedTuple):
    """LR and target files that were written for a clip; hr is None if the training target is the HR clip itself."""

    name: str
    frames: int
    lr: Path
    hr: Path | None
    size: tuple[int, int]  # of the LR, height and width


@dataclass(frozen=True)
class DegradationJob:
    """Settings for writing LR files of HR footage.

    Args:
        degradation: Degradation to apply, with parameters that are drawn for each clip.
        seed: Seed of the parameters, which also depend on the name of the clip.
        window: Number of frames that are processed at a time, unless the degradation needs the whole clip.
        memory_gib: Maximum memory in GiB for a clip that must be processed as a whole.
    """

    degradation: Degradation
    seed: int
    window: int
    memory_gib: float

    def params(self, name: str) -> Params:
        """Draw the parameters for a clip. They depend only on the seed and on the name of the clip."""
        return self.degradation.sample(np.random.default_rng((self.seed, zlib.crc32(name.encode()))))

    def check(self, shots: Sequence[Shot]) -> None:
        """Raise UserError if a clip is too small to be downscaled, or too long for `memory_gib`."""
        scale = self.degradation.scale
        for shot in shots:
            height, width = shot.size
            if min(height, width) < scale:
                raise UserError(
                    shot.path, f"is {width}x{height}, smaller than scale={scale} in one side", "lower scale="
                )
            need = shot.frames * height * width * 3 * 4 * _COPIES / 2**30
            if self.degradation.temporal and need > self.memory_gib:
                raise UserError(
                    shot.path,
                    f"has {shot.frames} frames of {width}x{height}, which need {need:.1f} GiB of memory",
                    f"set memory_gib={math.ceil(need)}, or use fewer frames (such as frames=0:200)",
                )

    def chunks(self, shot: Shot, params: Params) -> Iterator[tuple[Frames, Frames, np.ndarray]]:
        """Degrade a clip: yield (LR frames, target frames, timestamps in seconds from the first frame of the clip).

        Each item has `window` frames, or all frames if the degradation needs the whole clip.
        """
        size = shot.frames if self.degradation.temporal else self.window
        origin = 0.0
        for first in range(0, shot.frames, size):
            clip = shot.read(first, min(first + size, shot.frames))
            origin = origin if first else float(clip.timestamps[0])
            hr = _crop_to_multiple(clip.tensor(), self.degradation.scale)
            with torch.inference_mode():
                lr, target = degrade(hr, self.degradation, params=params), self.degradation.target(hr, params)
            yield to_frames(lr), to_frames(target), clip.timestamps - origin


def _crop_to_multiple(hr: Tensor, scale: int) -> Tensor:
    """Crop hr at the bottom and right to a multiple of scale."""
    height, width = hr.shape[-2:]
    return hr[..., : height - height % scale, : width - width % scale]


def write_pairs(shots: Sequence[Shot], job: DegradationJob, folder: Path) -> list[Pair]:
    """Degrade HR clips, and write their LR as lr/NAME.mkv (lossless), each with a JSON record, and manifest.csv.

    The record contains all settings from which the LR can be computed again. hr/NAME.mkv is also written if the target
    of training differs from the HR clip, for example if a timestamp is drawn on LR and target. The files have the frame
    rate and the timestamps of their source; times are counted from the first frame of the clip, and Matroska rounds
    them to milliseconds.

    Args:
        shots: HR clips.
        job: Degradation, seed and limits.
        folder: Folder to write to.

    Raises:
        UserError: A clip is too small or too long (nothing is written then), a source file cannot be read, or a file to
            write exists already.
    """
    job.check(shots)
    pairs: list[Pair] = []
    with progress_bar("", sum(shot.frames for shot in shots), "frames") as update:
        for shot in shots:
            update(description=shot.name)
            pairs.append(_write_pair(shot, job, folder, lambda count: update(advance=count)))
    rows = [{"name": pair.name, "path": pair.lr.relative_to(folder).as_posix()} for pair in pairs]
    write_rows(folder / "manifest.csv", rows)
    return pairs


def _write_pair(shot: Shot, job: DegradationJob, folder: Path, advance: Callable[[int], None]) -> Pair:
    params, scale = job.params(shot.name), job.degradation.scale
    height, width = (size // scale for size in shot.size)
    lr_path, hr_path = (inside(folder / kind, f"{shot.name}.mkv") for kind in ("lr", "hr"))
    digest = hashlib.sha256()
    with ExitStack() as stack:
        low = _writer(stack, shot, lr_path, (height, width))
        modified = job.degradation.modifies_target
        high = _writer(stack, shot, hr_path, (height * scale, width * scale)) if modified else None
        for lr, target, times in job.chunks(shot, params):
            low.write(lr, times)
            if high:
                high.write(target, times)
            digest.update(lr.tobytes())
            advance(len(lr))
    check_lr_shot(Shot(shot.name, hr_path) if high else shot, Shot(shot.name, lr_path), scale)
    record = {
        "schema": 1,
        "clip": shot.name,
        "degradation": spec_of(job.degradation),
        "params": params,
        "seed": job.seed,
        "scale": scale,
        "frames": shot.frames,
        "source": {
            "path": str(shot.path.resolve()),
            "sha256": digest_of(shot.path),
            "start": shot.start,
            "crop": shot.crop,
            "downscale": shot.downscale,
        },
        "lr_frames_sha256": digest.hexdigest(),
        "versions": {name: version(name) for name in ("vsr-lab", "torch", "numpy", "av")},
    }
    write_json(inside(folder / "lr", f"{shot.name}{RECORD}"), record)
    return Pair(shot.name, shot.frames, lr_path, hr_path if high else None, (height, width))


def _writer(stack: ExitStack, shot: Shot, path: Path, size: tuple[int, int]) -> VideoWriter:
    temporary = stack.enter_context(atomic_path(path, replace=False))
    return stack.enter_context(VideoWriter(temporary, size, _frame_rate(shot)))


def _frame_rate(shot: Shot) -> Fraction:
    """Frames per second of the file, replaced by a standard rate that is close: MP4 measures 24000/1001 as 23.9753."""
    rate = Fraction(shot.rate)
    standard = (Fraction(round(rate)), Fraction(1000 * round(rate * 1001 / 1000), 1001))
    return next((one for one in standard if abs(one / rate - 1) < 1 / 5000), rate.limit_denominator(1001))
