"""Selection of the video stream of a file, and refusal of files that are cut short, encrypted or edited.

libav correctly reads an edit list (ISO/IEC 14496-12, 8.6.6) with one edit, trimmed at either end, and an empty edit
before it. It misreads several edits, empty edits between them and changes of speed, so such files are refused.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from av import VideoStream
from av.container import InputContainer
from av.stream import Disposition

from vsr_lab.core.errors import UserError
from vsr_lab.video.packets import PacketIndex

STATING = {"flv", "mxf", "asf", "matroska,webm"}  # containers whose header states the duration of all streams
_SYNC, _EXAMINED = 0x47, 2000  # first byte and number of packets of a transport stream that are examined
_AGAIN = "copy or download the file again"
_SHORT = 0.25  # seconds by which it may exceed their end


def check_clear(path: Path) -> None:
    """Raise UserError if a file is a transport stream whose first 2000 packets include scrambled ones.

    Source: ISO/IEC 13818-1, 2.4.3.3.
    """
    with path.open("rb") as file:
        head = file.read(192 * _EXAMINED)
    for size, first in ((188, 0), (192, 4)):  # 192: M2TS
        packets = [head[at : at + 4] for at in range(first, len(head) - 3, size)]
        if len(packets) > 1 and all(p[0] == _SYNC for p in packets) and any(p[3] >> 6 for p in packets):
            raise UserError(path, "is encrypted (a scrambled transport stream)", "decrypt it first")


def check_complete(
    path: Path, container: InputContainer, stream: VideoStream, index: PacketIndex, *, reach: float
) -> None:
    """Raise UserError if a file has fewer frames, or ends earlier, than its header states.

    Args:
        path: the file.
        container: the open file.
        stream: the video stream.
        index: timestamps of the frames that were found.
        reach: end of the last packet of any stream, in seconds.
    """
    # MP4 states packets after edit lists, MXF edit units; other containers state frames, or a duration.
    listed = len(stream.index_entries) if "mp4" in container.format.name else stream.frames
    if container.format.name == "mxf":
        listed = stream.duration or 0
    found = index.packets
    if found and container.format.name == "avi":  # counts frames that are shown longer several times
        found = max(found, int(index.ticks[-1]) + int(np.diff(index.ticks).max(initial=1)))
    if found < listed:
        raise UserError(path, f"is cut short ({found} of {listed} frames)", _AGAIN)
    times = index.seconds
    if not index.ticks.size or listed:
        return
    longest = float(np.diff(times).max()) if len(times) > 1 else 1.0
    begins = max(0.0, float(int(index.ticks[0]) * index.base))  # negative after an MPEG-TS clock overflow
    stated = _stated_seconds(stream)
    if stated and stated - begins - times[-1] > 2.5 * longest:
        raise UserError(path, f"is cut short ({times[-1]:.2f} of {stated:.2f} seconds)", _AGAIN)
    whole = (container.duration or 0) / 1e6 if container.format.name in STATING else 0.0
    if whole - reach > _SHORT:
        raise UserError(path, f"is cut short ({reach:.2f} of {whole:.2f} seconds)", _AGAIN)


def _stated_seconds(stream: VideoStream) -> float | None:
    """Duration in the tags of a stream (Matroska)."""
    stated = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d*)?)", stream.metadata.get("DURATION", ""), re.ASCII)
    return 3600 * int(stated[1]) + 60 * int(stated[2]) + float(stated[3]) if stated else None


_EMPTY = -1  # media_time of an empty edit
_NORMAL = (1, 0)  # media_rate of normal speed
Edit = tuple[int, int, tuple[int, int]]  # segment_duration, media_time, media_rate
_REMEDY = "export it again from the editing program, or keep all frames by ffmpeg -ignore_editlist 1 -i IN OUT.mkv"


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
        raise UserError(path, f"has an edit list with {len(parts)} parts, and only one part is supported", _REMEDY)
    if parts and parts[0][2] != _NORMAL:
        raise UserError(path, "has an edit list that changes the speed, which is not supported", _REMEDY)


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


def select_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Select the video stream of a file to read: the stream that libav ranks highest, such as that flagged as default.

    Cover pictures are ignored. Still images are ignored too if there is a moving stream.

    Raises:
        UserError: the file has no video stream, or there is no decoder for its codec.
    """
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic and s.frames != 1]
    stream = container.streams.best("video")
    stream = stream if stream in moving else next(iter(moving), stream)
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        raise UserError(path, "has no video stream", "give a video file")
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] -- None in damaged files
        hint = "convert it to H.264 or FFV1 by another program"
        raise UserError(path, "has a codec without a decoder in this version of FFmpeg", hint)
    return stream
