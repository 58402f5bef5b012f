"""Whenever a kill comes while a checkpoint is saved, a whole one is found, and no two names share one file."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.training.checkpoints import LAST, RollingCheckpointIO, newest, previous


class Killed(BaseException):
    """As SIGKILL: nothing that would tidy up for an error does so."""


def save(run: Path, step: int) -> None:
    parts = {
        "state_dict": {"weights": torch.full((100,), step)},
        "optimizer_states": [{}],
        "callbacks": {},
        "loops": {},
    }
    RollingCheckpointIO().save_checkpoint({"global_step": step, "optimizer_states": [{}], **parts}, run / LAST)


def found(run: Path) -> int:
    return newest(run / LAST)[1]["global_step"]


def kill_at(monkeypatch: pytest.MonkeyPatch, owner: Any, function: str, call: int) -> None:
    """The run dies instead of making the call with this number, counted from 1."""
    original, calls = getattr(owner, function), []

    def dying(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == call:
            raise Killed
        return original(*arguments)

    monkeypatch.setattr(owner, function, dying)


WINDOWS = {
    "while the new one is written": (os, "fsync", 1),
    "before the old one is moved": (Path, "replace", 1),
    "between the two moves": (Path, "replace", 2),
}


def killed_at_the_third(run: Path, monkeypatch: pytest.MonkeyPatch, window: str) -> None:
    """Two checkpoints saved, and a kill in the given window of the third."""
    save(run, 1)
    save(run, 2)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, *WINDOWS[window])
        save(run, 3)


@pytest.mark.parametrize("window", WINDOWS)
def test_a_kill_while_saving_leaves_the_last_one_to_be_found_and_the_next_run_saves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    killed_at_the_third(tmp_path, monkeypatch, window)
    assert found(tmp_path) == 2
    save(tmp_path, 4)
    assert found(tmp_path) == 4
    names = [path.name for path in (tmp_path / LAST.parent).iterdir()]
    assert sorted(names) == ["last.ckpt", "last.previous.ckpt"]
    assert torch.load(previous(tmp_path / LAST), weights_only=True)["global_step"] == 2


@pytest.mark.parametrize("window", WINDOWS)
def test_what_spoils_the_last_one_never_spoils_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: str
) -> None:
    killed_at_the_third(tmp_path, monkeypatch, window)
    last = tmp_path / LAST
    if last.exists():  # after the first move it is gone by itself
        os.truncate(last, last.stat().st_size // 2)
        assert found(tmp_path) == 1
    else:
        assert found(tmp_path) == 2


def test_a_full_disk_keeps_what_was_there_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fsync", full)
        save(tmp_path, 2)
    assert found(tmp_path) == 1
    assert [path.name for path in (tmp_path / LAST.parent).iterdir()] == ["last.ckpt"]


def test_no_checkpoint_at_all_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"last\.ckpt: not found"):
        found(tmp_path)


def test_a_broken_one_with_nothing_before_it_is_named(tmp_path: Path) -> None:
    save(tmp_path, 1)
    os.truncate(tmp_path / LAST, 100)
    with pytest.raises(UserError, match="cannot be loaded"):
        found(tmp_path)


def test_links_and_paths_of_others_are_not_followed(tmp_path: Path) -> None:
    film, folder = tmp_path / "film.mkv", tmp_path / "films"
    film.write_text("recorded")
    folder.mkdir()
    (folder / "a.mkv").touch()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/.last.ckpt").symlink_to(film)
    save(tmp_path, 1)
    for path in (film, folder, f"local://{folder}", tmp_path / ".."):
        RollingCheckpointIO().remove_checkpoint(path)
    assert film.read_text() == "recorded"
    assert [*folder.iterdir()] == [folder / "a.mkv"]
    assert found(tmp_path) == 1
    RollingCheckpointIO().remove_checkpoint(tmp_path / LAST)
    assert not (tmp_path / LAST).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"global_step": "x"},
        {"global_step": True},
        {"optimizer_states": []},
        {"optimizer_states": [5]},
        {"callbacks": [1]},
        {"state_dict": 5},
        {"optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(1).expand(10**5, 10**5)}}}]},
    ],
)
def test_a_forged_checkpoint_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    save(tmp_path, 1)
    stored = torch.load(tmp_path / LAST, weights_only=True)
    torch.save({**stored, **change}, tmp_path / LAST)
    with pytest.raises(UserError, match=r"is not a checkpoint of a training|cannot be loaded as a checkpoint of plain"):
        found(tmp_path)
