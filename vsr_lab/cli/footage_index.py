"""vsr-lab footage index: the manifest of a folder of footage."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from vsr_lab.cli.choosing import ContentModelConfig
from vsr_lab.cli.config import Bool, Command, FolderPath, Seed
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Number, Text
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.ranges import distinct
from vsr_lab.curation import (
    Index,
    Row,
    Scans,
    SourceGroup,
    assign_splits,
    build_index,
    fingerprint_shot,
    near_duplicates,
    plan_index,
)
from vsr_lab.footage.shots import find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES, write_rows


class IndexConfig(Command):
    """Write a manifest of a folder of footage.

    Example: vsr-lab footage index archive/
    """

    root: FilePath
    output: FilePath | None
    fresh: Bool
    split: Annotated[Number, Field(gt=0, lt=1)] | None
    split_names: Annotated[tuple[Text, Text], AfterValidator(distinct)]
    seed: Seed
    scans: FolderPath
    content_model: ContentModelConfig

    def without_effect(self) -> dict[str, str]:
        return dict.fromkeys(("split_names", "seed"), "split is null") if self.split is None else {}


def run(config: IndexConfig) -> None:
    """Write the manifest, or update an existing one."""
    manifest = config.output or config.run_dir / "manifest.csv"
    if manifest.suffix not in TABLE_SUFFIXES:
        raise UserError(f"output={manifest}", "is no table", f"end it in {' or '.join(sorted(TABLE_SUFFIXES))}")
    model, scans = config.content_model.build(), Scans(config.scans)
    plan = plan_index(config.root, manifest, config.fresh)
    total = sum(task.stamp.bytes for task in plan.tasks)
    with progress_bar("indexing", total, "bytes", console=console) as update:
        index = build_index(plan, model, scans, lambda task: update(advance=task.stamp.bytes))
    write_rows(manifest, index.rows)  # so that its rows can be read as shots
    if config.split is not None:
        _assign_splits(index.rows, config.split, manifest, scans, config)
        write_rows(manifest, index.rows)
    _show(index)
    show_files("indexed", {"manifest": manifest})


def _assign_splits(rows: list[Row], share: float, manifest: Path, scans: Scans, config: IndexConfig) -> None:
    """Fill the empty cells of the column split, by source and by near-duplicates."""
    usable = [row for row in rows if not row["problem"]]
    clips = [
        SourceGroup(
            source=str(row["source"] or row["path"]),
            split=str(row["split"]),
            kind=str(row["content_type"] or row["suggested_content"]),
            seconds=float(str(row["duration"] or 0)),
        )
        for row in usable
    ]
    shots = [
        fingerprint_shot(shot, "", scans.get(shot.path, str(row["sha256"])))
        for shot, row in zip(find_shots(manifest), usable, strict=True)
    ]
    splits = assign_splits(clips, near_duplicates(shots), share, config.split_names, config.seed)
    for row, split in zip(usable, splits, strict=True):
        row["split"] = split


def _show(index: Index) -> None:
    kinds: dict[str, list[float]] = {}
    for row in index.rows:
        if not row["problem"]:
            kind = str(row["content_type"] or f"{row['suggested_content']} (suggested)")
            kinds.setdefault(kind, []).append(float(str(row["duration"] or 0)))
    rows = [[kind, str(len(times)), f"{sum(times):.0f} s"] for kind, times in sorted(kinds.items())]
    title = f"{len(index.rows)} rows: {index.new} measured, {index.kept} unchanged, {index.moved} moved or copied"
    show_table(title, ["content type", "clips", "length"], rows)
    for path, problem in index.problems.items():
        console.print(f"left out: {path}: {problem}", style="yellow", soft_wrap=True, markup=False)
