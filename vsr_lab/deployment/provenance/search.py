"""Search for the provenance record of an upscaled file, also after it was renamed or remuxed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records import read_record
from vsr_lab.core.records.deployment import Provenance
from vsr_lab.deployment.provenance.frame_hashes import FrameHashes, agreement
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.video.reader import is_frame_folder

SUFFIX = ".provenance.json"
_AS_STORED = ReadOptions(deinterlace="keep", tone_map="keep", damaged="keep")
_SAME = 0.9  # agreement of the same video, encoded again


@dataclass(frozen=True)
class FoundRecord:
    """A provenance record that was found for a file.

    Attributes:
        path: path of the record.
        how: "bytes": the hash of the file is that in the record; "pictures": only the perceptual hashes match.
        agreement: fraction of the seconds whose perceptual hashes match; 1 for "bytes".
    """

    path: Path
    record: Provenance
    how: Literal["bytes", "pictures"]
    agreement: float


def provenance_path(video: Path) -> Path:
    """Path of the record that is written next to an upscaled file."""
    return video.with_name(video.name + SUFFIX)


def find_provenance(video: Path, folder: Path | None = None) -> FoundRecord | None:
    """Find the provenance record of a video in a folder, by the hash of the file or else by perceptual hashes.

    Args:
        video: a video file, or a folder of images.
        folder: folder to search, including subfolders; None: the folder of the file, without subfolders.

    Returns:
        The record; None if there is none.

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
    return FoundRecord(best, records[best], "pictures", shares[best]) if shares[best] >= _SAME else None


def _records(video: Path, folder: Path | None) -> Iterator[tuple[Path, Provenance]]:
    """Yield the record of the file's name, then those in the folder; damaged ones of other files are passed over."""
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
    with progress_bar("comparing pictures", len(times), "frames") as update:
        for number, seconds in enumerate(times):
            if hashes.wants(seconds):
                hashes.add(seconds, footage.read(number, number + 1).frames[0])
            update(advance=1)
    return hashes.values
