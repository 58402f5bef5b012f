"""The ledger: what is done is not done again, unless something that it depends on changed."""

import os
from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.fleet import Ledger


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
    with Ledger(ledger), pytest.raises(UserError, match="another process may write"):
        Ledger(ledger)


def test_another_file_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("the notes of somebody, which must not be lost" * 100)
    with pytest.raises(UserError, match="is no ledger"):
        Ledger(path)
    assert path.read_text().startswith("the notes of somebody")
