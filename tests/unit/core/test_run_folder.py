"""Run folders: what may be renamed, by whom, and when."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsr_lab.cli.train_config import TrainConfig
from vsr_lab.core import run_folder
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, write_text
from vsr_lab.core.run_folder import (
    begin_folder,
    continue_folder,
    end_run,
    is_saved,
    is_unfinished,
    lock_folder,
    remove_unfinished,
)

CONFIG = "seed: 0\nrun_dir: here\ncontent: x\n"
MARKS = run_folder.MARKS


@pytest.fixture(autouse=True)
def _unlocked() -> Iterator[None]:
    yield
    for folder in list(run_folder._locks):
        run_folder.unlock_folder(folder)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def begun(folder: Path) -> Path:
    begin_folder(folder, overwrite=False, config=CONFIG)
    return folder


def finished(folder: Path) -> Path:
    begun(folder)
    (folder / "metrics.csv").touch()
    end_run(folder)
    return folder


def abandoned(path: Path, process: int = 2**22 + 1) -> Path:
    """Temporary name for a file, of a process, by default one that does not run."""
    with atomic_path(path) as own:
        own.touch()
    path.unlink()
    return own.with_name(own.name.replace(f"-{os.getpid()}.", f"-{process}."))


def test_a_run_folder_is_created_with_its_parents(tmp_path: Path) -> None:
    assert begin_folder(tmp_path / "a" / "b", overwrite=False, config=CONFIG)
    assert names(tmp_path / "a" / "b") == MARKS


def test_a_finished_run_is_replaced_only_when_asked(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    with pytest.raises(UserError, match="overwrite=true"):
        begin_folder(run, overwrite=False, config=CONFIG)
    assert "metrics.csv" in names(run)
    for n in (1, 2):
        assert begin_folder(run, overwrite=True, config=CONFIG)
        assert names(run) == MARKS
        end_run(run)
        assert names(tmp_path) == {"run", *(f"run.old-{i}" for i in range(1, n + 1))}
    assert names(tmp_path / "run.old-1") == {*MARKS, "metrics.csv"} - {run_folder.UNFINISHED}


def test_a_stopped_run_is_begun_again_unless_it_can_be_resumed(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    run_folder.unlock_folder(run)
    assert is_unfinished(run)
    abandoned(run / "bundle").mkdir()
    assert begin_folder(run, overwrite=False, config=CONFIG)
    assert names(tmp_path) == {"run"}  # nothing was complete
    run_folder.unlock_folder(run)
    (run / "half.csv").touch()
    assert begin_folder(run, overwrite=False, config=CONFIG)
    assert names(tmp_path) == {"run", "run.old-1"}
    run_folder.unlock_folder(run)
    (run / "checkpoints").mkdir()
    (run / "checkpoints/last.ckpt").touch()
    with pytest.raises(UserError, match=f"resume={run}"):
        begin_folder(run, overwrite=False, config=CONFIG)
    assert is_saved(run)


@pytest.mark.parametrize("name", ["half.csv", "notes.txt", ".env", "pictures/mine/sr.png", "bundle/notes.txt"])
def test_what_a_stopped_run_wrote_is_kept_for_an_equal_one(tmp_path: Path, name: str) -> None:
    def is_new(config: str = CONFIG, overwrite: bool = False) -> bool:
        found = begin_folder(tmp_path / "run", overwrite, config, continued=True)
        run_folder.unlock_folder(tmp_path / "run")
        return found

    is_new()
    (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "run" / name).write_text(name)
    assert not is_new()
    assert (tmp_path / "run" / name).read_text() == name
    assert is_new(CONFIG.replace("0", "1"))
    assert names(tmp_path / "run") == MARKS
    assert (tmp_path / "run.old-1" / name).read_text() == name
    assert is_new(CONFIG.replace("0", "1"), overwrite=True)


@pytest.mark.parametrize(
    "config",
    [None, "title: my thesis\n", "kind: screen\nrun_dir: here\nsize:\n- 1\n"],
    ids=["no config.yaml", "a config.yaml without run_dir", "another command's"],
)
def test_a_folder_of_others_is_never_renamed(tmp_path: Path, config: str | None) -> None:
    (tmp_path / "thesis.txt").touch()
    if config is not None:
        (tmp_path / "config.yaml").write_text(config)
    before = names(tmp_path)
    with pytest.raises(UserError, match="no run of this command"):
        begin_folder(tmp_path, overwrite=True, config=CONFIG)
    assert names(tmp_path) == before


def test_a_folder_that_contains_another_run_is_never_renamed(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    (run / "wandb/run-1/files").mkdir(parents=True)
    (run / "wandb/run-1/files/config.yaml").write_text("run_dir:\n  value: x\n")  # a logger's, of this run
    assert begin_folder(run, overwrite=True, config=CONFIG)
    end_run(run)
    finished(run / "trained/it")
    with pytest.raises(UserError, match=r"contains another run, .*trained/it"):
        begin_folder(run, overwrite=True, config=CONFIG)
    assert (run / "trained/it/metrics.csv").exists()
    assert begin_folder(run, overwrite=True, config=CONFIG, has_runs=True)
    assert (tmp_path / "run.old-2/trained/it/metrics.csv").exists()


def test_runs_inside_are_renamed_with_the_folder_unless_one_is_in_use(tmp_path: Path) -> None:
    """As the runs of a demo, one of which is resumed in another process."""
    outer = finished(tmp_path / "demo")
    inner = finished(outer / "train" / "film")
    code = "import sys, filelock as f; a = f.FileLock(sys.argv[1]); a.acquire(); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, inner / ".lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "1\n"
        with pytest.raises(UserError, match="film: is in use by another process"):
            begin_folder(outer, overwrite=True, config=CONFIG, has_runs=True)
        assert inner.is_dir()
        other.communicate("\n")
    run_folder.unlock_folder(outer)
    assert begin_folder(outer, overwrite=True, config=CONFIG, has_runs=True)
    assert (tmp_path / "demo.old-1/train/film/metrics.csv").is_file()


@pytest.mark.parametrize("name", [".env", ".git/HEAD", ".clips/c1.json"])
def test_hidden_files_of_others_are_files_of_others(tmp_path: Path, name: str) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(UserError, match="no run of this command"):
        begin_folder(tmp_path / "run", overwrite=True, config=CONFIG)
    assert path.exists()


def test_a_file_that_another_process_is_writing_stays(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    at_work = abandoned(run / "movie.mkv", os.getppid())
    at_work.touch()
    remove_unfinished(run)
    assert names(run) == {at_work.name, *MARKS}
    remove_unfinished(run, keep="*.ckpt")
    assert names(run) == {at_work.name}
    with pytest.raises(UserError, match="no run of this command"):
        begin_folder(run, overwrite=False, config=CONFIG)


def test_what_a_kill_leaves_is_no_run(tmp_path: Path) -> None:
    temporary = (abandoned(tmp_path / name).name for name in (run_folder.RUN_MARK, run_folder.UNFINISHED))
    for name in (run_folder.LOCK, run_folder.UNFINISHED, *temporary):
        (tmp_path / name).touch()
    assert begin_folder(tmp_path, overwrite=False, config=CONFIG)
    assert names(tmp_path) == MARKS


def test_a_link_to_a_run_is_not_renamed(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    (tmp_path / "link").symlink_to("run")
    with pytest.raises(UserError, match="is a symbolic link"):
        begin_folder(tmp_path / "link", overwrite=True, config=CONFIG)
    assert names(tmp_path) == {"run", "link"}
    assert "metrics.csv" in names(tmp_path / "run")


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("precious")
    with pytest.raises(UserError, match="is a file"):
        begin_folder(tmp_path / "a", overwrite=True, config=CONFIG)
    with pytest.raises(UserError, match="cannot be created"):
        begin_folder(tmp_path / "a" / "run", overwrite=True, config=CONFIG)
    assert (tmp_path / "a").read_text() == "precious"


def test_a_folder_at_work_is_neither_renamed_nor_shared(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    code = f"from pathlib import Path; from vsr_lab.core.run_folder import lock_folder; lock_folder(Path({str(run)!r}))"
    wait = "; print('locked', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code + wait], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UserError, match="in use by another process"):
            begin_folder(run, overwrite=True, config=CONFIG)
        with pytest.raises(UserError, match="in use by another process"):
            lock_folder(run)
        other.kill()  # a lock ends with its process, however that ends
    assert begin_folder(run, overwrite=True, config=CONFIG)


def test_a_folder_without_results_is_removed(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    (run / "pictures/a").mkdir(parents=True)
    remove_unfinished(run)
    assert not run.exists()
    kept = begun(tmp_path / "kept")
    (kept / "result.json").touch()
    remove_unfinished(kept)
    assert names(kept) == {*MARKS, "result.json"}
    remove_unfinished(kept, keep="*.ckpt", writes=["*.json"])
    assert not kept.exists()


def test_files_that_a_user_put_into_an_unfinished_run_stay(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    for name in ("mine/notes.txt", "pictures/notes.txt", "wandb/run-1/log", abandoned(run / "metrics.csv").name):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).touch()
    for name in ("pictures/a.png", "pictures/b.png", "metrics.csv"):
        write_text(run / name, "of the run")
    (run / "pictures/b.png").unlink()
    (run / "pictures/b.png").write_text("of the user")
    remove_unfinished(run, keep="*.ckpt", writes=["wandb/run-*"])
    assert names(run) == {"mine", "pictures"}
    assert names(run / "pictures") == {"notes.txt", "b.png"}
    assert (run / "mine/notes.txt").exists()


def test_a_checkpoint_that_a_user_put_into_a_failed_training_stays(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    (run / "checkpoints").mkdir()
    for name in ("mine.ckpt", "best.ckpt"):
        (run / "checkpoints" / name).touch()
    remove_unfinished(run, TrainConfig.results, TrainConfig.writes)
    assert [path.name for path in run.rglob("*") if path.is_file()] == ["mine.ckpt"]


def test_parents_that_were_created_for_a_run_are_removed_with_it(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    first, second = tmp_path / "own/many/a", tmp_path / "own/many/b"
    for folder in (first, second):
        begin_folder(folder, overwrite=False, config=CONFIG)
    remove_unfinished(first)
    assert second.is_dir()
    remove_unfinished(second)
    assert list(tmp_path.iterdir()) == [tmp_path / "own"]
    assert not list((tmp_path / "own").iterdir())


@pytest.mark.parametrize("name", ["checkpoints", "checkpoints/last.ckpt", "metrics.csv", "tensorboard/v/hparams.yaml"])
def test_a_run_with_links_is_not_continued(tmp_path: Path, name: str) -> None:
    run, other = begun(tmp_path / "run"), tmp_path / "other"
    other.write_text("of another run")
    (run / name).parent.mkdir(exist_ok=True, parents=True)
    (run / name).symlink_to(other)
    with pytest.raises(UserError, match=f"{name}: is a symbolic link"):
        continue_folder(run, CONFIG)
    assert other.read_text() == "of another run"


def test_links_in_a_run_are_not_followed(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/hr.png").touch()
    (run / "pictures").symlink_to(tmp_path / "mine")
    remove_unfinished(run, keep="*.ckpt", writes=["pictures"])
    assert not run.exists()
    assert (tmp_path / "mine/hr.png").exists()


def test_a_run_that_cannot_be_renamed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(tmp_path / "run")

    def busy(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "rename", busy)
    with pytest.raises(UserError, match=r"cannot be renamed to run\.old-1"):
        begin_folder(run, overwrite=True, config=CONFIG)
    assert "metrics.csv" in names(run)
    assert not run_folder._locks


@pytest.mark.parametrize("name", [".", ".."])
def test_the_folder_that_a_command_runs_in_is_never_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run = tmp_path / "run"
    begin_folder(run, False, "run_dir: a\n")
    end_run(run)
    inner = run / "pictures"
    inner.mkdir()
    monkeypatch.chdir(run if name == "." else inner)
    with pytest.raises(UserError, match="contains the current folder"):
        begin_folder(Path(name), True, "run_dir: a\n")
    assert (run / run_folder.RUN_MARK).is_file()
    assert inner.is_dir()


def test_a_lock_that_is_a_link_is_not_opened(tmp_path: Path) -> None:
    run, thesis = tmp_path / "run", tmp_path / "thesis.txt"
    run.mkdir()
    thesis.write_text("of the user")
    (run / ".lock").symlink_to(thesis)
    with pytest.raises(UserError, match=r"\.lock: is a symbolic link; remove it"):
        lock_folder(run)
    assert thesis.read_text() == "of the user"


def test_a_lock_of_another_program_is_neither_emptied_nor_deleted(tmp_path: Path) -> None:
    lock = tmp_path / "run" / ".lock"
    lock.parent.mkdir()
    lock.write_text("notes")
    with pytest.raises(UserError, match="contains files that no run of this command wrote"):
        begin_folder(lock.parent, False, CONFIG)
    with pytest.raises(UserError, match="was written by another program"):
        lock_folder(lock.parent)
    remove_unfinished(lock.parent)
    assert lock.read_text() == "notes"


def test_a_run_that_another_process_finished_before_the_lock_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def late(folder: Path) -> None:
        (folder / "selection.json").write_text("{}")
        lock_folder(folder)

    monkeypatch.setattr(run_folder, "lock_folder", late)
    with pytest.raises(UserError, match="was written to by another process meanwhile"):
        begin_folder(run, False, CONFIG)
    assert [path.name for path in run.iterdir() if path.name != ".lock"] == ["selection.json"]
    lock_folder(run)  # free again


def test_a_run_that_cannot_be_replaced_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(tmp_path / "run")

    def full(path: Path, text: str) -> None:
        raise UserError(path, "the disk is full")

    with monkeypatch.context() as patch, pytest.raises(UserError, match="full"):
        patch.setattr(run_folder, "write_text", full)
        begin_folder(run, overwrite=True, config=CONFIG)
    assert names(tmp_path) == {"run"}
    assert "metrics.csv" in names(run)
