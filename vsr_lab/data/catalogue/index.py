"""A folder of footage to the rows of a manifest: each file looked at once, and never again until it changes."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.tables import TABLE_SUFFIXES, read_rows
from vsr_lab.core.video_io import VideoFile, find_footage, open_footage
from vsr_lab.data.catalogue.content import ContentModel
from vsr_lab.data.catalogue.rows import MEASURED, Row, Stamp, measured, merged, path_cell, stamp_of
from vsr_lab.data.catalogue.scan import VERSION, Scan, load_scan, scan

Old = dict[str, str]


@dataclass
class Index:
    """rows: of the new manifest. new, kept, moved: how many files were measured, taken over, or found elsewhere.
    gone: paths of rows whose file is there no more; problems: path -> why it cannot be used."""

    rows: list[Row] = field(default_factory=list[Row])
    new: int = 0
    kept: int = 0
    moved: int = 0
    gone: list[str] = field(default_factory=list[str])
    problems: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Work:
    """A file to look at. by_hand: its rows of before, whose person's columns stay."""

    path: Path
    stamp: Stamp
    by_hand: list[Old]
    digest: str = ""
    known: Old | None = None  # a row of before that was measured on the same bytes


class Scans:
    """Scans on disk, by the hash of what was scanned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, path: Path, digest: str) -> Scan:
        """The scan of a file, made now where there is none. Raises UserError where the file cannot be decoded."""
        place = self.folder / f"{digest[:24]}-{VERSION}.npz"
        if place.exists():
            return load_scan(place)
        footage = open_footage(path)
        if isinstance(footage, VideoFile) and footage.damage:
            raise UserError(path, f"is damaged: {footage.damage}", "fetch it again, or leave it out")
        found = scan(footage)
        found.save(place)
        return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if path.is_file():
        return sha256(path)
    whole = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()):
        whole.update(f"{file.name} {sha256(file)}\n".encode())
    return whole.hexdigest()


def read_old(manifest: Path) -> list[Old]:
    """Rows of a manifest that an earlier run wrote; none where there is none. Raises UserError for another table."""
    if not manifest.exists():
        return []
    rows = read_rows(manifest)
    if rows and not {"path", "sha256", "indexed"} <= set(rows[0]):
        raise UserError(manifest, "was not written by footage index", "choose another output=")
    return rows


def plan(root: Path, manifest: Path, old: list[Old], fresh: bool) -> tuple[list[Work], list[str]]:
    """What is to be done for each file under root (or listed in a manifest), and the rows whose file is gone.

    fresh: measure everything anew. Raises UserError where root holds no footage, or the manifest none of root's.
    """
    listed = root.suffix in TABLE_SUFFIXES
    seeds = _by_path(read_rows(root), root.parent) if listed else {}
    files = list(seeds) if listed else [Path(os.path.abspath(path)) for path in find_footage(root)]  # noqa: PTH100
    before = _by_path(old, manifest.parent)
    digests: dict[str, list[Path]] = defaultdict(list)
    for path, rows in before.items():
        digests[rows[0]["sha256"]].append(path)
    work = [_work(path, before, digests, seeds.get(path, []), fresh) for path in files]
    taken = {path for path in before if path in set(files)} | {
        path for one in work if one.known for path in digests[one.known["sha256"]] if not path.exists()
    }
    if old and not taken:
        raise UserError(manifest, f"lists no file of {root}", "it is of other footage; choose another output=")
    return work, [str(path) for path in before if path not in taken]


def _by_path(rows: Iterable[Old], home: Path) -> dict[Path, list[Old]]:
    found: dict[Path, list[Old]] = defaultdict(list)
    for row in rows:
        found[Path(os.path.abspath(home / row["path"]))].append(row)  # noqa: PTH100 - links stay links
    return dict(found)


def _work(
    path: Path, before: dict[Path, list[Old]], digests: dict[str, list[Path]], seed: list[Old], fresh: bool
) -> Work:
    if not path.exists():
        return Work(path, Stamp(0, 0), seed)
    stamp, rows = stamp_of(path), before.get(path, [])
    usable = not fresh and bool(rows) and rows[0]["indexed"] == VERSION
    if usable and (rows[0]["bytes"], rows[0]["modified"]) == (str(stamp.bytes), str(stamp.modified)):
        return Work(path, stamp, rows, rows[0]["sha256"], rows[0])
    digest = digest_of(path)
    twins = [other for other in digests.get(digest, []) if before[other][0]["indexed"] == VERSION]
    moved = next((before[other] for other in twins if not other.exists()), [])
    known = None if fresh or not twins else before[twins[0]][0]
    return Work(path, stamp, rows or moved or seed, digest, known)


def build_index(
    work: list[Work],
    manifest: Path,
    root: Path,
    model: ContentModel,
    scans: Scans,
    done: Callable[[Work], object] = lambda one: None,
) -> Index:
    """Measure what has to be measured; a file that cannot be used gets a row that says why, and the rest goes on.

    done is called after each file.
    """
    index, names = Index(), _names([one.path for one in work], root)
    for one in work:
        found = {column: one.known.get(column, "") for column in MEASURED} if one.known else None
        if found is None:
            found = _measure(one, model, scans)
            index.new += 1
        elif one.by_hand and Path(os.path.abspath(manifest.parent / one.by_hand[0]["path"])) == one.path:  # noqa: PTH100
            index.kept += 1
        else:
            index.moved += 1
        path = path_cell(one.path, manifest)
        if found.get("problem"):
            index.problems[path] = str(found["problem"])
        old = one.by_hand or [{}]
        index.rows += [merged(row, dict(found), path, names[one.path], one.stamp, one.digest) for row in old]
        done(one)
    return index


def _measure(one: Work, model: ContentModel, scans: Scans) -> Row:
    try:
        footage = open_footage(one.path)
        row = measured(footage, scans.get(one.path, one.digest), model)
    except UserError as error:
        return {"problem": str(error).removeprefix(f"{one.path}: ")}
    order = str(row.get("field_order", ""))
    if order.startswith(("interlaced", "telecined")):
        row["problem"] = f"is {order} by its pixels; make whole frames of it first"
    return row


def _names(paths: list[Path], root: Path) -> dict[Path, str]:
    """A name for each file: its path below root without the suffix, and with it where two would be called alike."""
    home = Path(os.path.abspath(root if root.is_dir() else root.parent))  # noqa: PTH100
    whole = {path: (path.relative_to(home) if path.is_relative_to(home) else path).as_posix() for path in paths}
    short = {path: Path(name).with_suffix("").as_posix() if path.is_file() else name for path, name in whole.items()}
    twice = Counter(short.values())
    return {path: whole[path] if twice[short[path]] > 1 else short[path] for path in paths}
