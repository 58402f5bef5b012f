"""The PNG files of a comparison as data URIs."""

import base64
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.comparison import Comparison

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Embedded(TypedDict):
    """An embedded image and its size in pixels."""

    uri: str
    width: int
    height: int


def embed(comparison: Comparison, root: Path) -> dict[str, Embedded]:
    """Every image of the comparison, by its path relative to root."""
    return {path: _embed(root, path) for path in dict.fromkeys(_paths(comparison))}


def _paths(comparison: Comparison) -> Iterator[str]:
    for clip in comparison.pictures:
        yield from (clip.lr, clip.hr, clip.hr_xt)
        for candidate in clip.candidates:
            yield from (candidate.sr, candidate.sr_xt)


def _embed(root: Path, path: str) -> Embedded:
    place = os.path.normpath(root / path)
    try:
        data = Path(place).read_bytes()
    except OSError as error:
        raise UserError(place, f"cannot be read ({error.strerror})", "evaluate again") from error
    if len(data) < 24 or not data.startswith(_SIGNATURE):
        raise UserError(place, "is not a PNG file", "evaluate again")
    width, height = struct.unpack(">II", data[16:24])
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"uri": uri, "width": width, "height": height}
