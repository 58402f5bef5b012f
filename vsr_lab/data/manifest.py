"""manifest.csv: which footage there is. `core.shots` reads it; data/README.md has the columns."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.core.files import write_text


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows (column -> value) in one step; a row may leave out columns that others have."""
    text = io.StringIO()
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
