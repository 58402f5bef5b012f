"""Writing without ever losing or half-writing a file."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Collection, Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from vsr_lab.core.errors import UserError


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """A temporary path beside `path` (a file or a folder); renamed into place if the block succeeds, removed if not.

    Raises UserError when the disk is full or the place cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(path, f"cannot be written ({error.strerror})", "choose another place") from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(path, "the disk is full", "free some space and run again; nothing was changed") from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY):
            raise UserError(path, f"cannot be written ({error.strerror})", "choose another place") from error
        raise
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text in one step: readers see the old file or the new one, never a part."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write value as indented JSON in one step. Raises ValueError for NaN, which JSON cannot say."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in path. Raises UserError where it is missing or is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(path, "not found", "check the path") from None
    except (ValueError, OSError) as error:
        raise UserError(path, f"cannot be read as JSON ({error})", "write it anew") from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raises UserError where a file's bytes are not those that were noted. A file that did not change is read once."""
    if path.is_file():
        status = path.stat()
        if _sha256(path, status.st_size, status.st_mtime_ns) != expected.lower():
            raise UserError(path, "is not the file that the manifest describes (sha256 differs)", "fetch it again")


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256(path)


RUN_MARK = "config.yaml"  # every run folder starts with it; only a folder that has it is ever cleared


def _is_run(path: Path, keys: Collection[str]) -> bool:
    """Whether a verb with these keys wrote the folder, be it an earlier version that had fewer."""
    mark = path / RUN_MARK
    lines = mark.read_text(encoding="utf-8", errors="replace").splitlines() if mark.is_file() else []
    written = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    return "run_dir" in written and written <= {*keys}


def new_folder(path: Path, overwrite: bool, keys: Collection[str]) -> Path:
    """Make path an empty folder, clearing an earlier run's where overwrite is on.

    keys: of the configuration that will be written into it; a folder that holds another verb's is never cleared.
    Raises UserError where something is there that may not be cleared.
    """
    if path.is_file():
        raise UserError(path, "is a file", "choose another run_dir=")
    if path.is_dir() and any(path.iterdir()):
        if not _is_run(path, keys):
            raise UserError(
                path, "holds files that no run wrote, or another verb", "choose an empty folder for run_dir="
            )
        if not overwrite:
            raise UserError(path, "already there", "choose another run_dir= or say overwrite=true")
        try:
            path.rename(aside := path.with_name(f".{path.name}.{os.getpid()}.old"))  # all of it, or none
        except OSError as error:
            raise UserError(path, f"cannot be cleared ({error.strerror})", "choose another run_dir=") from error
        shutil.rmtree(aside)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(path, f"cannot be made ({error.strerror})", "choose another run_dir=") from error
    return path
