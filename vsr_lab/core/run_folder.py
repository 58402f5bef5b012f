"""Folders of runs, with locks, and with marks that tell which command wrote which files, and whether it was stopped."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import write_text

RUN_MARK = "config.yaml"  # only folders that hold it are ever cleared
UNFINISHED = ".unfinished"  # is there until the run has ended
WRITTEN = ".written"  # patterns of the files that the run writes; no others are ever removed
LOCK = ".lock"
MARKS = (RUN_MARK, UNFINISHED, WRITTEN, LOCK)
_PARTIAL = re.compile(r"\.([^/]+)\.\d+\.partial(?=[./]|$)")  # in a temporary name, see core.files
_locks: dict[Path, FileLock] = {}  # held until the process ends, however it ends


def lock_folder(folder: Path) -> None:
    """Lock a folder until `unlock_folder` or the end of this process, so that no other process writes to it.

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


def remove_unfinished(folder: Path, keep: str = "**") -> None:
    """Delete the files of an unfinished run, and the folders that are then empty.

    Args:
        folder: folder of the run.
        keep: glob pattern of results that must not be lost: if any file of the run matches, nothing is deleted. By
            default, every file matches except for the configuration and the marks of the run.
    """
    own = own_files(folder)
    is_kept = _matcher([keep])
    unlock_folder(folder)
    if not any(is_kept(name) for name in own if name not in MARKS):
        with suppress(OSError):
            _remove(folder, [*own, LOCK])
            for inner, _, _ in os.walk(folder, topdown=False):  # folders for files that were never written
                Path(inner).rmdir()


def is_saved(folder: Path) -> bool:
    """Whether the folder contains a checkpoint from which training can be resumed."""
    return any((folder / "checkpoints").glob("last*.ckpt"))


def begin_folder(
    path: Path, overwrite: bool, config: str, *, files: Collection[str] = (), continued: bool = False
) -> Path:
    """Create the folder of a run, lock it, and write the configuration to it.

    Files of an unfinished run of the same command are deleted, and those of a finished one if `overwrite` is set.

    Args:
        path: the folder.
        overwrite: delete the files of a finished run of the same command.
        config: the configuration as YAML; its top-level keys identify the command.
        files: glob patterns of the files that the run writes, relative to path. "*" matches any text without "/", and
            "**" any text. "NAME/" stands for a folder in which all files are written by the run.
        continued: keep the files of an unfinished run with the same configuration.

    Returns:
        path.

    Raises:
        UserError: path is a file, is locked by another process, cannot be created, or contains files that the command
            did not write.
    """
    if path.exists() and not path.is_dir():
        raise UserError(path, "is a file", "choose another run_dir=")
    # A process that was killed before it wrote its configuration leaves the other marks.
    filled = path.is_dir() and any(e.name == RUN_MARK or _final(e.name) not in MARKS for e in path.iterdir())
    if filled:
        _check_run(path, re.findall(r"^(\w+):", config, re.MULTILINE))
    with reported(OSError, path, "cannot be created ({})", "choose another run_dir="):
        path.mkdir(parents=True, exist_ok=True)
    lock_folder(path)
    if not (continued and not overwrite and is_unfinished(path) and _config(path) == config):
        try:
            _clear(path, overwrite or not filled, files)
        except UserError:
            unlock_folder(path)
            raise
    try:
        write_text(path / UNFINISHED, f"{os.getpid()}\n")
        write_text(path / WRITTEN, "".join(f"{name}\n" for name in (*MARKS, "traceback-*.txt", *files)))
        write_text(path / RUN_MARK, config)
    except UserError:
        remove_unfinished(path)
        raise
    return path


def continue_folder(path: Path, config: str) -> None:
    """Mark a run, in its folder, as unfinished, and write the configuration with which it is continued."""
    write_text(path / UNFINISHED, f"{os.getpid()}\n")
    write_text(path / RUN_MARK, config)


def _check_run(path: Path, keys: Collection[str]) -> None:
    """Raise UserError unless the files of a run of the command with these keys may be removed."""
    if not _is_run(path, keys):
        problem = "holds files that no run of this command wrote"
        raise UserError(path, problem, "choose an empty folder for run_dir=")
    if path.is_symlink():
        raise UserError(path, "is a link", "name the folder that it leads to, or choose another run_dir=")
    if Path.cwd().is_relative_to(path.resolve()):
        raise UserError(path, "is the folder that this command runs in", "run it elsewhere, or choose another run_dir=")


def _clear(path: Path, overwrite: bool, files: Collection[str]) -> None:
    """Remove what an earlier run wrote. Raises UserError, and removes nothing, where other files are in the way."""
    stopped = is_unfinished(path)
    if stopped and is_saved(path) and not overwrite:
        hint = f"continue it by resume={path}, or set overwrite=true"
        raise UserError(path, "holds a training that was stopped", hint)
    if not overwrite and not stopped:
        raise UserError(path, "already exists", "choose another run_dir= or set overwrite=true")
    own = own_files(path)
    if obstacle := _obstacle({*_files(path)} - {*own}, files):
        raise UserError(path / obstacle, "was not written by this command", "move it, or choose another run_dir=")
    with reported(OSError, path, "cannot be cleared ({})", "choose another run_dir="):
        (path / UNFINISHED).touch()
        _remove(path, [name for name in own if name not in MARKS])


def _remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files, and the folders in folder that are then empty."""
    paths = [folder / name for name in names]
    for path in paths:
        path.unlink(missing_ok=True)
    inner = {parent for path in paths for parent in path.parents if folder in parent.parents}
    for parent in sorted(inner, reverse=True):
        with suppress(OSError):
            parent.rmdir()


def own_files(folder: Path) -> list[str]:
    """Names of those files in the folder of a run that the run wrote, relative to the folder."""
    listed = folder / WRITTEN
    text = listed.read_text(encoding="utf-8", errors="replace") if listed.is_file() else ""
    is_own = _matcher([*MARKS, *text.splitlines()])
    return [name for name in _files(folder) if name != LOCK and is_own(_final(name))]


def _files(folder: Path) -> Iterator[str]:
    """Names of the files and links below folder; links are not followed."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name).relative_to(folder).as_posix() for name in (*names, *links))


def _final(name: str) -> str:
    """Final name of a temporary file; other names are returned unchanged."""
    return _PARTIAL.sub(r"\1", name)


def _obstacle(others: Iterable[str], files: Collection[str]) -> str | None:
    """The first of other files that has the name of a file of the run, or is in a folder that the run replaces."""
    is_own = _matcher(files)
    folders = {str(parent) for file in files for parent in PurePosixPath(file).parents if "*" not in str(parent)}
    for name in sorted(others):
        above = [str(parent) for parent in PurePosixPath(name).parents]
        if name in folders or is_own(name) or any(is_own(parent) or is_own(f"{parent}/") for parent in above):
            return name
    return None


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Function that returns whether a name matches a pattern, see `begin_folder`."""
    patterns = {*patterns}
    forms = [re.escape(p).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for p in patterns if "*" in p]
    form = re.compile("|".join(forms) or r"(?!)")
    return lambda name: name in patterns or form.fullmatch(name) is not None


def _is_run(path: Path, keys: Collection[str]) -> bool:
    """Whether a command with these configuration keys, or an earlier version with fewer keys, wrote the folder."""
    lines = _config(path).splitlines()
    written = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    return "run_dir" in written and written <= {*keys}


def _config(path: Path) -> str:
    mark = path / RUN_MARK
    return mark.read_text(encoding="utf-8", errors="replace") if mark.is_file() else ""
