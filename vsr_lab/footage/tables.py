"""Reading and writing of tables as CSV or Parquet."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, read_parquet, write_text

TABLE_SUFFIXES = frozenset({".csv", ".parquet"})

_MOST_CELLS, _MOST_BYTES = 10_000_000, 1 << 28  # of a table; equal rows of Parquet need hardly any space


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV or Parquet file as one mapping per row, column -> text, with "" for empty cells.

    Raises UserError if the file cannot be read, two columns have one name, columns are not separated by commas, or a
    row has more cells than the header.
    """
    try:
        if path.suffix == ".parquet":
            return _read_parquet(path)
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(path, f"has more than {_MOST_BYTES >> 20} MiB", "split the file")
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            columns = list(reader.fieldnames or ())
            rows = [dict(row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise UserError(path, f"cannot be read ({reason})", "give a CSV file with a column path") from error
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise UserError(path, f"has two columns named {twice[0]}", "rename or remove one of them")
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t|"):
        raise UserError(path, f"has a single column, {columns[0]!r}", "separate columns by commas")
    for number, row in enumerate(rows, 2):
        if "" in row and any(row[""]):
            raise UserError(path, f"line {number} has more cells than the header", "quote cells that contain a comma")
    return [{column: cell or "" for column, cell in row.items() if column} for row in rows]


def lack_of_paths(rows: Sequence[Mapping[str, str]]) -> str:
    """Why the rows of a table name no files, such as "has no rows"; "" if they have a column `path`."""
    return "" if rows and "path" in rows[0] else f"has no {'column `path`' if rows else 'rows'}"


def check_paths(table: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise UserError unless the table has rows, and a column `path`."""
    if lack := lack_of_paths(rows):
        raise UserError(table, lack, "write the path of a clip in each row, in the column `path`")


def _read_parquet(path: Path) -> list[dict[str, str]]:
    rows = read_parquet(path, most=_MOST_CELLS).to_dicts()
    return [{column: "" if cell is None else str(cell) for column, cell in row.items()} for row in rows]


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows to a CSV or Parquet file, atomically; the suffix of the path determines the format.

    Args:
        path: file to write.
        rows: one mapping per row, column -> value; missing columns become empty cells.

    Raises:
        UserError: the suffix is neither .csv nor .parquet.
    """
    if path.suffix not in TABLE_SUFFIXES:
        raise UserError(path, f"must end in {' or '.join(sorted(TABLE_SUFFIXES))}")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if path.suffix == ".parquet":
        import polars

        full = {column: [_cell(row.get(column)) for row in rows] for column in columns}
        with atomic_path(path) as temporary:
            polars.DataFrame(full, strict=False).write_parquet(temporary)
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def _cell(value: object) -> object:
    return None if value == "" else value
