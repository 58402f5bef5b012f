"""A folder of footage to the rows of a manifest: each file looked at once, and never again until it changes."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.curation.content import ContentModel
from vsr_lab.curation.rows import COLUMNS, MEASURED, Row, Stamp, measured, merged, path_cell, stamp_of
from vsr_lab.curation.scan import VERSION, Scan, load_scan, scan
from vsr_lab.footage.tables import TABLE_SUFFIXES, read_rows
from vsr_lab.video import VideoFile, find_footage, open_footage

Old = dict[str, str]
NOT_FOUND = "not found"  # the problem of a row whose file is gone


@dataclass
class Index:
    """rows: of the new manifest. new, kept, moved: how many files were measured, taken over, or found elsewhere.
    problems: path -> why it cannot be used."""

    rows: list[Row] = field(default_factory=list[Row])
    new: int = 0
    kept: int = 0
    moved: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Work:
    """A file to look at. by_hand: its rows of before, whose person's columns stay; was: the path that they name."""

    path: Path
    stamp: Stamp
    by_hand: list[Old]
    digest: str = ""
    known: Old | None = None  # a row of before that was measured on the same bytes
    was: Path | None = None


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


def known_digest(path: Path, row: Mapping[str, str]) -> str:
    """The hash that a row of a manifest holds, or a new one where the file has another size or time than it noted.

    Raises UserError where there is no file.
    """
    if not path.exists():
        raise UserError(path, NOT_FOUND, "fetch it again, or index its folder anew")
    return row["sha256"] if row.get("sha256") and _unchanged(row, stamp_of(path)) else digest_of(path)


def _unchanged(row: Mapping[str, str], stamp: Stamp) -> bool:
    return (row.get("bytes"), row.get("modified")) == (str(stamp.bytes), str(stamp.modified))


def read_old(manifest: Path) -> list[Old]:
    """Rows of a manifest that an earlier run wrote; none where there is none. Raises UserError for another table."""
    if not manifest.exists():
        return []
    rows = read_rows(manifest)
    if rows and not {"path", "sha256", "indexed"} <= set(rows[0]):
        raise UserError(manifest, "was not written by footage index", "choose another output=")
    return rows


def plan(root: Path, manifest: Path, old: list[Old], fresh: bool) -> tuple[list[Work], list[Old]]:
    """What is to be done for each file under root (or listed in a manifest), and the rows of other files.

    Those stay: of a file that is not under root as they are, of one that is gone with the problem "not found", since
    what a person wrote there is nowhere else. fresh: measure everything anew. Raises UserError where root holds no
    footage, or the manifest none of root's.
    """
    listed = root.suffix in TABLE_SUFFIXES
    seeds = _by_path(read_rows(root), root.parent) if listed else {}
    files = list(seeds) if listed else [Path(os.path.abspath(path)) for path in find_footage(root)]  # noqa: PTH100
    before = _by_path(old, manifest.parent)
    digests: dict[str, list[Path]] = defaultdict(list)
    for path, rows in before.items():
        digests[rows[0]["sha256"]].append(path)
    work = [_work(path, before, digests, seeds.get(path, []), fresh) for path in files]
    taken = {one.was for one in work}
    if old and taken == {None}:
        raise UserError(manifest, f"lists no file of {root}", "it is of other footage; choose another output=")
    rest = [(path, row) for path, rows in before.items() if path not in taken for row in rows]
    return work, [row if path.exists() else row | {"problem": NOT_FOUND} for path, row in rest]


def _by_path(rows: Iterable[Old], home: Path) -> dict[Path, list[Old]]:
    found: dict[Path, list[Old]] = defaultdict(list)
    for row in rows:
        found[Path(os.path.abspath(home / row["path"]))].append(row)  # noqa: PTH100 - links stay links
    return dict(found)


def _work(
    path: Path, before: dict[Path, list[Old]], digests: dict[str, list[Path]], seed: list[Old], fresh: bool
) -> Work:
    if not path.exists():
        return Work(path, Stamp(0, 0), before.get(path, seed), was=path if path in before else None)
    stamp, rows, was = stamp_of(path), before.get(path, []), path if path in before else None
    if not fresh and rows and _measured(rows[0]) and _unchanged(rows[0], stamp):
        return Work(path, stamp, rows, rows[0]["sha256"], rows[0], was)
    digest = digest_of(path)
    twins = digests.get(digest, [])
    moved = None if rows else next((other for other in twins if not other.exists()), None)
    known = None if fresh else next((before[other][0] for other in twins if _measured(before[other][0])), None)
    return Work(path, stamp, rows or (before[moved] if moved else seed), digest, known, was or moved)


def _measured(row: Old) -> bool:
    return row["indexed"] == VERSION and row["problem"] != NOT_FOUND


def build_index(
    work: list[Work],
    rest: list[Old],
    manifest: Path,
    root: Path,
    model: ContentModel,
    scans: Scans,
    done: Callable[[Work], object] = lambda one: None,
) -> Index:
    """Measure what has to be measured; a file that cannot be used gets a row that says why, and the rest goes on.

    work, rest: what `plan` gave; done is called after each file.
    """
    index, names = Index(), _names([one.path for one in work], root)
    for one in work:
        found = {column: one.known.get(column, "") for column in MEASURED} if one.known else None
        if found is None:
            found = _measure(one, model, scans)
            index.new += 1
        elif one.was == one.path:
            index.kept += 1
        else:
            index.moved += 1
        path = path_cell(one.path, manifest)
        if found.get("problem"):
            index.problems[path] = str(found["problem"])
        old = one.by_hand or [{}]
        index.rows += [merged(row, dict(found), path, names[one.path], one.stamp, one.digest) for row in old]
        done(one)
    index.rows += [dict[str, object](dict.fromkeys(COLUMNS, "") | row) for row in rest]
    index.problems |= {row["path"]: NOT_FOUND for row in rest if row["problem"] == NOT_FOUND}
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
