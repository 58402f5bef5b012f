"""The manifest of a folder of footage: each file is measured once, and again only when it changes."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.curation.content import ContentModel
from vsr_lab.curation.rows import (
    COLUMNS,
    MEASURED,
    Row,
    Stamp,
    absolute_path,
    measured_columns,
    merge_row,
    path_cell,
    stamp_of,
)
from vsr_lab.curation.scan import VERSION, Scan, load_scan, scan
from vsr_lab.footage.tables import TABLE_SUFFIXES, read_rows
from vsr_lab.video import VideoFile, find_footage, open_footage

TextRow = dict[str, str]
NOT_FOUND = "not found"  # the problem of a row whose file is missing


@dataclass
class Index:
    """rows: of the new manifest. new, kept, moved: number of files that were measured, unchanged, or found elsewhere.
    problems: path -> why it cannot be used."""

    rows: list[Row] = field(default_factory=list[Row])
    new: int = 0
    kept: int = 0
    moved: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class IndexTask:
    """A file to index.

    Attributes:
        previous: rows of the file in the existing manifest, whose manual columns are kept.
        digest: SHA-256 of the file.
        measured: an existing row with measurements of a file with the same content.
        old_path: path of the file in the existing rows.
    """

    path: Path
    stamp: Stamp
    previous: list[TextRow]
    digest: str = ""
    measured: TextRow | None = None
    old_path: Path | None = None


@dataclass(frozen=True)
class IndexPlan:
    """What is to be done for a root and a manifest. other_rows: earlier rows of files that are in no task."""

    root: Path
    manifest: Path
    tasks: list[IndexTask]
    other_rows: list[TextRow]


class Scans:
    """Scans stored in a folder, by the hash of the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, path: Path, digest: str) -> Scan:
        """The stored scan of a file, or a new one.

        Raises:
            UserError: the file is damaged or cannot be decoded.
        """
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
    """The hash in a manifest's row; computed again if the file's size or time differ from the row's.

    Raises:
        UserError: the file does not exist.
    """
    if not path.exists():
        raise UserError(path, NOT_FOUND, "fetch it again, or index its folder again")
    return row["sha256"] if row.get("sha256") and _unchanged(row, stamp_of(path)) else digest_of(path)


def _unchanged(row: Mapping[str, str], stamp: Stamp) -> bool:
    return (row.get("bytes"), row.get("modified")) == (str(stamp.bytes), str(stamp.modified))


def _read_manifest(manifest: Path) -> list[TextRow]:
    if not manifest.exists():
        return []
    rows = read_rows(manifest)
    if rows and not {"path", "sha256", "indexed"} <= set(rows[0]):
        raise UserError(manifest, "was not written by footage index", "choose another output=")
    return rows


def plan_index(root: Path, manifest: Path, fresh: bool) -> IndexPlan:
    """Plan what is to be measured of the files under root, or listed in it where it is a manifest itself.

    Earlier rows of other files are kept; if such a file is missing, with the problem "not found", since their manual
    columns are stored nowhere else.

    Args:
        manifest: to be written; may exist.
        fresh: measure everything again.

    Raises:
        UserError: root holds no footage, manifest was not written by `build_index`, or lists none of root's files.
    """
    is_table = root.suffix in TABLE_SUFFIXES
    listed = _by_path(read_rows(root), root.parent) if is_table else {}
    files = list(listed) if is_table else [absolute_path(path) for path in find_footage(root)]
    before = _by_path(_read_manifest(manifest), manifest.parent)
    by_digest: dict[str, list[Path]] = defaultdict(list)
    for path, rows in before.items():
        by_digest[rows[0]["sha256"]].append(path)
    tasks = [_task(path, before, by_digest, listed.get(path, []), fresh) for path in files]
    taken = {task.old_path for task in tasks}
    if before and taken == {None}:
        raise UserError(manifest, f"lists no file of {root}", "it is of other footage; choose another output=")
    others = [(path, row) for path, rows in before.items() if path not in taken for row in rows]
    kept = [row if path.exists() else row | {"problem": NOT_FOUND} for path, row in others]
    return IndexPlan(root, manifest, tasks, kept)


def _by_path(rows: Iterable[TextRow], home: Path) -> dict[Path, list[TextRow]]:
    found: dict[Path, list[TextRow]] = defaultdict(list)
    for row in rows:
        found[absolute_path(home / row["path"])].append(row)
    return dict(found)


def _task(
    path: Path,
    before: dict[Path, list[TextRow]],
    by_digest: dict[str, list[Path]],
    listed: list[TextRow],
    fresh: bool,
) -> IndexTask:
    rows, old_path = before.get(path, []), path if path in before else None
    if not path.exists():
        return IndexTask(path, Stamp(0, 0), rows or listed, old_path=old_path)
    stamp = stamp_of(path)
    if not fresh and rows and _is_measured(rows[0]) and _unchanged(rows[0], stamp):
        return IndexTask(path, stamp, rows, rows[0]["sha256"], rows[0], old_path)
    digest = digest_of(path)
    copies = by_digest.get(digest, [])
    moved = None if rows else next((other for other in copies if not other.exists()), None)
    measured = (before[other][0] for other in copies if not fresh and _is_measured(before[other][0]))
    previous = rows or (before[moved] if moved else listed)
    return IndexTask(path, stamp, previous, digest, next(measured, None), old_path or moved)


def _is_measured(row: TextRow) -> bool:
    return row["indexed"] == VERSION and row["problem"] != NOT_FOUND


def build_index(
    plan: IndexPlan, model: ContentModel, scans: Scans, on_file: Callable[[IndexTask], object] = lambda task: None
) -> Index:
    """Measure what the plan asks for. A file that cannot be used gets a row that states the problem.

    Args:
        model: suggests content types.
        scans: where scans are stored.
        on_file: called after each file.
    """
    index, names = Index(), _names([task.path for task in plan.tasks], plan.root)
    for task in plan.tasks:
        found: Row
        if task.measured is None:
            found = _measure(task, model, scans)
            index.new += 1
        else:
            found = {column: task.measured.get(column, "") for column in MEASURED}
            same = task.old_path == task.path
            index.kept, index.moved = index.kept + same, index.moved + (not same)
        path = path_cell(task.path, plan.manifest)
        if found.get("problem"):
            index.problems[path] = str(found["problem"])
        for row in task.previous or [{}]:
            index.rows.append(merge_row(row, found, path, names[task.path], task.stamp, task.digest))
        on_file(task)
    index.rows += [dict[str, object](dict.fromkeys(COLUMNS, "") | row) for row in plan.other_rows]
    index.problems |= {row["path"]: NOT_FOUND for row in plan.other_rows if row["problem"] == NOT_FOUND}
    return index


def _measure(task: IndexTask, model: ContentModel, scans: Scans) -> Row:
    try:
        row = measured_columns(open_footage(task.path), scans.get(task.path, task.digest), model)
    except UserError as error:
        return {"problem": str(error).removeprefix(f"{task.path}: ")}
    order = str(row.get("field_order", ""))
    if order.startswith(("interlaced", "telecined")):
        row["problem"] = f"is {order} by its pixels; make whole frames of it first"
    return row


def _names(paths: list[Path], root: Path) -> dict[Path, str]:
    """Names: paths below root without suffix, or with it where two would have the same name."""
    home = absolute_path(root if root.is_dir() else root.parent)
    whole = {path: (path.relative_to(home) if path.is_relative_to(home) else path).as_posix() for path in paths}
    short = {path: Path(name).with_suffix("").as_posix() if path.is_file() else name for path, name in whole.items()}
    count = Counter(short.values())
    return {path: whole[path] if count[short[path]] > 1 else short[path] for path in paths}
