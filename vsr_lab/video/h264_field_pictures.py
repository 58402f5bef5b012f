"""Detection of H.264 packets with the second field of a frame (field pictures or PAFF, in broadcasts and AVCHD).

In containers such as MPEG-TS, each field is a separate packet, so that one frame is decoded from two packets. Section
numbers refer to ITU-T H.264.
"""

from collections.abc import Iterator
from typing import NamedTuple

_SLICES = frozenset({1, 5})  # nal_unit_type (table 7-1): slice, IDR slice
_PARAMETERS = 7  # nal_unit_type: sequence parameter set
_HEAD = 512  # bytes of a NAL unit that are read
_WITH_CHROMA = frozenset(
    {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
)  # profiles with chroma_format_idc


class _BitReader:
    """Bit reader of a NAL unit, from its second byte. Raises ValueError at the end."""

    def __init__(self, unit: bytes) -> None:
        data = unit[1:].replace(b"\0\0\3", b"\0\0")  # emulation prevention, 7.4.1
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def u(self, length: int = 1) -> int:
        """u(n), 7.2."""
        self._at += length
        return int(self._bits[self._at - length : self._at], 2)

    def ue(self) -> int:
        """ue(v), 9.1."""
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.u(zeros + 1) - 1

    def se(self) -> int:
        """se(v), 9.1.1."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip_codes(self, count: int) -> None:
        """Skip ue(v) or se(v) codes, whose lengths are coded alike."""
        for _ in range(count):
            self.ue()


class _Sequence(NamedTuple):
    """has_planes: separate_colour_plane_flag; number: bits of frame_num; has_fields: not frame_mbs_only_flag."""

    has_planes: bool
    number: int
    has_fields: bool


class FieldPictureParser:
    """Detects H.264 packets that contain a single field, from the slice headers of the packets in order.

    Args:
        extradata: codec extradata: an avcC record, NAL units with start codes, or empty.
    """

    def __init__(self, extradata: bytes) -> None:
        self._length = (extradata[4] & 3) + 1 if extradata[:1] == b"\1" and len(extradata) > 8 else 0
        self._sequence: _Sequence | None = None
        self._first: tuple[int, int] | None = None  # parity and frame_num of a first field
        for unit in [extradata[8:]] if self._length else _start_code_units(extradata):
            self._parse_parameters(unit)

    def is_second_field(self, packet: memoryview) -> bool:
        """Whether a packet contains only the second field of the frame whose first field is in the previous packet."""
        if self._sequence and not self._sequence.has_fields:
            return False
        data = bytes(packet)
        units = _length_prefixed_units(data, self._length) if self._length else _start_code_units(data)
        try:
            fields = {field for unit in units if (field := self._field(unit))}
        except ValueError:
            return False  # damage.py reports damage
        field = fields.pop() if len(fields) == 1 else None
        second = field is not None and self._first == (1 - field[0], field[1])
        self._first = None if second else field
        return second

    def _field(self, unit: bytes) -> tuple[int, int] | None:
        """Parity and frame_num of a slice of a field (7.3.3); None for other NAL units."""
        self._parse_parameters(unit)
        sequence = self._sequence
        if not unit or unit[0] & 31 not in _SLICES or not sequence or not sequence.has_fields:
            return None
        bits = _BitReader(unit[:32])
        bits.skip_codes(3)  # first_mb_in_slice, slice_type, pic_parameter_set_id
        if sequence.has_planes:
            bits.u(2)
        number = bits.u(sequence.number)
        return (bits.u(), number) if bits.u() else None

    def _parse_parameters(self, unit: bytes) -> None:
        if unit and unit[0] & 31 == _PARAMETERS:
            self._sequence = _sequence(_BitReader(unit))


def _sequence(bits: _BitReader) -> _Sequence:
    """Parse a sequence parameter set (7.3.2.1.1) up to frame_mbs_only_flag."""
    profile, planes = bits.u(8), False
    bits.u(16)
    bits.ue()
    if profile in _WITH_CHROMA:
        chroma = bits.ue()
        planes = chroma == 3 and bool(bits.u())
        bits.skip_codes(2)
        bits.u()
        if bits.u():
            for n in range(12 if chroma == 3 else 8):
                _skip_scaling_list(bits, 16 if n < 6 else 64)
    number, order = bits.ue() + 4, bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u()
        bits.skip_codes(2)
        bits.skip_codes(bits.ue())
    bits.ue()
    bits.u()
    bits.skip_codes(2)
    return _Sequence(planes, number, not bits.u())


def _skip_scaling_list(bits: _BitReader, size: int) -> None:
    """7.3.2.1.1.1."""
    last = following = 8
    for _ in range(size if bits.u() else 0):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _length_prefixed_units(data: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    while at + prefix < len(data):
        length = int.from_bytes(data[at : at + prefix], "big")
        yield data[at + prefix : at + prefix + min(length, _HEAD)]
        at += prefix + length


def _start_code_units(data: bytes) -> Iterator[bytes]:
    at = data.find(b"\0\0\1") + 3
    while at > 2:
        following = data.find(b"\0\0\1", at)
        end = len(data) if following < 0 else following
        yield data[at : min(end, at + _HEAD)]
        at = following + 3
