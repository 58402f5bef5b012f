"""Detection of H.264 packets with the second field of a frame (field pictures or PAFF, in broadcasts and AVCHD).

In containers such as MPEG-TS, each field is a separate packet, so that one frame is decoded from two packets. Headers
are parsed by libavcodec's bit stream filter trace_headers, which writes their elements to the log, with the names of
ITU-T H.264.
"""

import re
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

import av.error
import av.logging
from av import Packet, VideoStream
from av.bitstream import BitStreamFilterContext

from vsr_lab.video.libav_log import LOG_LOCK, libav_logging

_FIELD = re.compile(r"\d+\s+(frame_mbs_only_flag|frame_num|field_pic_flag|bottom_field_flag)\s+[01]+ = (\d+)")
Values = dict[str, list[int]]


@contextmanager
def _traced() -> Generator[Values]:
    """Collect the values of the traced fields, in the order of the stream."""
    values: Values = defaultdict(list)
    with LOG_LOCK, libav_logging(av.logging.INFO), av.logging.Capture() as said:
        yield values
        for match in filter(None, (_FIELD.match(line) for _, _, line in said)):
            values[match[1]].append(int(match[2]))


class FieldPictures:
    """Detects H.264 packets with the second field of a frame, from the slice headers of the packets in order.

    Args:
        stream: an H.264 stream.
    """

    def __init__(self, stream: VideoStream) -> None:
        with _traced() as values:
            self._filter = BitStreamFilterContext("trace_headers", stream)
        self._has_fields = 0 in values["frame_mbs_only_flag"] or not values["frame_mbs_only_flag"]
        self._first: tuple[int, int] | None = None  # parity and frame_num of a first field

    def is_second_field(self, packet: memoryview) -> bool:
        """Whether a packet contains only the second field of the frame whose first field is in the previous packet."""
        if not self._has_fields:
            return False
        try:
            with _traced() as values:
                self._filter.filter(Packet(bytes(packet)))
        except av.error.FFmpegError:
            return False  # damage.py reports damage
        fields = set(zip(values["bottom_field_flag"], values["frame_num"], strict=False))
        field = fields.pop() if len(fields) == 1 else None
        second = field is not None and self._first == (1 - field[0], field[1])
        self._first = None if second else field
        return second
