"""Footage behind one small interface: a video file or a folder of frames, opened lazily."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from vsr_lab.core.clip import Clip, Colour, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.video_io.probe import Probe, probe

VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".webm", ".avi", ".m4v", ".mpg", ".ts", ".y4m"})
FRAME_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".webp"})


class Footage(Protocol):
    """Frames of one source, by number. Cheap to make and to pickle: files open on first reading."""

    @property
    def frames(self) -> int: ...
    @property
    def size(self) -> tuple[int, int]:
        """Height, width."""
        ...

    def read(self, start: int, stop: int) -> Clip:
        """Frames start..stop-1. Raises UserError where they cannot be decoded."""
        ...


class VideoFile:
    """A video file read by decord, which seeks to exact frames and converts by the stream's matrix and range."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.probe: Probe = probe(path)
        self._reader: Any = None

    @property
    def frames(self) -> int:
        return self.probe.frames

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.probe.height, self.probe.width
        return (width, height) if self.probe.rotation % 180 else (height, width)

    def read(self, start: int, stop: int) -> Clip:
        frames = self._decode(range(start, stop))
        return Clip(frames, self.probe.timestamps[start:stop], self.probe.colour, self.path)

    def _decode(self, indices: Sequence[int]) -> Frames:
        import decord  # its import loads FFmpeg: only where a file is really read

        try:
            if self._reader is None:
                decord.logging.set_level(decord.logging.FATAL)
                self._reader = decord.VideoReader(str(self.path), num_threads=2)
            if len(self._reader) != self.frames:
                raise UserError(self.path, f"decodes to {len(self._reader)} of {self.frames} frames", "repair it")
            return self._reader.get_batch(list(indices)).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise UserError(self.path, f"cannot be decoded at frames {indices} ({reason})", "repair it") from error

    def __getstate__(self) -> dict[str, Any]:
        # A decord reader can neither be pickled nor live through a fork.
        return {"path": self.path, "probe": self.probe, "_reader": None}


class FrameFolder:
    """A folder of numbered pictures, in the order of their names; 25 frames a second where nothing says otherwise."""

    def __init__(self, path: Path, rate: float = 25.0) -> None:
        self.path = path
        self.rate = rate
        self.files = sorted((f for f in path.iterdir() if f.suffix.lower() in FRAME_SUFFIXES), key=_counting)
        if not self.files:
            raise UserError(path, "holds no frames", "put PNG frames there, or give a video file")
        self._size = _read_picture(self.files[0]).shape[:2]

    @property
    def frames(self) -> int:
        return len(self.files)

    @property
    def size(self) -> tuple[int, int]:
        return self._size[0], self._size[1]

    def read(self, start: int, stop: int) -> Clip:
        pictures = [_read_picture(file) for file in self.files[start:stop]]
        for file, picture in zip(self.files[start:stop], pictures, strict=True):
            if picture.shape[:2] != self._size:
                raise UserError(file, f"is {picture.shape[:2]}, the others {self._size}", "make all frames one size")
        return Clip(np.stack(pictures), np.arange(start, stop) / self.rate, Colour(), self.path)


def _counting(path: Path) -> list[tuple[int, str]]:
    """Sorts frame10 after frame9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _read_picture(path: Path) -> Frames:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise UserError(path, "is not a picture that can be read", "replace it")
    if picture.dtype != np.uint8:
        raise UserError(path, f"has {picture.dtype.itemsize * 8} bits a sample", "convert it to 8 bits first")
    if picture.ndim == 2:
        return np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB))  # pyright: ignore[reportReturnType]
    return np.ascontiguousarray(picture[..., 2::-1])  # BGR(A) to RGB  # pyright: ignore[reportReturnType]


def is_frame_folder(path: Path) -> bool:
    """True for a folder that holds pictures and no video: a picture beside videos is a cover, not a clip."""
    if not path.is_dir():
        return False
    suffixes = {file.suffix.lower() for file in path.iterdir()}
    return bool(suffixes & FRAME_SUFFIXES) and not suffixes & VIDEO_SUFFIXES


def open_footage(path: Path) -> Footage:
    """The footage at path: a video file, or a folder of frames. Raises UserError where there is none."""
    if path.is_dir():
        return FrameFolder(path)
    if not path.is_file():
        raise UserError(path, "not found", "check the path")
    return VideoFile(path)


def find_footage(root: Path) -> list[Path]:
    """Videos and frame folders at any depth under root, sorted. Raises UserError where there are none."""
    if not root.exists():
        raise UserError(root, "not found", "check the path")
    if root.is_file() or is_frame_folder(root):
        return [root]
    found = [p for p in sorted(root.rglob("*")) if p.suffix.lower() in VIDEO_SUFFIXES or is_frame_folder(p)]
    if not found:
        raise UserError(root, "holds no video and no frame folder", "put footage there")
    return found


def read_chunks(footage: Footage, start: int, stop: int, size: int) -> Iterator[Clip]:
    """Frames start..stop-1 in clips of at most `size` frames, so that memory does not grow with length."""
    for first in range(start, stop, size):
        yield footage.read(first, min(first + size, stop))
