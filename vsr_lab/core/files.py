"""Atomic writes, JSON, checksums and run folders."""

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
    """Write a file or folder atomically: readers see the old one or the new one, never a part.

    Yields a temporary path in the same folder, which is renamed to `path` if the block succeeds and removed if not.

    Raises:
        UserError: the disk is full, or the folder cannot be written.
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


def write_text(path: Path, text: str, errors: str = "strict") -> None:
    """Write text as UTF-8, atomically; errors: as for `str.encode`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=errors)


def write_json(path: Path, value: Any) -> None:
    """Write value as indented JSON, atomically. Raises ValueError for NaN and infinity, which JSON lacks."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises UserError if the file is missing or invalid."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(path, "not found", "check the path") from None
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(path, f"cannot be read as JSON ({error})", "write it again") from error


def sha256(path: Path) -> str:
    """Hex SHA-256 digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raises UserError if a file has another SHA-256 than expected; an unchanged file is read once per process."""
    if path.is_file():
        status = path.stat()
        if _sha256(path, status.st_size, status.st_mtime_ns) != expected.lower():
            raise UserError(path, "is not the file that the manifest describes (sha256 differs)", "fetch it again")


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256(path)


RUN_MARK = "config.yaml"  # the first file of a run folder; only folders that hold it are ever cleared


def _is_run(path: Path, keys: Collection[str]) -> bool:
    """Whether a command with these configuration keys, or an earlier version of it with fewer, wrote the folder."""
    mark = path / RUN_MARK
    lines = mark.read_text(encoding="utf-8", errors="replace").splitlines() if mark.is_file() else []
    written = {found[1] for line in lines if (found := re.match(r"(\w+):", line))}
    return "run_dir" in written and written <= {*keys}


def new_folder(path: Path, overwrite: bool, keys: Collection[str]) -> Path:
    """Create an empty folder for a run.

    Args:
        path: the folder.
        overwrite: clear an earlier run of the same command.
        keys: of the command's configuration.

    Returns:
        path.

    Raises:
        UserError: something else is there, or the folder cannot be created.
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
