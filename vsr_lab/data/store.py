"""Reading of decoded clips (uint8) in a folder, the store; they are memory-mapped and protected by checksums."""

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsr_lab.core.clip import Frames
from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import read_json, write_json
from vsr_lab.data.activity import Activity, measure_activity
from vsr_lab.footage.shots import Shot

_FRAMES_VERSION = 2  # raised where a reader comes to give other frames of the same file
_PAGE = 4096
_PAGES = 16
_CHUNK = 1 << 24


@lru_cache(maxsize=384)
def _mapped(path: Path) -> np.ndarray:
    """Memory-map the array in a file. Pages are shared between processes and released when memory is short.

    Only the most recently used files are kept open: a process may open about a thousand, and Vimeo-90K has 64,612
    clips.
    """
    return np.asarray(np.load(path, mmap_mode="r"))


@dataclass(frozen=True)
class StoredClip:
    """Frames first..stop-1 of a clip whose decoded frames are stored in a file, which is read as a memory map.

    The object keeps no file open, so it can be pickled for worker processes.

    Args:
        name: name of the clip.
        path: file of the frames.
        cuts: numbers of the frames at which a new scene begins, counted from the start of the file.
        first: number of the first frame, counted from the start of the file.
        stop: number of the frame after the last; None: to the end of the file.
    """

    name: str
    path: Path
    cuts: tuple[int, ...] = ()
    first: int = 0
    stop: int | None = None

    @property
    def frames(self) -> Frames:
        """Memory-mapped frames, uint8 (T, H, W, C)."""
        return _mapped(self.path)[self.first : self.stop]  # pyright: ignore[reportReturnType]

    @property
    def activity(self) -> Activity:
        """Activity map of the clip, see `measure_activity`."""
        path = activity_path(self.path)
        if not path.exists():
            return measure_activity(self.frames)
        return _mapped(path)[self.first : self.stop]  # pyright: ignore[reportReturnType]

    @property
    def scenes(self) -> list[tuple[int, int]]:
        """(start, stop) of each scene, as frame numbers counted from the start of the clip, `stop` exclusive."""
        first, found = self.first, split_at_cuts(self.cuts, self.first, self.first + len(self))
        return [(start - first, stop - first) for start, stop in found]

    def window(self, first: int, last: int) -> "StoredClip":
        """Part of the clip: frames first..last-1, counted from the start of the clip."""
        return replace(self, first=self.first + first, stop=self.first + last)

    def __len__(self) -> int:
        return len(self.frames) if self.stop is None else self.stop - self.first


@dataclass(frozen=True)
class Record:
    """JSON record of a stored clip: the source, and checksums of the frames.

    Attributes:
        source: path of the footage.
        shot: settings of the shot that affect its frames, such as its crop.
        shape: shape of the frames, (T, H, W, C).
        bytes: size of the file.
        digest: hash of the file.
        pages: hash of a few pages (4 KiB blocks) of the file, checked by every training.
    """

    source: str
    shot: str
    shape: tuple[int, int, int, int]
    bytes: int
    digest: str
    pages: str


def _facts(shot: Shot) -> str:
    """Properties of a shot, other than its file, that its frames depend on. Default values are omitted.

    Therefore a new property of shots does not change the keys of clips that do not use it.
    """
    aside = {"name", "path", "cuts", "lows", "sha256"}
    found = {f.name: (getattr(shot, f.name), f.default) for f in fields(shot) if f.name not in aside}
    return ", ".join(f"{name}={value}" for name, (value, usual) in sorted(found.items()) if value != usual)


def clip_path(folder: Path, shot: Shot) -> Path:
    """Path in the store for the frames of a shot.

    Its name is a hash of the path, sizes and modification times of the footage, and of the settings of the shot.
    """
    return folder / f"{_name(shot.path, _facts(shot))}.npy"


def activity_path(path: Path) -> Path:
    return path.with_suffix(".activity")


def record_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _name(source: Path, facts: str) -> str:
    if not source.exists():
        raise UserError(source, "not found", "check the path")
    files = [source] if source.is_file() else sorted(source.iterdir())
    stamps = [(file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files]
    text = repr((_FRAMES_VERSION, str(source.resolve()), stamps, facts))
    return f"clip-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def make_record(shot: Shot, path: Path) -> Record:
    """Make the record of a clip whose frames were just decoded and written to `path`."""
    frames: Frames = np.load(path, mmap_mode="r")
    return Record(
        source=str(shot.path.resolve()),
        shot=_facts(shot),
        shape=frames.shape,
        bytes=path.stat().st_size,
        digest=_digest(path),
        pages=_pages(path),
    )


def write_record(path: Path, record: Record) -> None:
    """Write the record of the clip at `path`. This is done last: a clip without a record counts as not stored."""
    write_json(record_path(path), asdict(record))


def read_record(path: Path) -> Record | None:
    """Read the record of the clip at `path`; None if there is none, it is damaged, or another version wrote it."""
    if not record_path(path).exists():
        return None
    try:
        value = Record(**read_json(record_path(path)))
    except (UserError, TypeError):
        return None  # of another version, or half a file after a power cut: the clip is decoded anew
    return replace(value, shape=tuple(value.shape))  # pyright: ignore[reportArgumentType]


def looks_whole(path: Path, record: Record) -> bool:
    """Fast check of a stored clip for damage.

    Returns:
        Whether its activity map exists, its file has the recorded size, and the checksums of a few blocks are as
        recorded.
    """
    there = path.exists() and activity_path(path).exists()
    return there and path.stat().st_size == record.bytes and _pages(path) == record.pages


def is_whole(path: Path, record: Record) -> bool:
    """Whether all bytes of a clip are as recorded."""
    return looks_whole(path, record) and _digest(path) == record.digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _pages(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb", buffering=0) as file:
        last = max(path.stat().st_size - _PAGE, 0)
        for place in np.linspace(0, last, _PAGES).astype(np.int64):
            file.seek(int(place))
            digest.update(file.read(_PAGE))
    return digest.hexdigest()


class StoreEntry(NamedTuple):
    """A clip in a store.

    Attributes:
        path: file of the frames.
        source: path of the footage; "" if the clip is unfinished.
        bytes: total size of the files of the clip.
        state: "whole", "stale" (the footage was removed or changed), "unfinished" or "damaged".
    """

    path: Path
    source: str
    bytes: int
    state: str


def stored_files(folder: Path) -> list[Path]:
    """Paths of the clips in a store, recognised by their names; other files in the folder are ignored."""
    return sorted(path for path in folder.iterdir() if re.fullmatch(r"clip-[0-9a-f]{24}\.(npy|partial)", path.name))


def inspect_store(folder: Path, every_byte: bool = False) -> Iterator[StoreEntry]:
    """Check every clip in a folder of decoded frames.

    Args:
        folder: the folder.
        every_byte: whether all bytes of each clip are checked, instead of a few pages.

    Yields:
        Path, source, size and state of each clip.
    """
    for path in stored_files(folder):
        record = read_record(path) if path.suffix == ".npy" else None
        size = sum(file.stat().st_size for file in _files(path))
        if record is None:
            yield StoreEntry(path, "", size, "unfinished")
        elif not (is_whole if every_byte else looks_whole)(path, record):
            yield StoreEntry(path, record.source, size, "damaged")
        else:
            yield StoreEntry(path, record.source, size, "stale" if _is_stale(path, record) else "whole")


def remove_entry(path: Path) -> None:
    """Delete the files of a clip from the store; its record is deleted first."""
    for file in _files(path):
        file.unlink()


def _files(path: Path) -> list[Path]:
    found = (record_path(path), activity_path(path), path.with_suffix(".done"), path)
    return [file for file in found if file.exists()]


def stale_bytes(folder: Path, wanted: Collection[Path]) -> list[int]:
    """Sizes in bytes of the stored clips whose footage was removed or changed, except clips with a path in `wanted`."""
    others = [(path, read_record(path)) for path in folder.glob("*.npy") if path not in wanted]
    return [record.bytes for path, record in others if record and _is_stale(path, record)]


def _is_stale(path: Path, record: Record) -> bool:
    try:
        return _name(Path(record.source), record.shot) != path.stem
    except UserError:
        return True
