"""The store of measurements, in which every file is measured once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of, make_folder
from vsr_lab.core.progress import progress_bar
from vsr_lab.curation.rows import Stamp, stamp_of
from vsr_lab.curation.scan import VERSION, Scan, load_scan, scan
from vsr_lab.footage.shots import Shot
from vsr_lab.video import VideoFile, open_footage

T = TypeVar("T")
NOT_FOUND = "not found"  # the problem of a row whose file is missing


class Scans:
    """Measurements of video files, stored in a folder: one file for each hash of a video."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Create the folder. Raises UserError if it cannot be created."""
        make_folder(self.folder)

    def get(self, path: Path, digest: str) -> Scan:
        """Read the stored measurements of a file; measure it if there are none.

        Args:
            path: the file.
            digest: SHA-256 of the file.

        Raises:
            UserError: the file is damaged or cannot be decoded.
        """
        place = self.folder / f"{digest[:24]}-{VERSION}.npz"
        if stored := load_scan(place):
            return stored
        footage = open_footage(path)
        if isinstance(footage, VideoFile) and footage.damage:
            raise UserError(path, f"is damaged: {footage.damage}", "fetch it again, or leave it out")
        found = scan(footage)
        found.save(place)
        return found

    def of_each(
        self, shots: Sequence[Shot], rows: Sequence[Mapping[str, str]], use: Callable[[int, Scan], T]
    ) -> tuple[list[T], dict[str, str]]:
        """Call a function for every shot with the measurements of its file.

        Args:
            shots: shots whose files are measured, unless measurements are stored.
            rows: row of each shot in a manifest, or {}. The hash in the row is used if the file has not changed.
            use: function of the index of a shot and the measurements of its file.

        Returns:
            The results of `use`, and name -> reason for shots that cannot be measured.
        """
        found: list[T] = []
        left_out: dict[str, str] = {}
        with progress_bar("scanning footage", len(shots)) as update:
            for number, (shot, row) in enumerate(zip(shots, rows, strict=True)):
                try:
                    found.append(use(number, self.get(shot.path, known_digest(shot.path, row))))
                except UserError as error:
                    left_out[shot.name] = str(error)
                update(advance=1)
        return found, left_out


def known_digest(path: Path, row: Mapping[str, str]) -> str:
    """SHA-256 of a file, from its row in a manifest, or computed if the file's size or modification time has changed.

    Raises:
        UserError: the file does not exist.
    """
    if not path.exists():
        raise UserError(path, NOT_FOUND, "fetch it again, or index its folder again")
    return row["sha256"] if row.get("sha256") and is_unchanged(row, stamp_of(path)) else digest_of(path)


def is_unchanged(row: Mapping[str, str], stamp: Stamp) -> bool:
    """Whether size and modification time of a file are those in a manifest's row."""
    return (row.get("bytes"), row.get("modified")) == (str(stamp.bytes), str(stamp.modified))
