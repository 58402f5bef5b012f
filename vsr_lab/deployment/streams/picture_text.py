"""Writing of a text into a coded picture: as SEI message of H.264 or HEVC, PNG chunk, TIFF tag or EXR attribute."""

import re
import struct
import zlib
from uuid import UUID

import numpy as np

_UUID = UUID("8d2b35fd-9f8b-4a3c-8e4e-7673725f6c61").bytes  # identifies the user data of this package
_USER_DATA = 5  # payload type: user data unregistered
_START = b"\0\0\1"
_PNG_HEADER = 33  # bytes of the signature and of the first chunk, which has the size
_DESCRIPTION = 270  # tag ImageDescription of TIFF
# Header of a NAL unit with a SEI message; start of a unit with a slice.
_H264 = (b"\x06", re.compile(rb"\x00?\x00\x00\x01[\x01-\x05\x21-\x25\x41-\x45\x61-\x65]"))
_HEVC = (b"\x4e\x01", re.compile(rb"\x00?\x00\x00\x01[\x00-\x3f]"))  # types 0 to 31
_CODECS = {"libx264": _H264, "libx264rgb": _H264, "h264_nvenc": _H264, "libx265": _HEVC, "hevc_nvenc": _HEVC}


def takes_text(encoder: str) -> bool:
    """Whether `insert_text` can write a text into the output of an encoder, given by FFmpeg's name."""
    return encoder in _CODECS or encoder in {"png", "tiff", "exr"}


def insert_text(picture: bytes, text: str, encoder: str) -> bytes:
    """Insert a text into a coded picture, as SEI message before the first slice or as description of an image.

    Args:
        picture: packet of FFmpeg's encoder: NAL units with start codes (Annex B), or a whole image file.
        text: the text; ASCII characters appear unchanged in the stream.
        encoder: FFmpeg's name of an encoder for which `takes_text` is true.

    Returns:
        The picture with the text; a picture without slices is returned unchanged.
    """
    if encoder == "png":
        chunk = b"tEXtDescription\0" + text.encode("latin-1")
        sized = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return picture[:_PNG_HEADER] + sized + picture[_PNG_HEADER:]
    if encoder == "tiff":
        return _described_tiff(picture, text.encode("ascii") + b"\0")
    if encoder == "exr":
        return _commented_exr(picture, text.encode("ascii"))
    header, slices = _CODECS[encoder]
    first = slices.search(picture)
    if first is None:
        return picture
    payload = _UUID + text.encode()
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    message = escaped(bytes([_USER_DATA]) + size + payload + b"\x80")  # the last byte ends the unit
    return picture[: first.start()] + b"\0" + _START + header + message + picture[first.start() :]


def _described_tiff(picture: bytes, text: bytes) -> bytes:
    """Append the text, and a directory with all tags (of 12 bytes, in their order) and ImageDescription."""
    (place,) = struct.unpack_from("<I", picture, 4)
    (count,) = struct.unpack_from("<H", picture, place)
    tags = [picture[at : at + 12] for at in range(place + 2, place + 2 + 12 * count, 12)]
    picture += bytes(len(picture) % 2)
    tags.append(struct.pack("<HHII", _DESCRIPTION, 2, len(text), len(picture)))
    picture += text + bytes(len(text) % 2)
    tags.sort(key=lambda tag: struct.unpack_from("<H", tag))
    directory = struct.pack("<H", len(tags)) + b"".join(tags) + bytes(4)
    return picture[:4] + struct.pack("<I", len(picture)) + picture[8:] + directory


def _commented_exr(picture: bytes, text: bytes) -> bytes:
    """Append the attribute `comments` to the header, and move the places of the chunks behind it."""
    end = 8
    while picture[end]:
        value = picture.index(0, picture.index(0, end) + 1) + 5  # behind name, type and size
        end = value + struct.unpack_from("<I", picture, value - 4)[0]
    comment = b"comments\0string\0" + struct.pack("<I", len(text)) + text
    (first,) = struct.unpack_from("<Q", picture, end + 1)  # the first chunk follows the table of places
    places = np.frombuffer(picture[end + 1 : first], "<u8") + np.uint64(len(comment))
    return picture[:end] + comment + b"\0" + places.tobytes() + picture[first:]


def escaped(data: bytes) -> bytes:
    """Insert emulation prevention bytes into a NAL unit, so that no two zero bytes are followed by 0, 1 or 2."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", data)
