"""The ledger: what is done is not done again, unless something that it depends on changed."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of, sha256
from vsr_lab.fleet import Ledger, stamp


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "out").mkdir()
    paths = [tmp_path / "source", tmp_path / "out" / "result"]
    for path in paths:
        path.write_text(path.name)
    return paths


@pytest.fixture
def ledger(tmp_path: Path, files: list[Path]) -> Path:
    """A ledger in which task "a" was done with settings "x"."""
    path = tmp_path / "out" / "ledger.sqlite"
    with Ledger(path) as opened:
        opened.begin("a", "x")
        assert opened.is_begun("a", "x") and not opened.is_done("a", "x")
        opened.finish("a", "x", {file: sha256(file) for file in files})
    return path


def test_what_is_done_is_known_after_a_restart(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        assert opened.is_done("a", "x")
        assert not opened.is_done("a", "y") and not opened.is_done("b", "x")


def test_a_file_with_the_same_content_is_the_same(ledger: Path, files: list[Path]) -> None:
    os.utime(files[0], ns=(1, 1))
    with Ledger(ledger) as opened:
        assert opened.is_done("a", "x")


@pytest.mark.parametrize("number", [0, 1])
def test_a_changed_or_missing_file_is_not_done(ledger: Path, files: list[Path], number: int) -> None:
    files[number].write_text("other content")
    with Ledger(ledger) as opened:
        assert not opened.is_done("a", "x")
    files[number].unlink()
    with Ledger(ledger) as opened:
        assert not opened.is_done("a", "x")


def test_a_file_that_was_replaced_while_the_task_read_it_is_not_done(ledger: Path, files: list[Path]) -> None:
    before, digest = {files[0]: stamp(files[0])}, sha256(files[0])
    files[0].write_text("newer content")
    with Ledger(ledger) as opened:
        opened.finish("a", "x", {files[0]: digest}, before)
        assert not opened.is_done("a", "x")


def test_a_folder_of_images_is_the_same_as_long_as_its_files_are(ledger: Path, files: list[Path]) -> None:
    folder = files[0].parent
    with Ledger(ledger) as opened:
        opened.finish("images", "x", {folder: digest_of(folder)})
        assert opened.is_done("images", "x")
        files[0].write_text("other content")
        assert not opened.is_done("images", "x")


def test_files_may_be_moved_together(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    for name in ("out", "source"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    with Ledger(tmp_path / "moved" / "out" / "ledger.sqlite") as opened:
        assert opened.is_done("a", "x")


def test_a_failed_task_is_neither_done_nor_begun(ledger: Path) -> None:
    with Ledger(ledger) as opened:
        opened.fail("a", "x", "is damaged")
        assert not opened.is_done("a", "x") and not opened.is_begun("a", "x")


def test_only_one_process_may_use_it(ledger: Path) -> None:
    with Ledger(ledger), pytest.raises(UserError, match="in use by another process"):
        Ledger(ledger)


def write_database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def foreign(path: Path) -> None:
    write_database(path, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('irreplaceable')")


def text(path: Path) -> None:
    path.write_text("the notes of somebody, which must not be lost" * 100)


def of_another_version(path: Path) -> None:
    with Ledger(path):
        pass
    write_database(path, "ALTER TABLE task ADD COLUMN priority INTEGER")


def with_a_trigger(path: Path) -> None:
    with Ledger(path):
        pass
    write_database(path, "CREATE TRIGGER t AFTER INSERT ON task BEGIN UPDATE task SET done = 1; END")


def damaged(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in range(100):
            ledger.begin(f"{number}" * 50, "x")
    data = bytearray(path.read_bytes())
    data[3 * 4096 : 5 * 4096] = b"\xa5" * 8192
    path.write_bytes(data)


@pytest.mark.parametrize("make", [foreign, text, of_another_version, with_a_trigger, damaged])
def test_a_file_that_is_no_ledger_is_refused_unchanged(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "ledger.sqlite"
    make(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"ledger\.sqlite: (was not written by|cannot be used|is damaged)"):
        Ledger(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a symbolic link"):
        Ledger(tmp_path / "ledger.sqlite")
    assert not (tmp_path / "elsewhere").exists()


def test_what_others_wrote_into_it_is_not_done(ledger: Path) -> None:
    for path in (4711, b"\xff\0", "../" * 99, "\0"):
        with closing(sqlite3.connect(ledger)) as database, database:
            database.execute("UPDATE file SET path = ? WHERE rowid = 1", (path,))
        with Ledger(ledger) as opened:
            assert not opened.is_done("a", "x")


def test_a_path_that_is_none_is_not_done(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as opened:
        opened.execute("UPDATE file SET path = NULL")
        opened.commit()
    with Ledger(ledger) as opened:
        assert not opened.is_done("a", "x")
