"""Run folders: which command wrote them, whether the run has ended, and which process is using them."""

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from filelock import FileLock, Timeout

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import remove_abandoned, temporary_name, write_text

RUN_MARK = "config.yaml"  # the first file of a run folder; only folders that hold it are ever cleared
UNFINISHED = ".unfinished"  # is there until the run has ended
LOCK = ".lock"
# What a process leaves that was killed before it wrote its configuration.
_HIDDEN = re.compile(rf"{re.escape(UNFINISHED)}|{re.escape(LOCK)}|\.(config|\.unfinished)\.\d+\.partial(\.yaml)?")
_locks: dict[Path, FileLock] = {}  # held until the process ends, however it ends


def lock_folder(folder: Path) -> None:
    """Lock a folder until this process ends.

    Raises:
        UserError: another process has locked it.
    """
    path = folder.resolve()
    if path in _locks:
        return
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(folder, "is in use by another process", "wait for it, or choose another folder") from None
    except OSError as error:
        raise UserError(folder, f"cannot be written ({error.strerror})", "choose another run_dir=") from error
    _locks[path] = lock


def unlock_folder(folder: Path) -> None:
    """Unlock a folder that this process locked."""
    if lock := _locks.pop(folder.resolve(), None):
        lock.release()


def is_unfinished(folder: Path) -> bool:
    """Whether the run that wrote the folder was stopped before its end."""
    return (folder / UNFINISHED).exists()


def end_run(folder: Path) -> None:
    """Mark a run as ended and unlock its folder."""
    (folder / UNFINISHED).unlink(missing_ok=True)
    unlock_folder(folder)


def remove_unfinished(folder: Path, only_empty: bool = True) -> None:
    """Remove the folder of an unfinished run; by default only if it contains just its configuration and lock."""
    unlock_folder(folder)
    if not only_empty or all(path.name in {RUN_MARK, UNFINISHED, LOCK} or path.is_dir() for path in folder.rglob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def is_saved(folder: Path) -> bool:
    """Whether the folder contains a checkpoint from which training can be resumed."""
    return any((folder / "checkpoints").glob("last*.ckpt"))


def begin_folder(path: Path, overwrite: bool, config: str, continued: bool = False) -> Path:
    """Create a run's folder, lock it, and write its configuration.

    Args:
        path: the folder.
        overwrite: delete the files of an earlier run of the same command.
        config: the configuration as YAML, whose keys distinguish the commands.
        continued: keep the files of an unfinished run with the same configuration.

    Returns:
        path.

    Raises:
        UserError: the folder contains other files, another process uses it, or it cannot be created.
    """
    if path.exists() and not path.is_dir():
        raise UserError(path, "is a file", "choose another run_dir=")
    kept = continued and not overwrite and is_unfinished(path) and _config(path) == config
    filled = path.is_dir() and not all(_HIDDEN.fullmatch(entry.name) for entry in path.iterdir())
    if filled and not kept:
        _clear(path, overwrite, re.findall(r"^(\w+):", config, re.MULTILINE))
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path)
    except OSError as error:
        raise UserError(path, f"cannot be created ({error.strerror})", "choose another run_dir=") from error
    lock_folder(path)
    try:
        write_text(path / RUN_MARK, config)
        write_text(path / UNFINISHED, f"{os.getpid()}\n")
    except UserError:
        remove_unfinished(path)
        raise
    return path


def _clear(path: Path, overwrite: bool, keys: Collection[str]) -> None:
    if not _is_run(path, keys):
        problem = "holds files that no run of this command wrote"
        raise UserError(path, problem, "choose an empty folder for run_dir=")
    if path.is_symlink():
        raise UserError(path, "is a link", "name the folder that it leads to, or choose another run_dir=")
    if Path.cwd().is_relative_to(path.resolve()):
        raise UserError(path, "is the folder that this command runs in", "run it elsewhere, or choose another run_dir=")
    inner = next((mark.parent for mark in path.glob("*/**/" + RUN_MARK) if "contents" not in keys), None)
    if inner:
        raise UserError(path, f"holds {inner}, another run", "choose another run_dir=")
    lock_folder(path)
    try:
        stopped = is_unfinished(path)
        if stopped and is_saved(path) and not overwrite:
            hint = f"continue it by resume={path}, or set overwrite=true"
            raise UserError(path, "holds a training that was stopped", hint)
        if not overwrite and not stopped:
            raise UserError(path, "is there already", "choose another run_dir= or set overwrite=true")
        path.rename(aside := temporary_name(path))  # all of it, or none
    except OSError as error:
        raise UserError(path, f"cannot be cleared ({error.strerror})", "choose another run_dir=") from error
    finally:
        unlock_folder(path)
    shutil.rmtree(aside)


def _is_run(path: Path, keys: Collection[str]) -> bool:
    """Whether a command with these configuration keys, or an earlier version of it with fewer, wrote the folder."""
    lines = _config(path).splitlines()
    written = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    return "run_dir" in written and written <= {*keys}


def _config(path: Path) -> str:
    mark = path / RUN_MARK
    return mark.read_text(encoding="utf-8", errors="replace") if mark.is_file() else ""
