"""Measurement of a video file in one pass, and storage of the measurements in a folder."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import absolute_path, atomic_path, digest_of, make_folder, write_text
from vsr_lab.core.progress import tracked
from vsr_lab.curation.content import FEATURES, measure
from vsr_lab.curation.detectors import BarDetector, CutDetector, mean_difference, softness
from vsr_lab.footage.shots import Shot
from vsr_lab.video import Footage, VideoFile, open_footage
from vsr_lab.video.preview import PreviewFrame, preview_frames, reduced_size

VERSION = "3"  # of the measurements: raise it, and every source is measured again
_SIDE = 160  # of the small frames
_THUMB_SIDE = 64
_THUMBS = 4  # a second
_STILL = 1.0  # levels: a frame this similar to the last thumbnail needs none of its own
_JUMP = 15.0  # levels: a scene may begin here, which is measured in full
_SAMPLES = 32  # pairs of frames by which a content type is suggested without a scan
_LEAST = 6  # measurements of a short clip
_SOFT = 6  # frames on which softness is measured
_LARGEST = 2 << 30  # bytes of measurements that are read, about 30 hours


@dataclass(frozen=True)
class Scan:
    """Measurements of a video file for curation. Frames are counted from the start of the file.

    Attributes:
        cuts: numbers of the first frames of scenes.
        change: mean absolute difference of each frame from the previous one, in 8-bit levels (0..255), (T,).
        measured: numbers of the frames whose features were computed, (R,).
        features: features of the frames `measured`, each computed from the frame and the next one, (R, number of
            features).
        thumb_frames: numbers of the frames in `thumbs`, (P,): about four per second and one after each large change,
            without repeated frames.
        thumbs: small gray pictures of the frames `thumb_frames`, uint8 (P, h, w).
        crop: (width, height, x, y) without black bars; empty if there are no bars.
        softness: (PSNR-Y in dB after downscaling and upscaling by 2, suggested downscaling factor), see `softness`.
    """

    cuts: npt.NDArray[np.int64]
    change: npt.NDArray[np.float32]
    measured: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]
    thumb_frames: npt.NDArray[np.int64]
    thumbs: npt.NDArray[np.uint8]
    crop: npt.NDArray[np.int64]
    softness: npt.NDArray[np.float64]

    @property
    def frames(self) -> int:
        return len(self.change)

    def save(self, path: Path) -> None:
        """Write the measurements as .npz."""
        with atomic_path(path) as temporary:
            np.savez_compressed(temporary, **{field.name: getattr(self, field.name) for field in fields(self)})


def load_scan(path: Path) -> Scan | None:
    """Read measurements written by `Scan.save`. Returns None if the file is missing, damaged or over 2 GiB."""
    if not path.exists():
        return None
    try:
        with np.load(path) as stored:
            if sum(entry.file_size for entry in stored.zip.infolist()) > _LARGEST:
                return None
            return Scan(**{field.name: stored[field.name] for field in fields(Scan)})
    except Exception:  # NumPy, zipfile and zlib raise a dozen kinds, all of which mean that the file is damaged
        return None


class _FullMeasurements:
    """Features of pairs of consecutive frames in full resolution.

    One pair per second is measured, and one pair after every jump (large change between two frames).
    """

    def __init__(self, frames: int, rate: float) -> None:
        step = max(2, min(round(rate), frames // _LEAST))
        self._due = set(range(min(step // 2, max(0, frames - 2)), max(1, frames - 1), step))
        self._soft = sorted(self._due)[:: max(1, len(self._due) // _SOFT)][:_SOFT]
        self._frames = frames
        self._first: tuple[int, Frames, Frames] | None = None
        self._kept: list[Frames] = []
        self.numbers: list[int] = []
        self.features: list[npt.NDArray[np.float64]] = []
        self.bars = BarDetector()

    def add(self, preview: PreviewFrame, jump: bool) -> None:
        """Add the next frame."""
        if self._first and not jump:
            number, frame, small = self._first
            self.numbers.append(number)
            self.features.append(measure(frame, preview.full(), (small, preview.small)))
        self._first = None
        if jump and preview.number + 3 < self._frames:
            self._due.add(preview.number + 2)
        if preview.number in self._due:
            frame = preview.full()
            self._first = (preview.number, frame, preview.small)
            self.bars.add(frame)
            if preview.number in self._soft:
                self._kept.append(frame)

    def softness(self, crop: tuple[int, int, int, int] | None) -> tuple[float, float]:
        """Measure `curation.detectors.softness` in a sample of the frames.

        Args:
            crop: (width, height, x, y) of the area in pixels; None: the whole picture.
        """
        width, height, x, y = crop or (None, None, 0, 0)
        rows, columns = slice(y, height and y + height), slice(x, width and x + width)
        return softness([frame[rows, columns] for frame in self._kept])


def scan(footage: Footage) -> Scan:
    """Decode a video once, and measure its cuts, changes between frames, black bars, softness and content features.

    Raises:
        UserError: a frame cannot be decoded.
    """
    rate = float(footage.rate)
    full, cuts = _FullMeasurements(footage.frames, rate), CutDetector()
    step = max(1, round(rate / _THUMBS))
    change: list[float] = []
    numbers: list[int] = []
    thumbs: list[Frames] = []
    before: Frames | None = None
    for preview in preview_frames(footage, _SIDE):
        small = preview.small
        moved = 0.0 if before is None else mean_difference(small, before)
        # Fast motion changes as much as a cut does, but continues.
        jump = moved > _JUMP and moved > 2 * (change[-1] if change else 0.0)
        change.append(moved)
        cuts.add(preview.number, small)
        full.add(preview, jump)
        if preview.number % step == 0 or jump:
            thumb = _thumbnail(small)
            if not thumbs or mean_difference(thumb, thumbs[-1]) > _STILL:
                numbers.append(preview.number)
                thumbs.append(thumb)
        before = small
    crop = full.bars.crop()
    return Scan(
        cuts=np.array(cuts.found, np.int64),
        change=np.array(change, np.float32),
        measured=np.array(full.numbers, np.int64),
        features=np.array(full.features).reshape(-1, len(FEATURES)),
        thumb_frames=np.array(numbers, np.int64),
        thumbs=np.stack(thumbs),
        crop=np.array(crop or (), np.int64),
        softness=np.array(full.softness(crop)),
    )


def sampled_features(footage: Footage) -> npt.NDArray[np.float64]:
    """Features of at most 32 pairs of consecutive frames at equal distances, (R, number of features).

    Only these frames are read, so that the time hardly depends on the length. R is 0 for a single frame.

    Raises:
        UserError: a frame cannot be decoded.
    """
    size = reduced_size(footage.size, _SIDE)
    found: list[npt.NDArray[np.float64]] = []
    for number in np.linspace(0, footage.frames - 2, min(_SAMPLES, footage.frames - 1), dtype=int).tolist():
        first, second = footage.read(number, number + 2).eight_bit()
        small, next_small = (
            np.asarray(cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
            for frame in (first, second)
        )
        found.append(measure(first, second, (small, next_small)))
    return np.array(found).reshape(-1, len(FEATURES))


def _thumbnail(small: Frames) -> Frames:
    height, width = reduced_size(small.shape[:2], _THUMB_SIDE)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


T = TypeVar("T")
NOT_FOUND = "not found"  # the problem of a row whose file is missing


class Stamp(NamedTuple):
    """Size and modification time of a file, by which changes are detected.

    Attributes:
        bytes: size of the file; total size of all files in a folder of images.
        modified: time of the last change in ns since 1970; the latest one of all files in a folder of images.
    """

    bytes: int
    modified: int


def stamp_of(path: Path) -> Stamp:
    """Read size and modification time of a video file or of a folder of images."""
    facts = [file.stat() for file in sorted(path.iterdir())] if path.is_dir() else [path.stat()]
    return Stamp(sum(fact.st_size for fact in facts), max((fact.st_mtime_ns for fact in facts), default=0))


class Scans:
    """Storage of the measurements of video files in a folder, in one file for each SHA-256 of a video.

    The SHA-256 of a video is stored beside the measurements, and computed again if the path, size or modification time
    of the video changes. A SHA-256 that a manifest states is not used: if it were wrong, the measurements of one video
    would be stored for another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Create the folder unless it exists. Raises UserError if it cannot be created."""
        make_folder(self.folder)

    def get(self, path: Path) -> Scan:
        """Read the stored measurements of a file; measure it if there are none.

        Raises:
            UserError: the file is missing or damaged, or cannot be read.
        """
        place = self.folder / f"{self.digest(path)[:24]}-{VERSION}.npz"
        if stored := load_scan(place):
            return stored
        footage = open_footage(path)
        if isinstance(footage, VideoFile) and footage.damage:
            raise UserError(path, f"is damaged: {footage.damage}", "copy or download the file again, or leave it out")
        found = scan(footage)
        found.save(place)
        return found

    def digest(self, path: Path) -> str:
        """SHA-256 of a file. Raises UserError if the file does not exist."""
        if not path.exists():
            raise UserError(path, NOT_FOUND, "copy the file there, or run vsr-lab footage index again")
        key = hashlib.sha256(repr((str(absolute_path(path)), stamp_of(path))).encode(errors="surrogateescape"))
        place = self.folder / f"{key.hexdigest()[:24]}.sha256"
        known = place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""
        if not re.fullmatch("[0-9a-f]{64}", known):
            known = digest_of(path)
            write_text(place, known)
        return known

    def of_each(self, shots: Sequence[Shot], use: Callable[[int, Scan], T]) -> tuple[list[T], dict[str, str]]:
        """Call a function for every shot with the measurements of its file.

        Args:
            shots: the shots. Their files are measured if no measurements are stored.
            use: function to call with the index of a shot and the measurements of its file.

        Returns:
            The results of `use`, and name -> reason for shots that cannot be measured.
        """
        found: list[T] = []
        left_out: dict[str, str] = {}
        for number, shot in enumerate(tracked("scanning footage", shots, len(shots))):
            try:
                found.append(use(number, self.get(shot.path)))
            except UserError as error:
                left_out[shot.name] = str(error)
        return found, left_out


def is_unchanged(row: Mapping[str, str], stamp: Stamp) -> bool:
    """Whether the size and modification time of a file are those that a row of a manifest states."""
    return (row.get("bytes"), row.get("modified")) == (str(stamp.bytes), str(stamp.modified))
