"""SQLite files that vsr_lab writes. SQLite files of other origin are never changed."""

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import check_file, make_folder

Row = tuple[Any, ...]

_TABLES = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # end of a journal of several databases, which vsr_lab never writes


class Database:
    """An SQLite file, open until the end of a `with` block. Threads may share it, but not during a `transaction`.

    Args:
        path: the file; it is created if it does not exist.
        tables: a CREATE TABLE statement for each table. A file with other tables is refused before it is changed.
        hint: hint at the end of error messages.
        exclusive: if True, no other process can use the file while it is open here.

    Raises:
        UserError: the file has other tables, is damaged, cannot be written, or is used by another process.
    """

    def __init__(self, path: Path, tables: Sequence[str], hint: str, *, exclusive: bool = False) -> None:
        self._path, self._hint = path, hint
        make_folder(path.parent)
        if path.is_symlink():  # SQLite would use the journal beside the file that it leads to
            raise UserError(path, "is a symbolic link", hint)
        if path.exists():
            check_file(path, hint)
        self._check_journals()
        self._check_tables(tables)
        with self._named():
            self._db = sqlite3.connect(
                path.absolute(), 0 if exclusive else 5, isolation_level=None, check_same_thread=False
            )
        try:
            self.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if exclusive else 'NORMAL'}")
            with self.transaction():
                for statement in [] if self.execute(_TABLES) else tables:
                    self.execute(statement)
            if (problem := self.execute("PRAGMA quick_check(1)")[0][0]) != "ok":
                raise UserError(path, f"is damaged ({' '.join(str(problem).split())})", hint)
            if exclusive:
                self.execute("PRAGMA user_version = 1")  # a journal that a killed process left is removed by a change
        except BaseException:
            self._db.close()
            raise

    def _check_journals(self) -> None:
        """Raise UserError if a journal of the file is not from vsr_lab: its end can name a file that SQLite deletes."""
        for journal in (self._path.with_name(f"{self._path.name}{kind}") for kind in ("-journal", "-wal")):
            if not (journal.exists() or journal.is_symlink()):
                continue
            check_file(journal, self._hint)
            with journal.open("rb") as file:
                file.seek(-min(len(_JOURNAL), journal.stat().st_size), os.SEEK_END)
                if journal.is_symlink() or journal.name.endswith("-wal") or file.read() == _JOURNAL:
                    raise UserError(journal, "was not written by vsr_lab", self._hint)

    def _check_tables(self, tables: Sequence[str]) -> None:
        """Raise UserError if the file has other tables.

        The file is read as if it could not change, since SQLite would otherwise undo what another program left
        unfinished in it.
        """
        if not self._path.exists():
            return
        unchanging = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
        with self._named(), closing(sqlite3.connect(unchanging, uri=True)) as db:
            found = [sql for (sql,) in db.execute(_TABLES)]
        if found and sorted(found) != sorted(tables):
            raise UserError(self._path, "was not written by this version of vsr_lab", self._hint)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Execute a statement, and return its rows. Raises UserError if the file cannot be read or written."""
        with self._named():
            return self._db.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Context manager that keeps the changes made in its block, or undoes all of them after an exception."""
        self.execute("BEGIN IMMEDIATE")
        with self._named(), self._db:
            yield

    @contextmanager
    def _named(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            is_used = "locked" in str(error)
            problem = "is in use by another process" if is_used else f"cannot be used ({error})"
            raise UserError(self._path, problem, "wait until that process ends" if is_used else self._hint) from error
