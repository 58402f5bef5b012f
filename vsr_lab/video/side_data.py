"""Side data of decoded frames: captions, mastering display, display matrix."""

import struct
from enum import Enum
from fractions import Fraction
from typing import Any

from av.sidedata import sidedata
from av.video.frame import VideoFrame


def _unknown(kinds: type[Enum], value: object) -> Any:
    member = object.__new__(kinds)
    member._name_, member._value_ = f"UNKNOWN_{value}", value
    return member


# PyAV lists the kinds that it knows and raises ValueError for all side data of a frame that has another one, such as
# the view of MV-HEVC. Kinds unknown to it become members without a meaning.
setattr(sidedata.Type, "_missing_", classmethod(_unknown))  # noqa: B010


def side_data(frame: VideoFrame, kind: str) -> bytes:
    """Side data of a frame as bytes; empty if there is none.

    Args:
        frame: the frame.
        kind: PyAV's name of the side data, such as A53_CC (closed captions).
    """
    data = frame.side_data.get(kind)
    return b"" if data is None else bytes(data)


def side_data_kinds(frame: VideoFrame) -> set[str]:
    """Names of the kinds of side data that a frame has."""
    every: Any = frame.side_data
    return {data.type.name for data in every}


def mastering_display(frame: VideoFrame) -> str:
    """Mastering display metadata (SMPTE ST 2086) of a frame, as text in x265's notation; "" if there is none.

    Chromaticities are in units of 0.00002, luminance in units of 0.0001 cd/m2.
    """
    data = side_data(frame, "MASTERING_DISPLAY_METADATA")
    if len(data) < 88:  # AVMasteringDisplayMetadata: 10 AVRational and two flags
        return ""
    numbers = struct.unpack_from("=20i", data)
    has_primaries, has_luminance = struct.unpack_from("=2i", data, 80)
    if not (has_primaries and has_luminance) or not all(numbers[1::2]):
        return ""
    values = [Fraction(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    x = [round(value * 50_000) for value in values[:8]]
    darkest, brightest = (round(value * 10_000) for value in values[8:])
    return f"G({x[2]},{x[3]})B({x[4]},{x[5]})R({x[0]},{x[1]})WP({x[6]},{x[7]})L({brightest},{darkest})"


def content_light(frame: VideoFrame) -> tuple[int, int] | None:
    """Read the content light levels of a video from the side data of one of its frames (CTA-861.3).

    Returns:
        MaxCLL, the luminance of the brightest pixel of the video, and MaxFALL, the highest mean luminance of a frame,
        in cd/m2; None if the frame has no such side data.
    """
    data = side_data(frame, "CONTENT_LIGHT_LEVEL")
    return struct.unpack_from("=2I", data) if len(data) >= 8 else None
