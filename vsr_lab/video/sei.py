"""Text in a video stream of H.264 or HEVC: a SEI message (user data) before the slices of a picture."""

import re
from uuid import UUID

_UUID = UUID("8d2b35fd-9f8b-4a3c-8e4e-7673725f6c61").bytes  # identifies the user data of this package
_USER_DATA = 5  # payload type: user data unregistered
_START = b"\0\0\1"
# Header of a NAL unit with a SEI message; start of a unit with a slice.
_H264 = (b"\x06", re.compile(rb"\x00?\x00\x00\x01[\x01-\x05\x21-\x25\x41-\x45\x61-\x65]"))
_HEVC = (b"\x4e\x01", re.compile(rb"\x00?\x00\x00\x01[\x00-\x3f]"))  # types 0 to 31
_CODECS = {"libx264": _H264, "libx264rgb": _H264, "h264_nvenc": _H264, "libx265": _HEVC, "hevc_nvenc": _HEVC}


def has_sei(encoder: str) -> bool:
    """Whether `insert_text` can write SEI messages (user data in H.264 and H.265) for an encoder, by FFmpeg's name."""
    return encoder in _CODECS


def insert_text(picture: bytes, text: str, encoder: str) -> bytes:
    """Insert an SEI message with a text before the first slice of a coded picture.

    Args:
        picture: NAL units with start codes (Annex B), as FFmpeg's encoders return them.
        text: the text; ASCII characters appear unchanged in the stream.
        encoder: FFmpeg's name of an encoder for which `has_sei` is true.

    Returns:
        The picture with the message; a picture without slices is returned unchanged.
    """
    header, slices = _CODECS[encoder]
    first = slices.search(picture)
    if first is None:
        return picture
    payload = _UUID + text.encode()
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    message = escaped(bytes([_USER_DATA]) + size + payload + b"\x80")  # the last byte ends the unit
    return picture[: first.start()] + b"\0" + _START + header + message + picture[first.start() :]


def escaped(data: bytes) -> bytes:
    """Insert emulation prevention bytes into a NAL unit, so that no two zero bytes are followed by 0, 1 or 2."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", data)
