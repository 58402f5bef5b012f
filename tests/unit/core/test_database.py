"""SQLite files: one of other origin is never changed, and errors name the file."""

import os
import signal
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from vsr_lab.core.database import Database
from vsr_lab.core.errors import UserError

TABLES = ("CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT)",)


def test_what_is_written_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "notes.sqlite"
    with Database(path, TABLES, "hint") as notes, notes.transaction():
        notes.execute("INSERT INTO note VALUES (?, ?)", (1, "a"))
    with Database(path, TABLES, "hint") as notes:
        assert notes.execute("SELECT * FROM note") == [(1, "a")]


def test_a_transaction_is_kept_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with Database(tmp_path / "notes.sqlite", TABLES, "hint") as notes:
        with pytest.raises(KeyError), notes.transaction():
            notes.execute("INSERT INTO note VALUES (1, 'a')")
            raise KeyError
        assert notes.execute("SELECT * FROM note") == []


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with Database(tmp_path / "notes.sqlite", TABLES, "hint") as notes:
        notes.execute("PRAGMA max_page_count = 5")
        with pytest.raises(UserError, match=r"notes\.sqlite: cannot be used \(database or disk is full\); hint"):
            for number in range(1000):
                notes.execute("INSERT INTO note VALUES (?, ?)", (number, "x" * 1000))


@pytest.mark.parametrize(("exclusive", "reason"), [(True, "in use by another process"), (False, "")])
def test_another_process_is_kept_out_on_request(tmp_path: Path, exclusive: bool, reason: str) -> None:
    path = tmp_path / "notes.sqlite"
    with Database(path, TABLES, "hint", exclusive=exclusive):
        if not reason:
            Database(path, TABLES, "hint").__exit__()
            return
        with pytest.raises(UserError, match=reason):
            Database(path, TABLES, "hint", exclusive=True)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    killed = os.fork()
    if not killed:
        notes = Database(path, TABLES, "hint", exclusive=True)
        notes.execute("INSERT INTO note VALUES (1, 'a')")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(killed, 0)
    assert path.with_name("notes.sqlite-journal").exists()
    with Database(path, TABLES, "hint", exclusive=True) as notes:
        assert notes.execute("SELECT * FROM note") == [(1, "a")]
    assert [file.name for file in tmp_path.iterdir()] == ["notes.sqlite"]


def test_a_folder_or_device_is_no_database(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero")):
        with pytest.raises(UserError, match=r"is a folder|not a regular file"):
            Database(path, TABLES, "hint")


def test_a_journal_that_names_another_file_is_refused(tmp_path: Path) -> None:
    path, film, magic = tmp_path / "notes.sqlite", tmp_path / "film.mkv", bytes.fromhex("d9d505f920a163d7")
    film.write_text("recorded")
    Database(path, TABLES, "hint").__exit__()
    name, block = str(film).encode(), 0x40000000 // 4096 + 1
    header = (magic + struct.pack(">5I", 0, 0, path.stat().st_size // 4096, 512, 4096)).ljust(512, b"\0")
    end = struct.pack(">I", block) + name + struct.pack(">2I", len(name), sum(name)) + magic
    path.with_name("notes.sqlite-journal").write_bytes(header + end)
    with pytest.raises(UserError, match=r"notes\.sqlite-journal: was not written by vsr_lab; hint"):
        Database(path, TABLES, "hint")
    assert film.read_text() == "recorded"


def test_a_file_of_another_program_is_refused_before_its_unfinished_changes_are_undone(tmp_path: Path) -> None:
    source, copy = tmp_path / "theirs.db", tmp_path / "copy.db"
    with closing(sqlite3.connect(source, isolation_level=None)) as db:
        db.execute("CREATE TABLE theirs (text)")
        db.execute("PRAGMA cache_size = 5")
        db.execute("BEGIN")
        db.executemany("INSERT INTO theirs VALUES (?)", [("x" * 1000,)] * 500)  # more than the cache: it is written
        for name in ("", "-journal"):
            copy.with_name(f"copy.db{name}").write_bytes(source.with_name(f"theirs.db{name}").read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.glob("copy.db*")}
    assert len(before) == 2
    with pytest.raises(UserError, match="was not written by this version of vsr_lab"):
        Database(copy, ["CREATE TABLE ours (text)"], "move it")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("copy.db*")} == before


def test_a_link_is_refused(tmp_path: Path) -> None:
    Database(tmp_path / "notes.sqlite", TABLES, "hint").__exit__()
    (tmp_path / "link.sqlite").symlink_to("notes.sqlite")
    with pytest.raises(UserError, match=r"link\.sqlite: is a symbolic link; hint"):
        Database(tmp_path / "link.sqlite", TABLES, "hint")
