"""Lossless saving of some frames of every clip for the report: HR, LR and the output of each candidate."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.files import atomic_path
from vsr_lab.core.records.evaluation import Shown
from vsr_lab.evaluation.protocol import Pair
from vsr_lab.footage.shots import Shot
from vsr_lab.video import VideoWriter

_PLACE = 208  # HR pixels on a side


class SavedFrames:
    """Context manager that saves the middle frames of a clip losslessly: LR, HR and the output of each candidate.

    Args:
        shot: the clip.
        folders: candidate -> folder for its sr.mkv. HR and LR are encoded once, as hr.mkv and lr.mkv in the first
            folder, and copied to the others.
        most: maximum number of frames.
    """

    def __init__(self, shot: Shot, folders: Mapping[str, Path], most: int) -> None:
        self._folders = folders
        self._rate = float(shot.rate)
        count = min(most, shot.frames)
        self._saved = range((shot.frames - count) // 2, (shot.frames - count) // 2 + count)
        middle = shot.frames // 2
        probe = shot.read(max(middle - 2, 0), middle + 1).eight_bit()
        y, x = _busiest(probe)
        self.shown = Shown(
            clip=shot.name, frame=middle, row=y, column=x, first=self._saved.start, saved=count, rate=self._rate
        )
        self._writers: dict[Path, VideoWriter] = {}
        self._files = ExitStack()

    def watch(self, t: int, pair: Pair, made: Mapping[str, Tensor]) -> None:
        """Save frame t of HR, LR and all candidates if it is one of the middle frames."""
        if t not in self._saved:
            return
        first = next(iter(self._folders.values()))
        self._write(first / "hr.mkv", t, pair.hr)
        self._write(first / "lr.mkv", t, pair.lr)
        for candidate, sr in made.items():
            self._write(self._folders[candidate] / "sr.mkv", t, sr)

    def _write(self, path: Path, t: int, frame: Tensor) -> None:
        if path not in self._writers:
            temporary = self._files.enter_context(atomic_path(path))
            rate = Fraction(self._rate).limit_denominator(1001)
            writer = VideoWriter(temporary, (frame.shape[-2], frame.shape[-1]), rate)
            self._writers[path] = self._files.enter_context(writer)
        self._writers[path].write(to_frames(frame)[None], [(t - self._saved.start) / self._rate])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._files.__exit__(*error)
        if error[0] is not None or not self._saved:
            return
        first, *others = self._folders.values()
        for folder in others:
            for name in ("hr.mkv", "lr.mkv"):
                with atomic_path(folder / name) as temporary:
                    shutil.copyfile(first / name, temporary)


def _busiest(probe: Frames) -> tuple[int, int]:
    """Row and column of the centre of the square with most detail and motion in probe, (T, H, W, C)."""
    height, width = probe.shape[1:3]
    size = min(_PLACE, height, width)
    gray = probe[..., 1].astype(np.float32)
    detail = np.abs(cv2.Laplacian(gray[-1], cv2.CV_32F))
    activity = cv2.boxFilter(detail + np.abs(gray[-1] - gray[0]), -1, (size, size), borderType=cv2.BORDER_CONSTANT)
    half = size // 2
    inside = activity[half : height - half + 1, half : width - half + 1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(y) + half, int(x) + half
