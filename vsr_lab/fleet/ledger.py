"""Record of finished tasks in an SQLite file, which only the process that distributes the tasks writes to."""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import make_folder, sha256

_VERSION = 1
_TABLES = """
CREATE TABLE task (key TEXT PRIMARY KEY, settings TEXT NOT NULL, done INTEGER NOT NULL, error TEXT NOT NULL);
CREATE TABLE file (
    key TEXT REFERENCES task, path TEXT, sha256 TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
    PRIMARY KEY (key, path)
);
"""


class Ledger:
    """SQLite file that records which tasks are done, with their settings and the files that they read and wrote.

    It is a context manager.

    Args:
        path: the SQLite file; it is created if it does not exist.

    Raises:
        UserError: the file is not such a record, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._folder = path.parent
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            if not tables:
                for statement in _TABLES.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._db.close()
            raise UserError(path, f"cannot be used ({error})", "another process may write the same output=") from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise UserError(path, "is no ledger", "move it, or choose another output=") from error
        if tables and version != _VERSION:
            self._db.close()
            raise UserError(path, "is no ledger of this version of vsr_lab", "move it, or choose another output=")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def is_begun(self, key: str, settings: str) -> bool:
        """Whether a task was started with these settings and has not failed; it may be finished or interrupted."""
        found = self._db.execute("SELECT settings, error FROM task WHERE key = ?", (key,)).fetchone()
        return found == (settings, "")

    def is_done(self, key: str, settings: str) -> bool:
        """Whether a task was finished with these settings, and its files have not changed since."""
        found = self._db.execute("SELECT 1 FROM task WHERE key = ? AND settings = ? AND done", (key, settings))
        files = self._db.execute("SELECT path, sha256, size, modified FROM file WHERE key = ?", (key,)).fetchall()
        return found.fetchone() is not None and all(self._is_same(*file) for file in files)

    def begin(self, key: str, settings: str) -> None:
        """Record that a task is about to begin."""
        self._write(key, settings, done=False)

    def finish(self, key: str, settings: str, files: Mapping[Path, str]) -> None:
        """Record that a task is done; files: the files that it read and wrote -> their SHA-256."""
        self._write(key, settings, done=True, files=files)

    def fail(self, key: str, settings: str, error: str) -> None:
        """Record that a task failed, and why."""
        self._write(key, settings, done=False, error=error)

    def _write(
        self, key: str, settings: str, *, done: bool, error: str = "", files: Mapping[Path, str] | None = None
    ) -> None:
        rows = [(key, self._relative(path), digest, *_stamp(path)) for path, digest in (files or {}).items()]
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM file WHERE key = ?", (key,))
            self._db.execute("INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?)", (key, settings, done, error))
            self._db.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", rows)

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self._folder)  # so that they can be moved together

    def _is_same(self, path: str, digest: str, size: int, modified: int) -> bool:
        """Whether a file is as it was recorded; its content is only read where its size or time differ."""
        file = self._folder / path
        return file.is_file() and (_stamp(file) == (size, modified) or sha256(file) == digest)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
