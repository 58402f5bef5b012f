"""A second reading of files with PyAV alone: the mean colour of every frame, and the packets of the other streams."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.video.format import VideoFormat

from vsr_lab.video.completeness import select_video_stream
from vsr_lab.video.packets import open_input

_WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087),
            9: (0.2627, 0.0593)}  # fmt: skip
_PLANAR = {
    "nv12": "yuv420p", "p010le": "yuv420p10le", "yuyv422": "yuv422p", "uyvy422": "yuv422p", "nv16": "yuv422p",
    "uyyvyy411": "yuv411p", "y210le": "yuv422p10le", "xv30le": "yuv444p10le", "vuya": "yuva444p", "ayuv64le":
    "yuva444p16le", "v30xle": "yuv444p10le", "vyu444": "yuv444p",
}  # fmt: skip
_NEAR = 4 / 255  # of a mean: what lossy encoders do to soft pictures
_COPIED = 0.0025  # seconds: Matroska rounds to milliseconds


@dataclass
class Reading:
    """What a file shows: means of R, G, B and alpha per frame, and per other stream its codec and packets."""

    means: list[Any] = field(default_factory=list[Any])
    packets: dict[int, list[tuple[float, str]]] = field(default_factory=dict[int, list[tuple[float, str]]])
    samples: dict[int, bytes] = field(default_factory=dict[int, bytes])
    codecs: dict[int, str] = field(default_factory=dict[int, str])
    start: float = 0.0


def opened(path: Path) -> Any:
    """An open file; an animated WebP, which FFmpeg does not decode, by the package."""
    return open_input(path) if path.suffix == ".webp" else av.open(str(path), metadata_errors="replace")


def read(path: Path) -> Reading:
    """Decode every frame, and read every packet of sound and subtitles."""
    found, times, stored = Reading(), list[float](), list[float]()
    with opened(path) as container:
        video: Any = select_video_stream(container, path)
        decoder = _decoder(video)
        others = [s for s in container.streams if s.type in {"audio", "subtitle"}]
        for stream in others:
            found.codecs[stream.index], found.packets[stream.index] = _codec(stream), []
        every: Any = [video, *others]
        for packet in container.demux(every):
            if packet.stream.index != video.index:
                if packet.size > (2 if packet.stream.type == "subtitle" else 0) and packet.pts is not None:
                    data = bytes(packet)
                    data = data[7 if data[1] & 1 else 9 :] if data[:1] == b"\xff" and data[1] & 0xF6 == 0xF0 else data
                    if found.codecs[packet.stream.index].startswith("pcm"):
                        found.samples[packet.stream.index] = found.samples.get(packet.stream.index, b"") + data
                    seconds = float(packet.pts * packet.time_base)
                    found.packets[packet.stream.index].append((seconds, hashlib.sha256(data).hexdigest()))
                continue
            if packet.dts is not None and container.format.name == "avi":  # its times are of decoding
                stored.append(float(packet.dts * packet.time_base))
            try:
                frames = decoder.decode(packet)
            except av.error.InvalidDataError:
                continue
            found.means += [_mean(frame) for frame in frames]
            times += [float(frame.pts * packet.time_base) for frame in frames if frame.pts is not None]
    found.start = min(stored or times, default=0.0)
    return found


def differences(source: Path, output: Path, *, pixels: bool = True) -> list[str]:
    """Frames whose mean colour differs, and copied packets that differ or are elsewhere in time."""
    before, after = read(source), read(output)
    found: list[str] = []
    if pixels and len(before.means) == len(after.means):
        off = [np.abs(a - b).max() for a, b in zip(before.means, after.means, strict=True)]
        if max(off, default=0) > _NEAR:
            found.append(f"mean colour off by {max(off) * 255:.1f} of 255 at frame {int(np.argmax(off))}")
    same = [*zip(sorted(before.packets), sorted(after.packets), strict=False)]
    for one, other in same:
        if before.codecs[one] == after.codecs[other]:
            found += _packet_differences(before, after, one, other)
    return found


def _packet_differences(before: Reading, after: Reading, one: int, other: int) -> list[str]:
    had, has = before.packets[one], after.packets[other]
    name = before.codecs[one]
    if name.startswith("pcm"):  # its packets may be joined or divided
        return [] if name == "pcm_dvd" or before.samples[one] == after.samples[other] else [f"samples of {name} differ"]
    if [digest for _, digest in had] != [digest for _, digest in has]:
        return [f"packets of {name} differ ({len(had)} -> {len(has)})"]
    moved = [abs((a - before.start) - (b - after.start)) for (a, _), (b, _) in zip(had, has, strict=True)]
    return [f"{name} moved by {max(moved) * 1000:.1f} ms"] if max(moved, default=0) > _COPIED else []


def _decoder(stream: Any) -> Any:
    transparent = stream.metadata.get("alpha_mode") == "1"
    names = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
    if transparent and stream.codec_context.name in names:
        return av.CodecContext.create(names[stream.codec_context.name], "r")
    return stream.codec_context


def _codec(stream: Any) -> str:
    name = stream.codec_context.name if stream.codec_context else ""
    return {"ssa": "ass", "mp3float": "mp3", "srt": "subrip"}.get(name, name)


def _mean(frame: Any) -> Any:
    format: Any = frame.format
    if format.is_rgb or format.has_palette:
        return frame.reformat(format="rgba64le").to_ndarray().reshape(-1, 4).mean(0) / 65535
    if format.name.startswith("mono"):
        gray = frame.reformat(format="gray").to_ndarray().mean() / 255
        return np.array([gray, gray, gray, 1.0])
    if format.name in _PLANAR:
        frame = frame.reformat(format=_PLANAR[format.name])
    return _of_planes(frame)


def _of_planes(frame: Any) -> Any:
    format: VideoFormat = frame.format
    bits = max(component.bits for component in format.components)
    kind = np.uint8 if bits <= 8 else np.dtype(">u2" if format.name.endswith("be") else "<u2")
    planes = [
        np.frombuffer(memoryview(p), kind).reshape(p.height, -1)[:, : p.width].mean() / 2.0 ** (bits - 8)
        for p in frame.planes
    ]
    gray = format.name.startswith("gray")
    full = int(frame.color_range) == 2 or format.name.startswith("yuvj") or (gray and int(frame.color_range) == 0)
    top = 255.0 * (1 if bits == 8 else (2.0**bits - 1) / (255 * 2.0 ** (bits - 8)))
    luma = planes[0] / top if full else (planes[0] - 16) / 219
    if gray or len(planes) < 3:
        return np.array([luma, luma, luma, 1.0])
    cb, cr = ((plane - 128) / (top if full else 224) for plane in planes[1:3])
    kr, kb = _WEIGHTS.get(int(frame.colorspace), _WEIGHTS[6 if frame.height <= 576 else 1])
    red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    return np.array([red, green, blue, planes[3] / top if len(planes) > 3 else 1.0])
