"""Detection of files that were cut short, from the numbers of frames and the durations that they state."""

import re
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from vsr_lab.core.errors import UserError
from vsr_lab.video.packets import PacketIndex

STATING = {"flv", "mxf", "asf", "matroska,webm"}  # containers whose header states the duration of all streams
_SYNC, _EXAMINED = 0x47, 2000  # first byte and number of packets of a transport stream that are examined
_SHORT = 0.25  # seconds by which it may exceed their end


def check_clear(path: Path) -> None:
    """Raise UserError if a file is a transport stream with scrambled packets (ISO/IEC 13818-1, 2.4.3.3)."""
    with path.open("rb") as file:
        head = file.read(192 * _EXAMINED)
    for size, first in ((188, 0), (192, 4)):  # 192: M2TS
        packets = [head[at : at + 4] for at in range(first, len(head) - 3, size)]
        if len(packets) > 1 and all(p[0] == _SYNC for p in packets) and any(p[3] >> 6 for p in packets):
            raise UserError(path, "is encrypted (a scrambled transport stream)", "decrypt it first")


def check_complete(
    path: Path, container: InputContainer, stream: VideoStream, index: PacketIndex, *, reach: float
) -> None:
    """Raise UserError if a file has fewer frames, or ends earlier, than it states.

    Args:
        path: the file.
        container: the open file.
        stream: the video stream.
        index: timestamps of its frames.
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
        raise UserError(path, f"is cut short ({found} of {listed} frames)", "fetch it again")
    times = index.seconds
    if not index.ticks.size or listed:
        return
    longest = float(np.diff(times).max()) if len(times) > 1 else 1.0
    begins = max(0.0, float(int(index.ticks[0]) * index.base))  # negative after an MPEG-TS clock overflow
    stated = _stated_seconds(stream)
    if stated and stated - begins - times[-1] > 2.5 * longest:
        raise UserError(path, f"is cut short ({times[-1]:.2f} of {stated:.2f} seconds)", "fetch it again")
    whole = (container.duration or 0) / 1e6 if container.format.name in STATING else 0.0
    if whole - reach > _SHORT:
        raise UserError(path, f"is cut short ({reach:.2f} of {whole:.2f} seconds)", "fetch it again")


def _stated_seconds(stream: VideoStream) -> float | None:
    """Duration in the tags of a stream (Matroska)."""
    stated = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d*)?)", stream.metadata.get("DURATION", ""), re.ASCII)
    return 3600 * int(stated[1]) + 60 * int(stated[2]) + float(stated[3]) if stated else None
