"""Records: JSON files that one command writes and another reads, each described by a pydantic model.

There is one module for each group of commands. To add a record, define a `Record` in a module, add it to
`kinds.RECORDS` and run docs/schemas/write.py. Increase `schema_version` if a change makes older files unreadable.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import read_json, write_text
from vsr_lab.core.validation import explain


class Part(BaseModel):
    """A part of a record: unknown keys, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Record(Part):
    """Base class of JSON files. Subclasses set `record` (the kind of file) and `schema_version`.

    Args:
        command: the command that writes the file, such as "evaluate".
        given_as: what a user gives to a command that reads the file: the "file", or the "folder" that contains it.
    """

    command: ClassVar[str]
    given_as: ClassVar[str]

    def __init_subclass__(cls, *, command: str = "", given_as: str = "file") -> None:
        super().__init_subclass__()
        cls.command, cls.given_as = command, given_as


R = TypeVar("R", bound=Record)


def read_record(path: Path, model: type[R]) -> R:
    """Read a JSON record that this package wrote, such as summary.json, and validate it.

    Args:
        path: JSON file.
        model: class of the record.

    Raises:
        UserError: the file is missing, damaged, another kind of record, or of another schema version.
    """
    value = read_json(path, f"give the {model.given_as} that vsr-lab {model.command} wrote")
    kind, version = (model.model_fields[name].default for name in ("record", "schema_version"))
    if not isinstance(value, dict) or value.get("record") != kind:
        raise UserError(path, f"is not a {kind} record", f"give one written by vsr-lab {model.command}")
    found = value.get("schema_version")
    if found != version:
        newer = isinstance(found, int) and found > version
        hint = "update vsr_lab" if newer else f"write the file again with vsr-lab {model.command}"
        raise UserError(path, f"has schema_version {found}, this version of vsr_lab reads {version}", hint)
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        key, reason, _ = explain(error, model, value)
        raise UserError(path, f"{key}: {reason}", f"write the file again with vsr-lab {model.command}") from error


def record_of_files(folder: Path, names: Sequence[str], model: type[R], maker: str) -> R | None:
    """Read the record of files that are to be replaced. The record proves that this package wrote the files.

    Args:
        folder: the folder.
        names: names of the files; the first one is the file of the record.
        model: class of the record.
        maker: what writes the files, such as "an evaluation".

    Returns:
        The record; None if the folder has none of the files.

    Raises:
        UserError: the folder has one of the files, but no valid record.
    """
    found = [path for name in names if (path := folder / name).exists()]
    if not found:
        return None
    try:
        return read_record(folder / names[0], model)
    except UserError as error:
        raise UserError(found[0], f"was not written by {maker}", "choose another folder") from error


def write_record(path: Path, record: Record) -> None:
    """Write a record as indented JSON; the file is replaced atomically."""
    write_text(path, record.model_dump_json(indent=2) + "\n")
