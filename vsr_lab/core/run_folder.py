"""Folders of runs: locks, and marker files that show which command wrote a folder and whether it was stopped."""

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import count, takewhile
from pathlib import Path

from filelock import FileLock, Timeout

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import is_abandoned, is_own, remove, write_text

RUN_MARK = "config.yaml"  # only folders that hold it are ever renamed
UNFINISHED = ".unfinished"  # is there until the run has ended
LOCK = ".lock"
MARKS = {RUN_MARK, UNFINISHED, LOCK}
_WANDB_LINKS = {"latest-run", "debug.log", "debug-internal.log"}  # it replaces them
_locks: dict[Path, FileLock] = {}  # held until the process ends, however it ends
_made: set[Path] = set()  # folders that this process created to hold those of runs


def lock_in(folder: Path) -> FileLock:
    """Make the lock of a folder, the file .lock in it, without acquiring the lock.

    Raises UserError if .lock is a symbolic link or was written by another program, because acquiring the lock would
    empty the file.
    """
    if (folder / LOCK).is_symlink():
        raise UserError(folder / LOCK, "is a symbolic link", "remove it")
    if _is_of_another(folder / LOCK):
        raise UserError(folder / LOCK, "was written by another program", "choose another folder")
    return FileLock(folder.resolve() / LOCK)


def lock_folder(folder: Path) -> None:
    """Lock a folder until `unlock_folder` or the end of this process, so that no other process writes to it.

    Raises:
        UserError: another process has locked the folder, the folder cannot be written, or the file .lock in it is a
            symbolic link.
    """
    path = folder.resolve()
    if path in _locks:
        return
    lock = lock_in(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(
            folder, "is in use by another process", "wait until that process ends, or choose another folder"
        ) from None
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


def remove_unfinished(folder: Path, keep: str = "*", writes: Sequence[str] = ()) -> None:
    """Delete what an unfinished run wrote to its folder, unless it contains results that must not be lost.

    Files that the run did not write are kept, because a user may have put them there. Folders that are empty then are
    deleted: subfolders, the folder of the run, and those of its parents that this process created.

    Args:
        folder: folder of the run.
        keep: shell pattern of the results, as paths relative to the folder; "*" also matches "/". If a file matches,
            nothing is deleted. By default every file is a result except config.yaml, .unfinished and .lock.
        writes: shell patterns of files that libraries wrote for the run; files of `atomic_path` need no pattern.
    """
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in found.items() if path.is_symlink() or not path.is_dir()}
    if not any(fnmatchcase(name, keep) for name in files if name not in MARKS):
        for name, path in files.items():
            written = name in MARKS or is_own(path) or any(fnmatchcase(name, pattern) for pattern in writes)
            if written and not _is_of_another(path):
                remove(path, ignore_errors=True)
        for _, path in sorted(found.items(), reverse=True):  # what is in a folder comes first
            if is_abandoned(path):
                remove(path, ignore_errors=True)
            elif path.is_dir() and not path.is_symlink():
                with suppress(OSError):  # not empty
                    path.rmdir()
        with suppress(OSError):  # not empty
            folder.rmdir()
            for parent in takewhile(_made.__contains__, folder.resolve().parents):
                parent.rmdir()
    unlock_folder(folder)


def is_saved(folder: Path) -> bool:
    """Whether the folder contains a checkpoint from which training can be resumed."""
    return any((folder / "checkpoints").glob("last*.ckpt"))


def begin_folder(path: Path, overwrite: bool, config: str, *, continued: bool = False, has_runs: bool = False) -> bool:
    """Create the folder of a run, lock it, and write the configuration to it.

    The folder of an unfinished run of the same command is renamed to NAME.old-1 (or 2, 3, ...). The folder of a
    finished run, or of a stopped training with a checkpoint, is renamed only if `overwrite` is set. Nothing in it is
    deleted. The folder of a run that was killed before it wrote a result is used again.

    Args:
        path: the folder.
        overwrite: rename the folder of an earlier run of the same command, even if that run is finished or resumable.
        config: the configuration as YAML; its top-level keys identify the command.
        continued: keep the files of an unfinished run with the same configuration, unless `overwrite` is set.
        has_runs: whether the command creates the folders of other runs inside its own folder, as `demo` does.

    Returns:
        Whether the folder is new; False if it contains the files of an unfinished run.

    Raises:
        UserError: `path` is a file, is locked by another process, cannot be created or written, or contains files that
            no run of this command wrote; or the folder must be renamed, but this is not possible or not allowed:
            - the folder is a symbolic link, or the current folder is this folder or inside it;
            - the folder of another run is inside this folder, and `has_runs` is False;
            - the earlier run is finished or can be resumed, and `overwrite` is not set.
    """
    if path.exists() and not path.is_dir():
        raise UserError(path, "is a file, not a folder", "choose another run_dir=")
    is_new = _is_new(path)
    if not is_new or _config(path):
        _check_run(path, re.findall(r"^(\w+):", config, re.MULTILINE))
    with reported(OSError, path, "cannot be created ({})", "choose another run_dir="):
        _made.update(parent for parent in path.resolve().parents if not parent.exists())
        path.mkdir(parents=True, exist_ok=True)
    lock_folder(path)
    if is_new and not _is_new(path):
        unlock_folder(path)
        raise UserError(path, "was written to by another process meanwhile", "choose another run_dir=")
    old = None
    if not is_new and not (continued and not overwrite and is_unfinished(path) and _config(path) == config):
        try:
            old = _set_aside(path, overwrite, has_runs)
        except UserError:
            unlock_folder(path)
            raise
        is_new = True
    try:
        continue_folder(path, config)
    except UserError:
        if is_new:
            remove_unfinished(path)
        if old:
            old.replace(path)
        raise
    return is_new


def continue_folder(path: Path, config: str) -> None:
    """Mark the run in a folder as unfinished, and write its configuration to config.yaml.

    Raises UserError if the folder contains a symbolic link: writing to the link would change a file outside the folder.

    Args:
        path: the folder.
        config: the configuration, as YAML, with which the run is begun or continued.
    """
    for found in path.rglob("*"):  # follows no links
        if found.is_symlink() and (found.parent != path / "wandb" or found.name not in _WANDB_LINKS):
            raise UserError(found, "is a symbolic link", "replace it by a copy of its target, or start a new run")
    write_text(path / UNFINISHED, f"{os.getpid()}\n")
    write_text(path / RUN_MARK, config)


def _is_new(path: Path) -> bool:
    """Whether a folder does not exist, or contains only what a process leaves that was killed early."""
    left = MARKS if is_unfinished(path) else {LOCK}
    return not path.is_dir() or all(
        is_abandoned(entry) or (entry.name in left and not _is_of_another(entry)) for entry in path.iterdir()
    )


def _is_of_another(path: Path) -> bool:
    """Whether a file named .lock has content, so that another program wrote it: locks of this package are empty."""
    return path.name == LOCK and path.is_file() and path.stat().st_size > 0


def _check_run(path: Path, keys: Collection[str]) -> None:
    """Raise UserError unless a folder may be renamed.

    It must be a run of the command with these configuration keys, not a link, and not contain the current folder.
    """
    if not _is_run(path, keys):
        problem = "contains files that no run of this command wrote"
        raise UserError(path, problem, "choose an empty folder for run_dir=")
    if path.is_symlink():
        raise UserError(path, "is a symbolic link", "set run_dir= to the folder that it leads to")
    if Path.cwd().is_relative_to(path.resolve()):
        raise UserError(
            path, "contains the current folder", "run the command in another folder, or choose another run_dir="
        )


def _set_aside(path: Path, overwrite: bool, has_runs: bool) -> Path:
    """Rename the locked folder of an earlier run, and make a new folder. Raises UserError if it may not be renamed.

    Returns:
        The new path of the earlier run.
    """
    stopped = is_unfinished(path)
    if stopped and is_saved(path) and not overwrite:
        hint = f"continue it by resume={path}, or set overwrite=true"
        raise UserError(path, "contains a training that was stopped", hint)
    if not overwrite and not stopped:
        raise UserError(path, "already exists", "choose another run_dir= or set overwrite=true")
    for folder in (mark.parent for mark in path.glob(f"*/**/{RUN_MARK}")):
        if not re.search(r"^run_dir: \S", _config(folder), re.MULTILINE):  # a logger's file of the same name
            continue
        if not has_runs:
            raise UserError(path, f"contains another run, {folder}", "move that run, or choose another run_dir=")
        lock_folder(folder)  # refuses one that another process continues
        unlock_folder(folder)
    old = next(old for n in count(1) if not (old := path.with_name(f"{path.name}.old-{n}")).exists())
    with reported(OSError, path, f"cannot be renamed to {old.name} ({{}})", "choose another run_dir="):
        path.rename(old)
        path.mkdir()
    unlock_folder(path)  # that of the old one, which nobody could begin until now
    lock_folder(path)
    return old


def _is_run(path: Path, keys: Collection[str]) -> bool:
    """Whether the folder was written by a command with these configuration keys, or by an older version of it."""
    lines = _config(path).splitlines()
    written = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    return "run_dir" in written and written <= {*keys}


def _config(path: Path) -> str:
    mark = path / RUN_MARK
    return mark.read_text(encoding="utf-8", errors="replace") if mark.is_file() else ""
