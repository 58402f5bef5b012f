"""vsr-lab footage index: the manifest (table of files and their properties) of a folder of footage."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from vsr_lab.cli.app import check_place
from vsr_lab.cli.configuration.schema import Bool, Command, FolderPath, Seed
from vsr_lab.cli.show import show_facts, show_left_out, show_table
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.parts import FilePath, Number, Text
from vsr_lab.core.ranges import distinct
from vsr_lab.curation import ContentModel, Index, Scans, build_index, fill_splits, plan_index
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
    content_model: ContentModel

    def without_effect(self) -> dict[str, str]:
        return dict.fromkeys(("split_names", "seed"), "split is null") if self.split is None else {}


def run(config: IndexConfig) -> None:
    """Write the manifest, or update an existing one."""
    manifest = config.output or config.run_dir / "manifest.csv"
    if manifest.suffix not in TABLE_SUFFIXES:
        raise UserError("output", f"must end in {' or '.join(sorted(TABLE_SUFFIXES))}, got {manifest}")
    if manifest.is_symlink():  # the link would be replaced, and the table that it leads to would stay as it is
        raise UserError(manifest, "is a symbolic link", "set output= to the file that it leads to")
    if config.output is None:
        check_place(config)
    while (index := _indexed(config, manifest)) is None:
        pass  # again, which is fast: the files are measured
    _show(index)
    show_facts("indexed", {"manifest": manifest})


def _indexed(config: IndexConfig, manifest: Path) -> Index | None:
    """Write the manifest. Returns None if the file was changed by somebody else while the footage was measured."""
    scans, before = Scans(config.scans), _digest(manifest)
    plan = plan_index(config.root, manifest, scans, config.fresh)
    index = build_index(plan, config.content_model, scans)
    if _digest(manifest) != before:
        return None
    write_rows(manifest, index.rows)  # so that its rows can be read as shots
    if config.split is not None:
        before = _digest(manifest)
        fill_splits(index.rows, manifest, scans, share=config.split, names=config.split_names, seed=config.seed)
        if _digest(manifest) != before:
            return None
        write_rows(manifest, index.rows)
    return index


def _digest(manifest: Path) -> str:
    return sha256(manifest) if manifest.exists() else ""


def _show(index: Index) -> None:
    kinds: dict[str, list[float]] = {}
    for row in index.rows:
        if not row["problem"]:
            kind = str(row["content_type"] or f"{row['suggested_content']} (suggested)")
            kinds.setdefault(kind, []).append(float(str(row["duration"] or 0)))
    rows = [[kind, str(len(times)), f"{sum(times):.0f} s"] for kind, times in sorted(kinds.items())]
    title = f"{len(index.rows)} rows: {index.new} measured, {index.kept} unchanged, {index.moved} moved or copied"
    show_table(title, ["content type", "clips", "length"], rows)
    show_left_out(f"{path}: {problem}" for path, problem in index.problems.items())
