"""The comparison's PNG files as data URIs, each of them once."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from vsr_lab.core.errors import UserError
from vsr_lab.reporting.schema import Comparison

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Embedded(TypedDict):
    """A picture that the page carries, and its size in pixels."""

    uri: str
    width: int
    height: int


def embed(comparison: Comparison, root: Path) -> dict[str, Embedded]:
    """Every picture that the comparison names, read from root on, by the path it is named by."""
    return {path: _embed(root, path) for path in dict.fromkeys(_paths(comparison))}


def _paths(comparison: Comparison) -> Iterator[str]:
    for picture in comparison["pictures"]:
        yield from (picture["lr"], picture["hr"])
        slices = [picture.get("hr_xt"), *(candidate.get("sr_xt") for candidate in picture["candidates"])]
        yield from (path for path in slices if path)
        yield from (candidate["sr"] for candidate in picture["candidates"])


def _embed(root: Path, path: str) -> Embedded:
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        reason = f"cannot read the picture ({error.strerror})"
        raise UserError(root / path, reason, "evaluate again") from error
    if len(data) < 24 or not data.startswith(_SIGNATURE):
        raise UserError(root / path, "not a PNG file", "evaluate again")
    width, height = struct.unpack(">II", data[16:24])
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"uri": uri, "width": width, "height": height}
