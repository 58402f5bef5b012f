"""Making of a manifest of a folder of footage. Each file is measured once, and again only if it changes.

The rows of a manifest have manual columns, which a person fills in, and measured columns.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import absolute_path
from vsr_lab.core.orientation import UPRIGHT
from vsr_lab.core.progress import progress_bar
from vsr_lab.curation.content import FEATURES, ContentModel
from vsr_lab.curation.scan import NOT_FOUND, VERSION, Scan, Scans, Stamp, is_unchanged, stamp_of
from vsr_lab.footage.tables import TABLE_SUFFIXES, check_paths, read_rows
from vsr_lab.video import Footage, VideoFile, find_footage, open_footage
from vsr_lab.video.color_conversion import is_rgb
from vsr_lab.video.disclosure import find_disclosure
from vsr_lab.video.interlace_detection import detect_interlacing

Row = dict[str, object]

# Never overwritten; the same holds for columns that are in no list here.
_MANUAL = ("split", "content_type", "start", "stop", "downscale", "crop", "licence", "source", "note")
_SUGGESTED = ("suggested_content", "suggested_confidence", "suggested_because", "suggested_crop", "suggested_downscale")
_SHOWN = ("motion", "detail", "noise", "brightness", "still")
_FACTS = (
    "width", "height", "frames", "rate", "duration", "vfr", "codec", "pix_fmt", "bits", "matrix", "range", "assumed",
    "turn", "sample_aspect", "field_order", "backend", "reason",
)  # fmt: skip
MEASURED = (*_SUGGESTED, "cuts", "down_up_x2_db", *_SHOWN, *_FACTS, "problem")
STAMPS = ("bytes", "modified", "sha256", "indexed")
COLUMNS = ("path", "name", *_MANUAL, *MEASURED, *STAMPS)


def measured_columns(footage: Footage, scan: Scan, model: ContentModel) -> Row:
    """Cells of a manifest row that are measured on a video file: column -> value.

    Args:
        footage: the video.
        scan: measurements of its frames.
        model: suggests the content type.
    """
    softness, downscale = (float(value) for value in scan.softness)
    row: Row = {"cuts": " ".join(str(cut) for cut in scan.cuts), "down_up_x2_db": round(softness, 1)}
    if len(scan.measured):
        mean = dict(zip(FEATURES, scan.features.mean(0), strict=True))
        row |= {name: round(float(mean[name]), 4) for name in _SHOWN}
        suggestion = model.suggest(scan.features)
        row |= {
            "suggested_content": suggestion.kind,
            "suggested_confidence": round(suggestion.confidence, 2),
            "suggested_because": " ".join(suggestion.because),
        }
    row["suggested_crop"] = " ".join(str(number) for number in scan.crop)
    row["suggested_downscale"] = "" if downscale == 1 else downscale
    return row | probed_columns(footage)


def probed_columns(footage: Footage) -> Row:
    """Cells of a manifest row that are known without decoding all frames, such as size and rate: column -> value."""
    height, width = footage.size
    rate = float(footage.rate)
    row: Row = {"width": width, "height": height, "frames": footage.frames, "rate": round(rate, 4)}
    row["duration"] = round(footage.frames / rate, 3)
    if not isinstance(footage, VideoFile):
        return row
    probe, gaps = footage.probe, np.diff(footage.probe.timestamps)
    return row | {
        "duration": round(float(probe.timestamps[-1]) + 1 / rate, 3),
        "rate": str(probe.rate),
        "vfr": _yes(len(gaps) > 1 and float(np.ptp(gaps)) > 0.2 * float(np.median(gaps))),
        "codec": probe.codec,
        "pix_fmt": probe.pixel_format,
        "bits": probe.bits,
        "matrix": probe.colour.matrix,
        "range": "full" if probe.colour.full_range else "limited",
        "assumed": _yes(probe.colour.assumed),
        "turn": "" if probe.orientation == UPRIGHT else probe.orientation.name,
        "sample_aspect": "" if probe.sample_aspect == 1 else str(probe.sample_aspect),
        "field_order": "" if is_rgb(probe.pixel_format) else str(detect_interlacing(probe.path, probe.stream)),
        "backend": probe.backend,
        "reason": probe.reason,
    }


def _yes(value: bool) -> str:
    return "yes" if value else ""


def merge_row(manual: Mapping[str, object], found: Row, path: str, *, name: str, stamp: Stamp, digest: str) -> Row:
    """Build a row of a manifest from the columns that a person filled in and from measured columns.

    Args:
        manual: existing row, from which the columns that are not measured are kept.
        found: measured columns.
        path: path of the file.
        name: name of the clip.
        stamp: size and modification time of the file.
        digest: SHA-256 of the file.
    """
    row: Row = dict.fromkeys(COLUMNS, "")
    row |= {column: cell for column, cell in manual.items() if column not in (*MEASURED, *STAMPS)}
    row |= {column: found.get(column, "") for column in MEASURED}
    row["path"], row["name"] = path, manual.get("name") or name
    return row | {"bytes": stamp.bytes, "modified": stamp.modified, "sha256": digest, "indexed": VERSION}


def path_cell(file: Path, manifest: Path) -> str:
    """The path of a file as it is written to a manifest: relative if the file is below the manifest's folder."""
    file, home = absolute_path(file), absolute_path(manifest.parent)
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else str(file)


TextRow = dict[str, str]


@dataclass
class Index:
    """Result of `build_index`: a manifest that lists and describes all files of a folder.

    Attributes:
        rows: rows of the new manifest.
        new: number of files that were measured.
        kept: number of files that have not changed since they were measured.
        moved: number of moved files and copies, which have the content of a file that was measured at another path.
        problems: path -> why the file cannot be used.
    """

    rows: list[Row] = field(default_factory=list[Row])
    new: int = 0
    kept: int = 0
    moved: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class IndexTask:
    """A file to index, with the rows that an existing manifest has for it.

    Attributes:
        path: the file.
        stamp: size and modification time of the file.
        previous: rows of the file in the existing manifest; the columns that a person filled in are kept.
        digest: SHA-256 of the file.
        measured: an existing row of a file with the same content, whose measurements are reused; None if there is none.
        old_path: path of the file in the existing manifest, which is another one if the file was moved; None if the
            manifest does not list the file.
    """

    path: Path
    stamp: Stamp
    previous: list[TextRow]
    digest: str = ""
    measured: TextRow | None = None
    old_path: Path | None = None


@dataclass(frozen=True)
class IndexPlan:
    """Result of `plan_index`: the files to index, and the rows of the existing manifest that are kept.

    Attributes:
        root: folder of footage, or a manifest that lists files.
        manifest: the manifest to write.
        tasks: one per file below root.
        other_rows: existing rows of files that are not below root, which are kept.
        unnamed: file -> problem, for files that cannot be written to a manifest, because their names are not valid
            Unicode.
    """

    root: Path
    manifest: Path
    tasks: list[IndexTask]
    other_rows: list[TextRow]
    unnamed: dict[str, str] = field(default_factory=dict[str, str])


def _read_manifest(manifest: Path) -> list[TextRow]:
    if not manifest.exists():
        return []
    rows = read_rows(manifest)
    if not rows or not {"path", "sha256", "indexed"} <= set(rows[0]):
        raise UserError(manifest, "was not written by vsr-lab footage index", "choose another output=")
    return rows


def plan_index(root: Path, manifest: Path, scans: Scans, fresh: bool = False) -> IndexPlan:
    """Find the files to index, and compare them with an existing manifest.

    Existing rows of files that are not found in root are kept, because the cells that a person filled in are stored
    nowhere else. If one of these files no longer exists, its row gets the problem "not found".

    Args:
        root: folder of footage, or a manifest that lists files.
        manifest: the manifest to write; may exist.
        scans: stored measurements of files.
        fresh: make the measured columns of all files again, also of those that have not changed. Stored measurements
            are used.

    Raises:
        UserError: root contains no footage or lists none; or `manifest` exists, but was not made by this module or
            lists no file of root.
    """
    is_table = root.suffix in TABLE_SUFFIXES
    entries = read_rows(root) if is_table else []
    if is_table:
        check_paths(root, entries)
    listed = _by_path(entries, root.parent)
    files = list(listed) if is_table else [absolute_path(path) for path in find_footage(root)]
    unnamed = [path for path in files if str(path).encode(errors="replace").decode() != str(path)]
    files = [path for path in files if path not in unnamed]
    before = _by_path(_read_manifest(manifest), manifest.parent)
    by_digest: dict[str, list[Path]] = defaultdict(list)
    for path, rows in before.items():
        by_digest[rows[0]["sha256"]].append(path)
    scans.make()  # or every file would be listed as one that cannot be used
    tasks = [_task(path, before, by_digest, listed.get(path, []), scans, fresh) for path in files]
    taken = {task.old_path for task in tasks}
    if before and taken == {None}:
        raise UserError(manifest, f"lists no file of {root}, but files of other footage", "choose another output=")
    others = [(path, row) for path, rows in before.items() if path not in taken for row in rows]
    kept = [row if path.exists() else row | {"problem": NOT_FOUND} for path, row in others]
    problems = {ascii(str(path)): "has a name that is not valid Unicode; rename it" for path in unnamed}
    return IndexPlan(root, manifest, tasks, kept, problems)


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
    scans: Scans,
    fresh: bool,
) -> IndexTask:
    rows, old_path = before.get(path, []), path if path in before else None
    if not (path.is_file() or path.is_dir()):
        return IndexTask(path, Stamp(0, 0), rows or listed, old_path=old_path)
    stamp = stamp_of(path)
    if not fresh and rows and _is_measured(rows[0]) and is_unchanged(rows[0], stamp):
        return IndexTask(path, stamp, rows, rows[0]["sha256"], rows[0], old_path)
    digest = scans.digest(path)
    copies = by_digest.get(digest, [])
    is_new = not rows or rows[0]["sha256"] not in {"", digest}  # files may also have exchanged their names
    gone = (other for other in copies if not other.exists() or scans.digest(other) != digest)
    moved = next(gone, None) if is_new else None
    measured = (before[other][0] for other in copies if not fresh and _is_measured(before[other][0]))
    previous = before[moved] if moved else rows or listed
    return IndexTask(path, stamp, previous, digest, next(measured, None), moved or old_path)


def _is_measured(row: TextRow) -> bool:
    return row["indexed"] == VERSION and row["problem"] != NOT_FOUND


def build_index(plan: IndexPlan, model: ContentModel, scans: Scans) -> Index:
    """Measure files and build the rows of a manifest: properties, scene cuts, suggested content type and so on.

    If a file cannot be used, the column `problem` of its row contains the reason.

    Args:
        plan: result of `plan_index`.
        model: suggests content types.
        scans: stored measurements of files.
    """
    index, names = Index(problems=dict(plan.unnamed)), _names([task.path for task in plan.tasks], plan.root)
    with progress_bar("indexing", sum(task.stamp.bytes for task in plan.tasks), "bytes") as update:
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
                index.rows.append(
                    merge_row(row, found, path, name=names[task.path], stamp=task.stamp, digest=task.digest)
                )
            update(advance=task.stamp.bytes)
    index.rows += [dict[str, object](dict.fromkeys(COLUMNS, "") | row) for row in plan.other_rows]
    index.problems |= {row["path"]: NOT_FOUND for row in plan.other_rows if row["problem"] == NOT_FOUND}
    return index


def _measure(task: IndexTask, model: ContentModel, scans: Scans) -> Row:
    try:
        row = measured_columns(open_footage(task.path), scans.get(task.path), model)
    except UserError as error:
        return {"problem": str(error).removeprefix(f"{task.path}: ")}
    if made := find_disclosure(task.path):
        row["problem"] = f"cannot be used as HR: {made}; empty this cell to use it anyway"
    order = str(row.get("field_order", ""))
    if order.startswith(("interlaced", "telecined")):
        row["problem"] = f"is {order} (found in its pixels); deinterlace the file first"
    return row


def _names(paths: list[Path], root: Path) -> dict[Path, str]:
    """Names of files: paths below root without suffix, or with it if two files would have the same name."""
    home = absolute_path(root if root.is_dir() else root.parent)
    whole = {path: (path.relative_to(home) if path.is_relative_to(home) else path).as_posix() for path in paths}
    short = {path: Path(name).with_suffix("").as_posix() if path.is_file() else name for path, name in whole.items()}
    count = Counter(short.values())
    return {path: whole[path] if count[short[path]] > 1 else short[path] for path in paths}
