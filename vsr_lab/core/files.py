"""Files: atomic writing, JSON, Parquet and checksums."""

import errno
import glob
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsr_lab.core.errors import UserError, reported

if TYPE_CHECKING:
    from polars import DataFrame


def config_dir() -> Path:
    """Folder `configs` of the Hydra configuration: inside the installed package, or next to it in a source checkout."""
    package = Path(__file__).parents[1]
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


def inside(folder: Path, name: str, source: object = None) -> Path:
    """Path of a file in a folder by its name, which was read from a file and must not lead out of the folder.

    Args:
        folder: folder that the result must be in.
        name: path relative to folder, with / as separator.
        source: file that contains the name, for the error message.

    Raises:
        UserError: name is absolute or not valid Unicode, contains a control character or a backslash, has a part that
            is empty, ".", ".." or longer than 240 bytes, or resolves outside folder.
    """
    if name.encode(errors="replace").decode() != name:
        raise UserError(ascii(name), "is not a valid Unicode file name", "rename the file")
    parts = name.split("/")
    bad = {"", ".", ".."} & set(parts) or any(ord(character) < 32 or character in "\\\x7f" for character in name)
    path = folder / name
    if bad or Path(name).is_absolute() or Path(name).drive or any(len(part.encode()) > 240 for part in parts):
        problem = f"the name {name!r} cannot be the name of a file" if source else "cannot be the name of a file"
        raise UserError(source or repr(name), problem, "change the name (in a manifest: in the column `name`)")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(path, f"leads out of {folder} by a symbolic link", "remove the link")
    return path


def check_file(path: Path, hint: str) -> None:
    """Raise UserError unless path is a regular file. The message ends with the hint."""
    if path.is_file():
        return
    if not path.exists():
        raise UserError(path, "not found", hint)
    raise UserError(path, "is a folder, not a file" if path.is_dir() else "is not a regular file", hint)


def missing_parent(path: Path) -> Path | None:
    """Find a missing folder before a ".." in a path; None if there is none.

    What such a path leads to can change when the folder is created.
    """
    places = (Path(*path.parts[:i]) for i, part in enumerate(path.parts) if part == "..")
    return next((place for place in places if not place.exists()), None)


_written: dict[Path, tuple[int, ...]] = {}  # files that this process wrote by atomic_path, and their state then
MAKER = r"[0-9a-f]{8}-\d+"  # in the name of a temporary file: the machine and the process that write it
_TEMPORARY = re.compile(rf"\..*\.({MAKER})(\.signed)?\.partial.*")  # signed: by provenance.credentials
_LARGEST_JSON = 1 << 28  # bytes
_MOST_TEXT = 1 << 29  # bytes in a Parquet file, in which equal rows need hardly any space


@contextmanager
def atomic_path(path: Path, replace: bool = True) -> Generator[Path]:
    """Context manager for writing a file or folder atomically: readers see either the old or the complete new one.

    It yields a temporary path in the same folder, to which the caller writes. This path is renamed to `path` at the end
    of the with block, or removed after an exception. Temporary files that killed processes left for the same `path` are
    removed first.

    Args:
        path: the file or folder to write. An existing folder is replaced only if it is empty.
        replace: if False, an existing file is never replaced, even if it was created during the with block.

    Raises:
        UserError: the disk is full, `path` cannot be written or replaced, or `path` exists and `replace` is False.
    """
    temporary = path.with_name(f".{path.stem}.{_machine()}-{os.getpid()}.partial{path.suffix}")
    if path.parent.exists() and not path.parent.is_dir():
        raise UserError(path, f"cannot be written: {path.parent} is not a folder", "choose another path")
    with reported(OSError, path, "cannot be written ({})", "choose another path"):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path)  # also one with the number of this process: it may be a link, in a folder of others
    try:
        if not replace and path.exists():
            raise FileExistsError(errno.EEXIST, "already there")
        yield temporary
        if replace or temporary.is_dir():
            temporary.replace(path)
        else:
            _rename_new(temporary, path)
        files = path.rglob("*") if path.is_dir() else (path,)
        _written.update({absolute_path(file): _state(file) for file in files if file.is_file()})
    except UserError as error:
        raise error.about(temporary, path) from error.__cause__
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(path, "the disk is full", "free some space and run the command again") from error
        if error.errno == errno.EEXIST and not replace:
            raise UserError(path, "already exists", "choose another path or set overwrite=true") from error
        refused = {errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.EFBIG}
        if error.errno in refused or str(error.filename) == str(temporary):
            raise UserError(path, f"cannot be written ({error.strerror})", "choose another path") from error
        raise
    finally:
        remove(temporary)


def _rename_new(temporary: Path, path: Path) -> None:
    """Rename a file. Raises FileExistsError if a file with the new name exists."""
    try:
        os.link(temporary, path)  # which never replaces
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}:
            raise
        if path.exists():  # of a file system without hard links, such as exFAT
            raise FileExistsError(errno.EEXIST, "already there") from error
        temporary.rename(path)


def remove(path: Path, ignore_errors: bool = False) -> None:
    """Delete a file, a link, or a folder with all files in it, if it exists.

    ignore_errors: if True, no error is raised for files that cannot be deleted.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:
        if not ignore_errors:
            raise


def remove_abandoned(path: Path) -> None:
    """Remove the temporary files of `atomic_path(path)` that killed processes of this machine left behind."""
    start, end = f".{path.stem}.{_machine()}-", f".partial{path.suffix}"
    for found in path.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
        if is_abandoned(found):
            remove(found)


def is_abandoned(path: Path) -> bool:
    """Whether a path is named like a temporary file of this process, or of an ended process of this machine."""
    if not (found := _TEMPORARY.fullmatch(path.name)):
        return False
    machine, process = found[1].split("-")  # those of other machines may be at work
    return machine == _machine() and (int(process) == os.getpid() or not _is_running(int(process)))


@lru_cache
def _machine() -> str:
    """Hash that identifies this machine or container: a process number is unique only within one of them."""
    namespace = Path("/proc/self/ns/pid")
    numbers = os.readlink(namespace) if namespace.is_symlink() else ""  # noqa: PTH115 - it leads to no file
    return hashlib.sha256(f"{platform.node()} {numbers}".encode()).hexdigest()[:8]


def is_own(path: Path) -> bool:
    """Whether this process wrote the file, and nobody has replaced or changed it since."""
    return path.is_file() and not path.is_symlink() and _written.get(absolute_path(path)) == _state(path)


def _state(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def write_text(path: Path, text: str, errors: str = "strict", replace: bool = True) -> None:
    """Write text as UTF-8, atomically.

    Args:
        path: file to write.
        text: content of the file.
        errors: handling of characters that cannot be encoded, as for `str.encode`.
        replace: whether an existing file is replaced, see `atomic_path`.
    """
    with atomic_path(path, replace) as temporary:
        temporary.write_text(text, encoding="utf-8", errors=errors)


def write_json(path: Path, value: Any) -> None:
    """Write value as indented JSON, atomically. Raises ValueError for NaN and infinity, which JSON does not support."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path, hint: str = "check the path") -> Any:
    """Read JSON. Raises UserError if the file is missing or invalid (the message ends with the hint), or unreadable."""
    check_file(path, hint)
    with reported(OSError, path, "cannot be read ({})", "check its permissions"):
        if (size := path.stat().st_size) > _LARGEST_JSON:
            problem = f"has {size / 2**20:.0f} MiB, more than the {_LARGEST_JSON >> 20} MiB of a record"
            raise UserError(path, problem, "give another file")
        return parse_json(path.read_bytes(), path, hint)


def parse_json(text: str | bytes, subject: object, hint: str = "give another file, or write it again") -> Any:
    """Parse JSON. Raises UserError about `subject` if it is invalid."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UserError(subject, f"is not valid JSON{where}", hint) from error


def sync(*paths: Path) -> None:
    """Wait until files are on the disk, so that they survive a loss of power."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def make_folder(path: Path) -> None:
    """Create a folder unless it exists. Raises UserError if it cannot be created."""
    if file := next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None):
        raise UserError(file, "is a file, but must be a folder", "choose another path")
    with reported(OSError, path, "cannot be created ({})", "choose another folder"):
        path.mkdir(parents=True, exist_ok=True)


def absolute_path(path: Path) -> Path:
    """Make a path absolute, without resolving links."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def identity(path: Path) -> tuple[int, int]:
    """Device and inode of a file or folder, which are equal for all its names and links."""
    status = path.stat()
    return status.st_dev, status.st_ino


def sha256(path: Path) -> str:
    """Hex SHA-256 digest of a file. Raises UserError if it cannot be read."""
    with reported(OSError, path, "cannot be read ({})", "check the file and its permissions"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of the files in a folder."""
    if path.is_file():
        return sha256(path)
    files = sorted(file for file in path.iterdir() if file.is_file())
    return hashlib.sha256("".join(f"{file.name} {sha256(file)}\n" for file in files).encode()).hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raise UserError if path is a file with another SHA-256 than `expected`. An unchanged file is read only once."""
    if path.is_file():
        status = path.stat()
        if _sha256(path, status.st_size, status.st_mtime_ns) != expected.lower():
            problem = "is not the file that the manifest describes (sha256 differs)"
            raise UserError(path, problem, "copy or download the file again")


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256(path)


def read_parquet(path: Path, columns: list[str] | None = None, most: int = 80_000_000) -> "DataFrame":
    """Read a Parquet file into a data frame.

    Args:
        path: the file.
        columns: names of the columns to read; None: all.
        most: maximum number of cells, as protection against files of a few kilobytes with billions of equal cells.

    Raises:
        UserError: the file is missing or damaged, lacks one of `columns`, has a column of lists or binary data, or has
            too many cells or too much text.
    """
    import polars  # takes its time to import: only where there is such a file
    import polars.selectors as cs

    kinds = (polars.exceptions.PolarsError, OSError)
    with reported(kinds, path, "cannot be read as Parquet ({})", "write this file again"):
        table = polars.scan_parquet(path, glob=False)
        table = table.select(columns) if columns else table
        others = table.select(~(cs.string() | cs.numeric() | cs.boolean() | cs.temporal() | cs.by_dtype(polars.Null)))
        if kinds := others.collect_schema():  # lists and binary data may be of any size
            name, kind = next(iter(kinds.items()))
            problem = f"has values of type {kind} in column {name}, which is not supported"
            raise UserError(path, problem, "remove the column, or write it as text")
        rows, width = table.select(polars.len()).collect().item(), len(table.collect_schema())
        if rows * width > most:
            raise UserError(path, f"has {rows} rows and {width} columns, more than {most:,} cells", "split the file")
        text = table.select(cs.string().str.len_bytes().sum()).collect(engine="streaming")
        if sum(map(sum, text.rows())) > _MOST_TEXT:
            raise UserError(path, f"has more than {_MOST_TEXT >> 20} MiB of text", "split the file")
        return table.collect()
