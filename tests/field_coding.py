"""H.264 coded field by field (PAFF), which no encoder of PyAV's writes: samples as they are (I_PCM), in Main profile.

Sections are ITU-T H.264's: 7.3.2.1.1 sequence parameter set, 7.3.2.2 picture parameter set, 7.3.3 slice header, 7.3.5
macroblock.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.integer]
_NEUTRAL = bytes([128]) * 128  # both planes of chroma of a macroblock


class _Bits:
    def __init__(self) -> None:
        self.bits: list[int] = []

    def u(self, *numbers: int, length: int = 1) -> "_Bits":
        for number in numbers:
            self.bits += [number >> n & 1 for n in reversed(range(length))]
        return self

    def ue(self, *numbers: int) -> "_Bits":
        for number in numbers:
            length = (number + 1).bit_length()
            self.u(0, length=length - 1).u(number + 1, length=length)
        return self

    def to_bytes(self) -> bytes:
        return np.packbits(np.array(self.bits, np.uint8)).tobytes()  # filled up with zeros


def _unit(kind: int, payload: bytes) -> bytes:
    out, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:  # emulation prevention
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = 0 if byte else zeros + 1
    return b"\0\0\0\1" + bytes([2 << 5 | kind]) + bytes(out)


def _headers(height: int, width: int) -> bytes:
    sequence = _Bits().u(77, 0, 30, length=8).ue(0, 0, 0, 4, 1).u(0).ue(width // 16 - 1, height // 32 - 1)
    sequence.u(0, 0, 1, 0, 1)  # frame_mbs_only, mb_adaptive, direct_8x8, no cropping, vui
    sequence.u(0, 0, 0, 0, 1).u(1, 50, length=32).u(1).u(0, 0, 0, 0).u(1)  # of the vui only 50 fields a second
    picture = _Bits().ue(0, 0).u(0, 0).ue(0, 0, 0).u(0, 0, 0).ue(0, 0, 0).u(1, 0, 0).u(1)
    return _unit(7, sequence.to_bytes()) + _unit(8, picture.to_bytes())


def _field(luma: Luma, number: int, bottom: int) -> bytes:
    first = number == 0 and not bottom
    bits = _Bits().ue(0, 7, 0).u(number % 16, length=4).u(1, bottom)  # field_pic, bottom_field
    bits = bits.ue(0) if first else bits
    bits.u((2 * number + bottom) % 256, length=8).u(*([0, 0] if first else [0])).ue(0, 1)
    payload = bytearray()
    for y in range(0, luma.shape[0], 16):
        for x in range(0, luma.shape[1], 16):
            payload += bits.ue(25).to_bytes() + luma[y : y + 16, x : x + 16].astype(np.uint8).tobytes() + _NEUTRAL
            bits = _Bits()
    return _unit(5 if first else 1, bytes(payload) + b"\x80")


def field_pictures(luma: Luma) -> list[tuple[bytes, bytes]]:
    """The coded top and bottom field of each frame. luma: T H W, H a multiple of 32, W of 16."""
    coded = [tuple(_field(frame[bottom::2], n, bottom) for bottom in (0, 1)) for n, frame in enumerate(luma)]
    coded[0] = (_headers(*luma.shape[1:]) + coded[0][0], coded[0][1])
    return coded  # pyright: ignore[reportReturnType]


def write_field_pictures(path: Path, luma: Luma, apart: bool) -> Path:
    """25 frames a second, exact, neutral chroma, top field first. apart: each field in a packet of its own."""
    pictures = field_pictures(luma)
    bare = path.with_suffix(".h264")
    bare.write_bytes(b"".join(top + bottom for top, bottom in pictures))
    if path.suffix == ".h264":
        return path
    with av.open(str(bare)) as template, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(template.streams.video[0])
        for n, (top, bottom) in enumerate(pictures):
            for tick, data in ((2 * n, top), (2 * n + 1, bottom)) if apart else ((2 * n, top + bottom),):
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 50), n == 0
                packet.pts = packet.dts = tick
                container.mux(packet)
    return path
