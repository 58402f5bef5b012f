"""Record of finished tasks in an SQLite file, to which only the process that distributes the tasks writes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsr_lab.core.database import Database, Row
from vsr_lab.core.files import digest_of

Stamp = tuple[int, int]
_NONE: Mapping[Path, Stamp] = {}
_TABLES = (
    "CREATE TABLE task (key TEXT PRIMARY KEY, settings TEXT NOT NULL, done INTEGER NOT NULL, error TEXT NOT NULL)",
    "CREATE TABLE file (key TEXT, path BLOB, sha256 TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,"
    " PRIMARY KEY (key, path))",
)


class Ledger(Database):
    """SQLite file that records which tasks are done, with their settings and the files that they read and wrote.

    The object is a context manager. In its methods, `key` is the name of a task, and `settings` a hash of all settings
    of the task.

    Args:
        path: the SQLite file; it is created if it does not exist.

    Raises:
        UserError: the file contains something else, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        super().__init__(path, _TABLES, "move it, or choose another output=", exclusive=True)

    def is_begun(self, key: str, settings: str) -> bool:
        """Whether a task was started with these settings and has not failed; it may be finished or interrupted."""
        return self.execute("SELECT settings, error FROM task WHERE key = ?", (key,)) == [(settings, "")]

    def is_done(self, key: str, settings: str) -> bool:
        """Whether a task was finished with these settings, and files that it read or wrote have not changed since."""
        found = self.execute("SELECT 1 FROM task WHERE key = ? AND settings = ? AND done", (key, settings))
        columns = "CAST(path AS BLOB), sha256, size, modified"  # the file may come from others
        files = self.execute(f"SELECT {columns} FROM file WHERE key = ?", (key,))
        return bool(found) and all(self._is_same(*file) for file in files)

    def begin(self, key: str, settings: str) -> None:
        """Record that a task is about to begin."""
        self._write(key, settings, done=False)

    def finish(self, key: str, settings: str, files: Mapping[Path, str], before: Mapping[Path, Stamp] = _NONE) -> None:
        """Record that a task is done.

        Args:
            key, settings: the task.
            files: path -> SHA-256 of each file that the task read or wrote.
            before: path -> `stamp` of files before the task read them; others may have changed them meanwhile.
        """
        stamps = {path: before[path] if path in before else stamp(path) for path in files}
        rows = [(key, self._relative(path), digest, *stamps[path]) for path, digest in files.items()]
        self._write(key, settings, done=True, rows=rows)

    def fail(self, key: str, settings: str, error: str) -> None:
        """Record that a task failed, and why."""
        self._write(key, settings, done=False, error=error)

    def _write(self, key: str, settings: str, *, done: bool, error: str = "", rows: Sequence[Row] = ()) -> None:
        with self.transaction():
            self.execute("DELETE FROM file WHERE key = ?", (key,))
            self.execute("INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?)", (key, settings, done, error))
            for row in rows:
                self.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", row)

    def _relative(self, path: Path) -> bytes:
        return os.fsencode(os.path.relpath(path, self._folder))  # so that they can be moved together

    def _is_same(self, path: object, digest: str, size: int, modified: int) -> bool:
        """Whether a file or folder of images is as recorded; a file of the same size and time is not read again."""
        if not isinstance(path, bytes):  # of a ledger that was changed
            return False
        file = self._folder / os.fsdecode(path)
        same = file.is_file() and stamp(file) == (size, modified)
        return same or (file.exists() and digest_of(file) == digest)


def stamp(path: Path) -> Stamp:
    """Size of a file in bytes, and when it was changed, in nanoseconds."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
