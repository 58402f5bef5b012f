"""Files of the kinds that people have, beyond those that `Film` describes, each made by a small function."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.delivery.making import Film, make, pictures
from vsr_lab.deployment.streams.picture_text import escaped

Change = Callable[[bytes], bytes]


def changed(film: Film, change: Change) -> Callable[[Path], Path]:
    """A film whose bytes are changed after it was made."""

    def write(folder: Path) -> Path:
        path = make(film, folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


def named(film: Film, name: str) -> Callable[[Path], Path]:
    """A film under another name, such as one whose suffix lies."""
    return lambda folder: make(film, folder).rename(folder / name)


def plain(name: str, content: bytes) -> Callable[[Path], Path]:
    """A file with these bytes."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def repacked(film: Film, change: Callable[[int, Any], Any], **options: str) -> Callable[[Path], Path]:
    """A film whose video packets are changed on their way into a second file; None leaves one out.

    change: takes the number of a packet and the packet.
    """

    def write(folder: Path) -> Path:
        source = make(film, folder)
        target = source.with_name(f"re_{source.name}")
        with av.open(str(source)) as given, av.open(str(target), "w", container_options=dict(options)) as made:
            streams = {s.index: made.add_stream_from_template(s, opaque=True) for s in given.streams}
            counts = dict.fromkeys(streams, 0)
            for packet in given.demux():
                if not packet.size:
                    continue
                index = packet.stream.index
                kind = packet.stream.type
                packet = change(counts[index], packet) if kind == "video" else packet
                counts[index] += 1
                if packet is not None:
                    packet.stream = streams[index]
                    made.mux_one(packet)
        return target

    return write


def with_bytes(packet: Any, data: bytes) -> Any:
    """A packet with other content."""
    made: Any = av.Packet(data)
    made.pts, made.dts, made.duration, made.is_keyframe = (
        packet.pts, packet.dts, packet.duration, packet.is_keyframe,
    )  # fmt: skip
    made.time_base = packet.time_base
    return made


def with_unit(unit: bytes, *, end: bool = False) -> Callable[[int, Any], Any]:
    """Insert a NAL unit before the slices of every packet (Annex B), or behind them."""

    def change(_: int, packet: Any) -> Any:
        data, coded = bytes(packet), b"\0\0\0\1" + unit
        if end:
            return with_bytes(packet, data + coded)
        units = data.split(b"\0\0\1")
        at = next(n for n, one in enumerate(units) if n and _is_slice(one, unit))
        return with_bytes(packet, b"\0\0\1".join(units[:at]) + coded + b"\0\0\1" + b"\0\0\1".join(units[at:]))

    return change


def late(change: Callable[[int, Any], Any]) -> Callable[[int, Any], Any]:
    """A change of the packets from number 10 on, after those that are examined before the work."""
    return lambda number, packet: change(number, packet) if number >= 10 else packet


def _is_slice(one: bytes, like: bytes) -> bool:
    """Whether a unit has a slice; like: a unit of the same codec."""
    return one[0] >> 1 & 63 < 32 if like[0] in (0x4E, 0x7C) else one[0] & 31 in (1, 5)


def sei(payload: bytes, *, hevc: bool = False, kind: int = 4) -> bytes:
    """NAL unit with one SEI message; kind 4: registered user data (ITU-T T.35)."""
    return (b"\x4e\x01" if hevc else b"\x06") + escaped(bytes([kind, len(payload)]) + payload + b"\x80")


def bits(text: str) -> bytes:
    """Bytes of binary digits, filled with zeros."""
    digits = text.replace(" ", "")
    return int(digits.ljust(-(-len(digits) // 8) * 8, "0"), 2).to_bytes(-(-len(digits) // 8), "big")


CAPTIONS = b"\xb5\x00\x31GA94\x03\x41\xff\xfc\x94\x20\xff"  # one pair of CEA-608
ACTIVE_FORMAT = b"\xb5\x00\x31DTG1\x41\xfa"
# ST 2094-40: one window, target 400 cd/m2, MaxSCL and the average as 17 bits each, no percentiles, no tone curve.
HDR10_PLUS = b"\xb5\x00\x3c\x00\x01\x04\x01" + bits(
    f"01 {400:027b} 0 {5000:017b} {5000:017b} {5000:017b} {900:017b} 0000 {7:010b} 0 0 0"
)
FRAME_PACKING = bits(f"1 0 {3:07b} 0 000001 000000 {0:016b} {0:08b} 1 0")  # side by side


def raw_y4m(
    name: str, header: str, *, chroma: tuple[int, int], bits: int = 8, frames: int = 6
) -> Callable[[Path], Path]:
    """YUV4MPEG2 with soft waves. header: C tag and more; chroma: log2 of its subsampling, (0, -1) for none."""

    def write(folder: Path) -> Path:
        width, height = 96, 64
        luma = pictures(Film(name, size=(width, height), frames=frames))[..., 1].astype(np.float64) / 65535
        kind, top = (np.uint8, 1) if bits == 8 else ("<u2", 2 ** (bits - 8))
        out = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 {header}\n".encode()
        for one in luma:
            out += b"FRAME\n" + np.rint((16 + 219 * one) * top).astype(kind).tobytes()
            if chroma[1] >= 0:
                small = one[:: 2 ** chroma[1], :: 2 ** chroma[0]]
                out += np.rint((96 + 64 * small) * top).astype(kind).tobytes() * 2
        (folder / name).write_bytes(out)
        return folder / name

    return write


def picture_file(name: str, format: str = "rgb24", codec: str = "png") -> Callable[[Path], Path]:
    """A still picture."""

    def write(folder: Path) -> Path:
        context: Any = av.CodecContext.create(codec, "w")
        context.width, context.height, context.time_base = 96, 64, Fraction(1, 25)
        frame = av.VideoFrame.from_ndarray((pictures(Film(name, frames=1))[0] >> 8).astype(np.uint8), format="rgb24")
        context.pix_fmt = format
        packets = [*context.encode(frame.reformat(format=format)), *context.encode(None)]
        (folder / name).write_bytes(b"".join(bytes(packet) for packet in packets))
        return folder / name

    return write


def with_packets(
    film: Film, codec: str, packets: Sequence[tuple[float, bytes]], **options: Any
) -> Callable[[Path], Path]:
    """A film with another stream of this codec, which no encoder here writes; packets: seconds and content."""

    def write(folder: Path) -> Path:
        source = make(film, folder)
        target = source.with_name(f"re_{source.name}")
        with av.open(str(source)) as given, av.open(str(target), "w") as made:
            video: Any = made.add_stream_from_template(given.streams.video[0], opaque=True)
            other: Any = made.add_mux_stream(codec, **options)
            for packet in given.demux(given.streams.video[0]):
                if packet.size:
                    packet.stream = video
                    made.mux_one(packet)
            for seconds, content in packets:
                packet: Any = av.Packet(content)
                packet.pts = packet.dts = round(1000 * seconds)
                packet.duration, packet.time_base, packet.stream = 100, Fraction(1, 1000), other
                made.mux_one(packet)
        return target

    return write


def boxes_patched(old: bytes, new: bytes, *, first: bool = False) -> Change:
    """Replace bytes of the same length, in the whole file or once."""
    assert len(old) == len(new)
    return lambda data: data.replace(old, new, 1 if first else -1)


def matrix_patched(values: Sequence[int]) -> Change:
    """Set the 3x3 matrix in the header of the first track of MP4, in units of 1/65536 (the last column of 2^-30)."""

    def change(data: bytes) -> bytes:
        at = data.index(b"tkhd") + 4 + 40  # version 0
        packed = struct.pack(">9i", *(v if n % 3 == 2 else v * 65536 for n, v in enumerate(values)))
        return data[:at] + packed + data[at + 36 :]

    return change


def cut(share: float) -> Change:
    """Keep the first part of a file."""
    return lambda data: data[: int(share * len(data))]


def from_middle(share: float, unit: int = 188) -> Change:
    """Leave the first part of a transport stream out."""
    return lambda data: data[int(share * len(data)) // unit * unit :]


def zeroed(start: float, count: int) -> Change:
    """Overwrite bytes from a share of the file on."""

    def change(data: bytes) -> bytes:
        at = int(start * len(data))
        return data[:at] + bytes(count) + data[at + count :]

    return change


def tone(name: str, codec: str = "aac") -> Callable[[Path], Path]:
    """A file with sound only."""

    def write(folder: Path) -> Path:
        with av.open(str(folder / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=48000, layout="mono")
            wave = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), format="s16", layout="mono")
            wave.sample_rate, wave.pts = 48000, 0
            stream.codec_context.open()
            context = stream.codec_context
            resampler = av.AudioResampler(context.format, context.layout, 48000, context.frame_size or None)
            for part in [*resampler.resample(wave), *resampler.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
        return folder / name

    return write


def scrambled(data: bytes) -> bytes:
    """A transport stream whose payloads are scrambled, as conditional access does."""
    out = bytearray(data)
    for at in range(0, len(out) - 187, 188):
        if 0x100 <= (out[at + 1] & 31) << 8 | out[at + 2] < 0x1000:
            out[at + 3] |= 0x80
            start = at + 5 + out[at + 4] if out[at + 3] & 0x20 else at + 4
            out[start : at + 188] = bytes(byte ^ 0x5A for byte in out[start : at + 188])
    return bytes(out)


def turned_jpeg(folder: Path) -> Path:
    """A JPEG that EXIF turns by 90 degrees."""
    path = picture_file("turned.jpg", "yuvj420p", "mjpeg")(folder)
    entry = struct.pack("<HHHII", 1, 0x112, 3, 1, 6)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + entry + bytes(4)
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    return path


def joined(first: Film, second: Film) -> Callable[[Path], Path]:
    """Two films in one file, end to end."""

    def write(folder: Path) -> Path:
        path = make(first, folder)
        path.write_bytes(path.read_bytes() + make(second, folder).read_bytes())
        return path

    return write


def with_empty(film: Film, codec: str) -> Callable[[Path], Path]:
    """A film with a stream of sound that has no packets."""

    def write(folder: Path) -> Path:
        source = make(film, folder)
        target = source.with_name(f"re_{source.name}")
        with av.open(str(source)) as given, av.open(str(target), "w") as made:
            video: Any = made.add_stream_from_template(given.streams.video[0])
            made.add_stream(codec, rate=48000, layout="mono")
            for packet in given.demux(given.streams.video[0]):
                if packet.size:
                    packet.stream = video
                    made.mux_one(packet)
        return target

    return write
