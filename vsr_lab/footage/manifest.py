"""Manifests: tables of footage, read by `footage.shots`; data/README.md lists the columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.footage.tables import write_rows


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows (column -> value) in one step; a row may leave out columns that others have."""
    write_rows(path, rows)
