"""Manifests: tables of footage, read by `footage.shots`. The columns are listed in data/README.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.footage.tables import write_rows


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows (column -> value) atomically. Columns may be missing in a row."""
    write_rows(path, rows)
