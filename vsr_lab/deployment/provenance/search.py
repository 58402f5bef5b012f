"""Search for the provenance record of an upscaled file, also after it was renamed, remuxed or encoded again.

Perceptual hashes of a video, one per second, hardly change if it is upscaled, encoded again or remuxed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of
from vsr_lab.core.progress import tracked
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.video.reader import is_frame_folder

_SIDE, _LOW = 32, 8  # of the picture that is transformed, and of its low frequencies that are kept
_LONGEST = 1_000_000  # seconds of a video that have hashes
_BLANK = 3.0  # levels of deviation below which a picture has no hash
_SAME_BITS = 10  # bits of 64 in which hashes of the same picture may differ; other pictures differ in about 32


def frame_hash(picture: AnyFrames) -> str:
    """Perceptual hash (pHash) of a picture, which hardly changes if the picture is compressed or resized.

    Each bit states whether the coefficient of one low frequency is above the median of all these coefficients (Zauner
    2010).

    Args:
        picture: RGB (H, W, 3), uint8 or uint16.

    Returns:
        64 bits in hexadecimal; empty if the picture is blank.
    """
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    gray = np.asarray(small, np.float32).mean(-1) * (255 / np.iinfo(picture.dtype).max)
    if gray.std() < _BLANK:
        return ""
    low = np.asarray(cv2.dct(gray), np.float32)[:_LOW, :_LOW].ravel()
    return np.packbits(low > np.median(low[1:])).tobytes().hex()


class FrameHashes:
    """Collects the perceptual hash of the first frame of every second of a video.

    Attributes:
        values: one hash per second; empty for a second without frames, or whose first frame is blank.
    """

    def __init__(self) -> None:
        self.values: list[str] = []

    def wants(self, seconds: float) -> bool:
        """Whether the frame at this time is the first frame of its second. Always False after 1,000,000 s."""
        return len(self.values) <= int(seconds) < _LONGEST

    def add(self, seconds: float, picture: AnyFrames) -> None:
        """Process the next frame of the video, and store its hash if it is the first frame of a second.

        Args:
            seconds: time since the first frame of the video.
            picture: RGB (H, W, 3), uint8 or uint16.
        """
        if self.wants(seconds):
            self.values += [""] * (int(seconds) - len(self.values)) + [frame_hash(picture)]


def agreement(one: Sequence[str], other: Sequence[str]) -> float:
    """Similarity of two videos by their perceptual hashes: fraction of the seconds in which the hashes match.

    Args:
        one, other: hash of each second, or "" if a second has no hash. Only seconds with both hashes are counted.

    Returns:
        Fraction in [0, 1]; 0 if the durations of the videos differ by more than 2 seconds plus 2 % of the longer one.

    Example:
        >>> agreement(["00ff00ff00ff00ff", ""], ["00ff00ff00ff00fe", ""])
        1.0
    """
    longer = max(len(one), len(other))
    if abs(len(one) - len(other)) > 2 + 0.02 * longer:
        return 0.0
    pairs = [(int(a, 16), int(b, 16)) for a, b in zip(one, other, strict=False) if a and b]
    return sum((a ^ b).bit_count() <= _SAME_BITS for a, b in pairs) / max(1, len(pairs))


SUFFIX = ".provenance.json"
_AS_STORED = ReadOptions(deinterlace="keep", tone_map="keep", damaged="keep", transfer="srgb")
_SAME_VIDEO = 0.9  # agreement of the same video, encoded again


class FoundRecord(NamedTuple):
    """A provenance record that was found for a file.

    Attributes:
        path: path of the record.
        record: content of the record.
        how: "bytes": the hash of the file is that in the record; "pictures": only the perceptual hashes match.
        agreement: fraction of the seconds whose perceptual hashes match; 1 for "bytes".
    """

    path: Path
    record: Provenance
    how: Literal["bytes", "pictures"]
    agreement: float


def provenance_path(video: Path) -> Path:
    """Path of the provenance record that is written next to an upscaled file: VIDEO.provenance.json."""
    return video.with_name(video.name + SUFFIX)


def find_provenance(video: Path, folder: Path | None = None) -> FoundRecord | None:
    """Find the provenance record of a video in a folder, by the hash of the file or else by perceptual hashes.

    Args:
        video: a video file, or a folder of images.
        folder: folder to search, including subfolders; None: the folder of the file, without subfolders.

    Returns:
        The record; None if no record in the folder is of this video.

    Raises:
        UserError: the file, or the record next to it, cannot be read.
    """
    if not video.is_file() and not is_frame_folder(video):
        problem = "is not a file, nor a folder of images" if video.exists() else "not found"
        raise UserError(video, problem, "give an upscaled file")
    digest = digest_of(video)
    records = dict(_records(video, folder))
    for path, record in records.items():
        if record.output.sha256 == digest:
            return FoundRecord(path, record, "bytes", 1.0)
    records = {path: record for path, record in records.items() if record.source.sha256 != digest}  # an original
    if not any(any(record.frame_hashes) for record in records.values()):
        return None
    own = _hashes(video)
    shares = {path: agreement(own, record.frame_hashes) for path, record in records.items()}
    best = max(shares, key=lambda path: shares[path])
    return FoundRecord(best, records[best], "pictures", shares[best]) if shares[best] >= _SAME_VIDEO else None


def _records(video: Path, folder: Path | None) -> Iterator[tuple[Path, Provenance]]:
    """Yield the record beside the video, then all records in the folder, except damaged records of other files."""
    own = provenance_path(video)
    if own.is_file():
        yield own, read_record(own, Provenance)
    found = video.absolute().parent.glob(f"*{SUFFIX}") if folder is None else folder.rglob(f"*{SUFFIX}")
    for path in sorted(found):
        try:
            yield path, read_record(path, Provenance)
        except UserError:
            continue


def _hashes(video: Path) -> list[str]:
    """Hashes of a file's own pictures."""
    footage = VideoFile(video, read_options=_AS_STORED)
    hashes = FrameHashes()
    times = footage.probe.timestamps
    for number, seconds in enumerate(tracked("comparing pictures", times, len(times), "frames")):
        if hashes.wants(seconds):
            hashes.add(seconds, footage.read(number, number + 1).frames[0])
    return hashes.values
