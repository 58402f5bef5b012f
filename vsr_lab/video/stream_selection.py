"""Which of a file's streams is the video."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vsr_lab.core.errors import UserError
from vsr_lab.video.packets import open_input, packets_of


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream of moving pictures: of several the one marked as default, else the first.

    Covers do not count, nor do stills beside what moves. Raises UserError where there is none.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise UserError(path, "has no video stream", "give a video file")
    stream = streams[0] if len(streams) == 1 else _first_of(_moving(path, streams))
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] -- what damage leaves
        raise UserError(path, "is of a codec that has no decoder here", "is it complete?")
    return stream


def _first_of(streams: list[VideoStream]) -> VideoStream:
    return next((s for s in streams if s.disposition & Disposition.default), streams[0])


def _moving(path: Path, streams: list[VideoStream]) -> list[VideoStream]:
    """Those of more than one packet; all where there are none. No header tells: every packet is looked at."""
    found: Counter[int] = Counter()
    with open_input(path) as copy, suppress(av.error.FFmpegError):
        several: Any = [copy.streams[stream.index] for stream in streams]
        found.update(packet.stream_index for packet in packets_of(copy, several) if packet.size)
    return [stream for stream in streams if found[stream.index] > 1] or streams
