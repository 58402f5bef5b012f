"""Chroma sample location of a video stream."""

import io
import re

import av
import av.error
from av import VideoStream
from av.container import InputContainer

# Position of the first chroma sample, x and y, in luma samples.
ChromaLocation = tuple[float, float]
LEFT: ChromaLocation = (0.0, 0.5)  # MPEG-2 and later codecs, and the default
CENTER: ChromaLocation = (0.5, 0.5)  # JPEG, MPEG-1
TOP_LEFT: ChromaLocation = (0.0, 0.0)  # BT.2020, DV

_PLACES = {1: 0.0, 2: 0.5}  # Matroska's ChromaSitingHorz and ChromaSitingVert: collocated, half
_MATROSKA = re.compile(rb"\x55\xb7\x81([\x01\x02])\x55\xb8\x81([\x01\x02])", re.DOTALL)


def chroma_location_of(container: InputContainer, stream: VideoStream) -> ChromaLocation:
    """Chroma location according to the tags of a stream; LEFT if it has no such tag."""
    extradata = stream.codec_context.extradata or b""
    if container.format.name == "yuv4mpegpipe":
        return _y4m(container.name)
    if "av1" in stream.codec_context.name:  # AV1CodecConfigurationRecord, chroma_sample_position
        return TOP_LEFT if len(extradata) > 2 and extradata[2] & 3 == 2 else LEFT
    return _by_matroska(stream)


def _y4m(path: str) -> ChromaLocation:
    with open(path, "rb") as file:  # noqa: PTH123
        header = file.readline(256)
    return LEFT if b" C420mpeg2" in header else TOP_LEFT if b" C420paldv" in header else CENTER


def _by_matroska(stream: VideoStream) -> ChromaLocation:
    """Read it from a Matroska header that is muxed for the stream, because PyAV does not expose the field."""
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="matroska") as copy:
            copy.add_stream_from_template(stream)
            copy.start_encoding()
            found = _MATROSKA.search(header.getvalue())
    except (av.error.FFmpegError, ValueError):
        return LEFT  # codecs that Matroska cannot hold are not tagged either
    return (_PLACES[found[1][0]], _PLACES[found[2][0]]) if found else LEFT
