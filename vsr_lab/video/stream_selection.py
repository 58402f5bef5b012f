"""Selection of the video stream of a file."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import av.error
from av import VideoStream
from av.container import InputContainer
from av.stream import Disposition

from vsr_lab.core.errors import UserError
from vsr_lab.video.packets import open_input, packets_of


def select_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Select the video stream of a file to read: the one flagged as default, else the first.

    Cover pictures are ignored, and so are still images if there is a moving stream.

    Raises:
        UserError: the file has no video stream, or there is no decoder for its codec.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise UserError(path, "has no video stream", "give a video file")
    if len(streams) > 1:
        streams = _moving(path, streams)
    stream = next((s for s in streams if s.disposition & Disposition.default), streams[0])
    if stream.codec_context is None:  # pyright: ignore[reportUnnecessaryComparison] -- None in damaged files
        raise UserError(path, "is of a codec that has no decoder here", "is it complete?")
    return stream


def _moving(path: Path, streams: list[VideoStream]) -> list[VideoStream]:
    """The streams with more than one packet, or all if there are none. All packets are read to count them."""
    found: Counter[int] = Counter()
    with open_input(path) as copy, suppress(av.error.FFmpegError):
        several: Any = [copy.streams[stream.index] for stream in streams]
        found.update(packet.stream_index for packet in packets_of(copy, several) if packet.size)
    return [stream for stream in streams if found[stream.index] > 1] or streams
