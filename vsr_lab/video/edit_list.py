"""Edit lists of MP4 and QuickTime files (ISO/IEC 14496-12, 8.6.6).

libav correctly reads an edit list of an empty edit at the start and one edit, trimmed at either end. It misreads
several edits, empty edits between them and changes of speed, so such files are refused.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vsr_lab.core.errors import UserError

_EMPTY = -1  # media_time of an empty edit
_NORMAL = (1, 0)  # media_rate of normal speed
Edit = tuple[int, int, tuple[int, int]]  # segment_duration, media_time, media_rate
_REMEDY = "render it from where it was edited, or take all that it holds: ffmpeg -ignore_editlist 1 -i IN OUT.mkv"


def check_edit_list(path: Path, track: int) -> None:
    """Raise UserError if an MP4 file has an edit list that decoders would not apply correctly.

    Args:
        path: the file.
        track: track_ID of the video track.
    """
    with path.open("rb") as file:
        parts = [part for number, listed in _edit_lists(file) if number == track for part in listed]
    while parts and parts[0][1] == _EMPTY:
        del parts[0]
    if len(parts) > 1:
        raise UserError(path, f"is edited: it shows {len(parts)} parts of what it holds", _REMEDY)
    if parts and parts[0][2] != _NORMAL:
        raise UserError(path, "is edited: it is to be shown at another speed than it was recorded at", _REMEDY)


def _edit_lists(file: BinaryIO) -> Iterator[tuple[int, list[Edit]]]:
    """track_ID and edits of each track that has an edit list."""
    end = file.seek(0, 2)
    for moov in _boxes(file, 0, end, b"moov"):
        for trak in _boxes(file, *moov, b"trak"):
            header = next(_boxes(file, *trak, b"tkhd"), None)
            for edts in _boxes(file, *trak, b"edts"):
                for elst in _boxes(file, *edts, b"elst"):
                    if header:
                        yield _track_number(_body(file, *header)), _parts(_body(file, *elst))


def _boxes(file: BinaryIO, start: int, stop: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the bodies of all boxes of one type."""
    while start + 8 <= stop:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1 and start + 16 <= stop:
            head, size = 16, int.from_bytes(file.read(8), "big")
        end = stop if size == 0 else min(stop, start + max(size, head))
        if kind == wanted:
            yield start + head, end
        start = end


def _body(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start)


def _track_number(header: bytes) -> int:
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _parts(body: bytes) -> list[Edit]:
    entry = struct.Struct(">Qqhh" if body[:1] == b"\1" else ">Iihh")
    count = min(int.from_bytes(body[4:8], "big"), (len(body) - 8) // entry.size)
    return [(duration, time, (whole, part)) for duration, time, whole, part in
            (entry.unpack_from(body, 8 + n * entry.size) for n in range(count))]  # fmt: skip
