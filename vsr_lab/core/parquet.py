"""Reading of Parquet tables."""

from pathlib import Path
from typing import TYPE_CHECKING

from vsr_lab.core.errors import UserError, reported

if TYPE_CHECKING:
    from polars import DataFrame


def read_parquet(path: Path, columns: list[str] | None = None, most: int = 20_000_000) -> "DataFrame":
    """Read a Parquet file into a data frame.

    Args:
        path: the file.
        columns: names of the columns to read; None: all.
        most: maximum number of rows, as protection against files of a few kilobytes with billions of equal rows.

    Raises:
        UserError: the file is damaged, lacks a column, or has too many rows.
    """
    import polars  # takes its time to import: only where there is such a file

    with reported((polars.exceptions.PolarsError, OSError), path, "cannot be read as Parquet ({})", "write it anew"):
        table = polars.scan_parquet(path, glob=False)
        count = table.select(polars.len()).collect().item()
        if count > most:
            raise UserError(path, f"has {count} rows, more than {most}", "split it")
        return (table.select(columns) if columns else table).collect()
