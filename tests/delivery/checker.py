"""Whether an upscaled file is right: everything that the source has is compared with what the output has."""

import re
import struct
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition

from tests.delivery.independent import differences, opened
from vsr_lab.core.clip import AnyFrames
from vsr_lab.deployment.planning.encoding import Samples
from vsr_lab.video import ReadOptions, VideoFile
from vsr_lab.video.completeness import select_video_stream

_TECHNICAL = {
    "encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "duration", "bps",
    "number_of_frames", "number_of_bytes", "software", "language", "mimetype", "filename", "creation_time", "rotate",
    "alpha_mode", "timecode", "product_version_num", "product_version", "application_platform", "toolkit_version_num",
    "material_package_umid", "file_package_umid", "uid", "generation_uid", "product_uid", "modification_date",
    "operational_pattern_ul", "toolkit_version", "company_name", "product_name",
}  # fmt: skip
_KEEP = ReadOptions(deinterlace="keep", tone_map="keep", damaged="keep")
_FLAGS = Disposition.forced | Disposition.comment | Disposition.hearing_impaired | Disposition.visual_impaired


@dataclass
class File:
    """What is compared.

    times: of frames, in seconds, as the container has them; streams: counted by kind; sound: start and end of each
    audio stream in seconds.
    """

    container: str = ""
    times: list[Fraction] = field(default_factory=list[Fraction])
    last: Fraction = Fraction(0)
    tick: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    pixel_format: str = ""
    size: tuple[int, int] = (0, 0)
    aspect: Fraction = Fraction(1)
    turned: bool = False
    colors: tuple[int, int, int] = (2, 2, 2)
    streams: Counter[str] = field(default_factory=Counter[str])
    described: list[tuple[str, str, str, int]] = field(default_factory=list[tuple[str, str, str, int]])
    sound: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    text: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    chapters: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    timecode: str = ""
    captions: int = 0
    says_sei: bool = False
    side_data: dict[str, bytes] = field(default_factory=dict[str, bytes])


def describe(path: Path) -> File:
    """Read all of a file."""
    found = File()
    with opened(path) as container:
        video = select_video_stream(container, path)
        _describe_streams(container, video.index, found)
        found.container = container.format.name
        found.tags = _tags(container.metadata)
        found.timecode = found.timecode or container.metadata.get("timecode", "")
        for chapter in container.chapters():
            base: Any = chapter["time_base"]
            times = (float(chapter[name] * base) for name in ("start", "end"))
            found.chapters.append((*times, chapter["metadata"].get("title", "")))  # pyright: ignore[reportArgumentType]
        sounds = {s.index: (9e9, -9e9) for s in container.streams.audio}
        times: list[tuple[Fraction, Fraction]] = []
        every: Any = [s for s in container.streams if s.type in {"video", "audio", "subtitle"}]
        for packet in container.demux(every):
            if packet.stream.index == video.index:
                for frame in _decoded(packet):
                    times.append((_time(frame), Fraction(frame.duration or 0) * (frame.time_base or 0)))
                    _describe_frame(frame, found)
            elif packet.stream.index in sounds and packet.size and packet.pts is not None:
                for frame in _decoded(packet):
                    start, end = sounds[packet.stream.index]
                    at = float(frame.time or 0)
                    sounds[packet.stream.index] = min(start, at), max(end, at + frame.samples / frame.sample_rate)
            elif packet.stream.type == "subtitle" and packet.size > 2 and packet.pts is not None:  # else a gap
                found.text.append((float(packet.pts * packet.time_base), _plain(packet)))
        found.sound = list(sounds.values())
        if not any(time > 0 for time, _ in times):  # an elementary stream has no times
            times = [(n / Fraction(video.average_rate or 25), Fraction(0)) for n in range(len(times))]
        if any(time < 0 for time, _ in times[1:]) and times[0][0] >= 0:  # some have none
            step = 1 / Fraction(video.average_rate or 25)
            times = [pair if pair[0] >= 0 else (times[0][0] + n * step, pair[1]) for n, pair in enumerate(times)]
        times.sort()
        found.times, found.last = [time for time, _ in times], times[-1][1] if times else Fraction(0)
        if video.duration and "mp4" in container.format.name and times:  # packets state differences of decoding times
            found.last = ((video.start_time or 0) + video.duration) * Fraction(video.time_base or 0) - times[-1][0]
        found.rate, found.tick = Fraction(video.average_rate or 0), Fraction(video.time_base or 0)
        found.size = (video.codec_context.width, video.codec_context.height)
        found.aspect = Fraction(video.sample_aspect_ratio or 1)
    return found


def _decoded(packet: Any) -> list[Any]:
    try:
        return packet.decode()
    except av.error.InvalidDataError:
        return []


def _time(frame: Any) -> Fraction:
    return Fraction(frame.pts if frame.pts is not None else frame.dts or -1) * frame.time_base


def _describe_streams(container: Any, video: int, found: File) -> None:
    for stream in container.streams:
        cover = stream.disposition & Disposition.attached_pic
        kind = "cover" if cover else stream.type
        name = (stream.metadata.get("mimetype") or "").partition("/")[0]
        kind = "cover" if kind == "attachment" and name == "image" else kind
        if kind != "data":
            found.streams[kind] += 1
        language = next((value for key, value in stream.metadata.items() if key.lower() == "language"), "und")
        if stream.index == video or kind in {"audio", "subtitle"}:
            flags = int(stream.disposition & _FLAGS)
            title = stream.metadata.get("title") or stream.metadata.get("handler_name", "")  # of MP4
            usual = title.endswith("Handler") or title.startswith("Core Media") or title.startswith("\x0c")
            found.described.append((kind, language or "und", "" if usual else title, flags))
        found.timecode = found.timecode or next((v for k, v in stream.metadata.items() if k.lower() == "timecode"), "")


def _describe_frame(frame: Any, found: File) -> None:
    kinds = {data.type.name for data in frame.side_data}
    found.captions += "A53_CC" in kinds
    if "SEI_UNREGISTERED" in kinds:
        found.says_sei |= any(b"neural network" in bytes(data) for data in frame.side_data)
    for kind in kinds & {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}:
        found.side_data.setdefault(kind, _ratios(kind, bytes(frame.side_data[kind])))
    if not found.pixel_format:
        found.pixel_format = frame.format.name
        found.colors = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
        matrix = frame.side_data.get("DISPLAYMATRIX") if "DISPLAYMATRIX" in kinds else None
        found.turned = matrix is not None and struct.unpack_from("=i", bytes(matrix))[0] == 0


def _ratios(kind: str, data: bytes) -> bytes:
    """Mastering metadata with its fractions reduced."""
    if kind == "CONTENT_LIGHT_LEVEL":
        return data
    numbers = struct.unpack_from("=20i", data)
    return repr([round(a / b, 4) if b else 0 for a, b in zip(numbers[::2], numbers[1::2], strict=True)]).encode()


def _plain(packet: Any) -> str:
    try:
        text = " ".join(rect.dialogue.decode(errors="replace") for rect in packet.decode() if hasattr(rect, "dialogue"))
        return re.sub(r"\{[^}]*\}", "", text)  # styles
    except (av.FFmpegError, ValueError):
        return ""


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    kept = {key.lower().removesuffix("-eng"): value for key, value in metadata.items()}
    return {key: value for key, value in kept.items() if key not in _TECHNICAL and not key.startswith("_stat")}


def frames_of(path: Path, read_options: ReadOptions = _KEEP) -> AnyFrames:
    """All frames as RGB in [0, 65535]."""
    video = VideoFile(path, read_options=read_options)
    frames = video.read(0, video.frames).frames
    return frames if frames.dtype == np.uint16 else frames.astype(np.uint16) * 257


def psnr(one: AnyFrames, other: AnyFrames) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2) / 65535**2
    return float(-10 * np.log10(error)) if error else 99.0


def problems(source: Path, output: Path, scale: int = 2, read_options: ReadOptions = _KEEP) -> list[str]:
    """What the output lacks or has otherwise; frames are compared with the source's, pixels `scale` times as large."""
    before, after = describe(source), describe(output)
    original, written = Samples.of(before.pixel_format), Samples.of(after.pixel_format)
    found = [*_timing(before, after, read_options), *_streams(before, after)]
    size = before.size[::-1] if before.turned else before.size
    if after.size != tuple(scale * side for side in size):
        found.append(f"size {after.size}")
    aspect = 1 / before.aspect if before.turned else before.aspect
    if after.aspect != aspect:
        found.append(f"aspect {after.aspect}, not {aspect}")
    if written.bits < original.bits:
        found.append(f"bits {original.bits} -> {written.bits}")
    if original.chroma and (
        not written.chroma or any(a > b for a, b in zip(written.chroma, original.chroma, strict=True))
    ):
        found.append(f"chroma {original} -> {written}")
    if read_options.tone_map == "keep" and not (written.rgb and not original.rgb):
        for name, have, want in zip(("primaries", "transfer", "matrix"), after.colors, before.colors, strict=True):
            if name == "matrix" and not original.chroma:
                continue
            if want not in (0, 2, have) and not (name == "matrix" and {have, want} == {5, 6}):
                found.append(f"{name} {want} -> {have}")
        for kind, value in before.side_data.items():
            if after.side_data.get(kind) != value:
                found.append(f"{kind} not kept")
        if len(before.times) == len(after.times):
            quality = psnr(frames_of(output), frames_of(source, read_options).repeat(scale, 1).repeat(scale, 2))
            found += [f"{quality:.1f} dB"] if quality < 36 else []
    pixels = read_options.tone_map == "keep" and read_options.deinterlace in (None, "keep")
    return found + differences(source, output, pixels=pixels)


def _timing(before: File, after: File, read_options: ReadOptions) -> list[str]:
    if read_options.deinterlace not in (None, "keep"):
        return []
    if len(before.times) != len(after.times):
        return [f"{len(after.times)} frames for {len(before.times)}"]
    found: list[str] = []
    shift = after.times[0] - before.times[0]
    least = {
        "mpegts": 9e9,
        "mpeg": 9e9,
        "matroska,webm": 0.05,
        "flv": 0.05,
    }
    clock = before.container in {"mpegts", "mpeg"} and not 0 <= before.times[0] <= 60
    if clock or 0 < shift < least.get(after.container, 0):
        after.times = [time - shift for time in after.times]
        after.text = [(at - float(shift), line) for at, line in after.text]
        after.sound = [(start - float(shift), end - float(shift)) for start, end in after.sound]
    tolerance = float(max(before.tick, after.tick, Fraction(1, 2000)))
    off = max(abs(float(a - b)) for a, b in zip(before.times, after.times, strict=True))
    if off > tolerance * 1.01:
        found.append(f"times off by {off * 1000:.1f} ms")
    span = before.times[-1] - before.times[0]
    true = (
        span and before.rate and abs(float((len(before.times) - 1) / span / before.rate) - 1) < 0.1
    )  # some files state nonsense
    steps = {round(float(b - a) / float(before.tick or 1) / 2) for a, b in pairwise(before.times)}
    same = len(steps) == 1 or before.container == after.container  # of an uneven rate each states something else
    near = 0.005 if len(steps) == 1 else 0.02  # of MP4 it depends on the order of coding
    if true and same and abs(float(after.rate / before.rate) - 1) > near:
        found.append(f"rate {before.rate} -> {after.rate}")
    if true and len(steps) > 1 and before.last and abs(float(after.last - before.last)) > 2 * tolerance:
        found.append(f"last frame {float(before.last):.3f} -> {float(after.last):.3f} s")
    for (start, end), (new_start, new_end) in zip(before.sound, after.sound, strict=False):
        if abs(start - new_start) > 0.03 or abs(end - new_end) > 0.05:
            found.append(f"sound at {start:.3f}-{end:.3f} -> {new_start:.3f}-{new_end:.3f}")
    return found


def _streams(before: File, after: File) -> list[str]:
    found = [f"{kind} {n} -> {after.streams[kind]}" for kind, n in before.streams.items() if after.streams[kind] < n]
    order = sorted(before.described), sorted(after.described)
    missing = [one for one in order[0] if one not in order[1] and (one[1] != "und" or one[2] or one[3])]
    found += [f"stream description {one} lost" for one in missing]
    if len(before.text) == len(after.text):
        for (at, line), (new_at, new_line) in zip(before.text, after.text, strict=True):
            if abs(at - new_at) > 0.002 or (line and line.strip() != new_line.strip()):
                found.append(f"subtitle {line!r} at {at} -> {new_line!r} at {new_at}")
    else:
        found.append(f"{len(after.text)} subtitles for {len(before.text)}")
    if [(round(a, 2), round(b, 2), t) for a, b, t in before.chapters] != [
        (round(a, 2), round(b, 2), t) for a, b, t in after.chapters
    ]:
        found.append(f"chapters {before.chapters} -> {after.chapters}")
    found += [f"tag {key} lost" for key, value in before.tags.items() if not _kept(value, after.tags.get(key, ""))]
    if not any("neural network" in value for value in after.tags.values()) and not after.says_sei:
        found.append("no disclosure")
    found += [f"timecode {before.timecode} lost"] if before.timecode and before.timecode != after.timecode else []
    found += [f"captions {before.captions} -> {after.captions}"] if after.captions < before.captions else []
    return found


def _kept(value: str, now: str) -> bool:
    if value.startswith(("+", "-")):  # a place
        numbers = [[float(n) for n in re.findall(r"[+-][\d.]+", text)] for text in (value, now)]
        return numbers[0] == numbers[1]
    return value in now
