"""Small video files of the kinds that people have, made by PyAV."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

BT709 = (1, 1, 1)
RGB = (1, 1, 0)  # colors of files without YCbCr
TEN_BITS = "yuv420p10le"
# options of encoders: fast, and close to lossless where a case compares pictures
FAST = {"preset": "ultrafast", "crf": "10"}
NO_B = {**FAST, "bf": "0"}
QUIET = {**FAST, "x265-params": "log-level=none"}
VP9 = {"cpu-used": "8", "crf": "10", "b": "0", "auto-alt-ref": "0"}
FINE = {"qmin": "1", "qmax": "2", "b:v": "4M"}
P4444 = {"profile": "4444"}
_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
)
LINES = ((100, 200, "Hello"), (350, 100, "Second"))


@dataclass(frozen=True)
class Sound:
    """An audio track."""

    codec: str = "aac"
    language: str = ""
    title: str = ""
    disposition: int = 0
    delay: float = 0.0
    rate: int = 48000
    layout: str = "mono"
    options: dict[str, str] = field(default_factory=dict[str, str])


PCM = (Sound("pcm_s16le"),)


@dataclass(frozen=True)
class Film:
    """A file to make.

    colors: primaries, transfer, matrix; times: in units of base, of an uneven rate; start: in seconds; mpeg: options of
    the muxer.
    """

    name: str
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict[str, str])
    size: tuple[int, int] = (96, 64)
    rate: Fraction = Fraction(24)
    frames: int = 12
    times: Sequence[int] | None = None
    base: Fraction = Fraction(1, 12000)
    start: float = 0.0
    colors: tuple[int, int, int] = BT709
    full: bool = False
    aspect: Fraction = Fraction(1)
    alpha: bool = False
    sounds: tuple[Sound, ...] = ()
    subtitles: str = ""
    chapters: bool = False
    tags: dict[str, str] = field(default_factory=dict[str, str])
    timecode: str = ""
    attachment: bool = False
    cover: bool = False
    muxer: dict[str, str] = field(default_factory=dict[str, str])


def make(film: Film, folder: Path) -> Path:
    """Write a file and return its path."""
    path = folder / film.name
    options = dict(film.muxer)
    with av.open(str(path), "w", container_options=options) as container:
        video = _video(container, film)
        sounds = [(_sound(container, sound), sound) for sound in film.sounds]
        text: Any = _subtitles(container, film.subtitles) if film.subtitles else None
        if film.attachment:
            container.add_attachment("font.ttf", "application/x-truetype-font", bytes(range(64)))
        cover: Any = _cover(container, path.suffix) if film.cover else None
        if film.chapters:
            base = Fraction(1, 1000)
            container.set_chapters(
                [
                    {
                        "id": n + 1,
                        "start": 250 * n,
                        "end": 250 * (n + 1),
                        "time_base": base,
                        "metadata": {"title": name},
                    }
                    for n, name in enumerate(("One", "Two"))
                ]
            )
        container.metadata.update(film.tags)
        packets = [*_encoded(video, film)]
        seconds = float(film.frames / film.rate)
        for stream, sound in sounds:
            packets += _tone(stream, sound, seconds, film.start)
        if cover is not None:
            packets.append(_picture(cover))
        packets.sort(key=lambda packet: float((packet.dts or 0) * packet.time_base))
        for packet in packets:
            container.mux(packet)
        if text is not None:
            for start, length, line in LINES:
                made = text.codec_context.encode_subtitle(
                    SubtitleSet.create(f"0,0,Default,,0,0,0,,{line}".encode(), 0, length, start)
                )
                made.pts = made.dts = start
                made.duration, made.time_base, made.stream = length, Fraction(1, 1000), text
                container.mux(made)
    return path


def pictures(film: Film) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """The frames, RGB (T, H, W, 3) uint16: soft waves that move."""
    width, height = film.size
    t, y, x = np.mgrid[: film.frames, :height, :width]
    waves = np.stack([np.sin(x / 14 + t / 5), np.cos(y / 15 + x / 19 - t / 7), np.sin((x + y) / 16 + t / 9)], -1)
    return np.rint(32767 + 22000 * waves).astype(np.uint16)


def _video(container: Any, film: Film) -> Any:
    stream = container.add_stream(film.codec, rate=film.rate, options=dict(film.options))
    context = stream.codec_context
    context.width, context.height = film.size
    context.pix_fmt = film.pixel_format
    context.time_base = stream.time_base = film.base if film.times else 1 / film.rate
    context.color_primaries, context.color_trc, context.colorspace = film.colors
    context.color_range = 2 if film.full else 1
    stream.sample_aspect_ratio = context.sample_aspect_ratio = film.aspect
    if film.timecode:
        stream.metadata["timecode"] = film.timecode
    return stream


def _encoded(stream: Any, film: Film) -> list[Any]:
    matrix = {1: "bt709", 5: "smpte170m", 6: "smpte170m", 9: "bt2020"}.get(film.colors[2], "bt709")
    wanted = "full" if film.full else "limited"
    alpha = np.full((*film.size[::-1], 1), 40000, np.uint16)
    packets: list[Any] = []
    offset = round(film.start / stream.codec_context.time_base)
    for number, picture in enumerate(pictures(film)):
        kind = "rgba64le" if film.alpha else "rgb48le"
        picture = np.concatenate([picture, alpha], -1) if film.alpha else picture
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=kind)
        graph = av.filter.Graph()
        scale = f"in_range=full:out_color_matrix={matrix}:out_range={wanted}:flags=bicubic+accurate_rnd+full_chroma_int"
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 24)
        )
        steps = (source, graph.add("scale", scale), graph.add("format", film.pixel_format), graph.add("buffersink"))
        graph.link_nodes(*steps).configure()
        graph.push(frame)
        frame = graph.vpull()
        frame.color_primaries, frame.color_trc, frame.colorspace = film.colors
        frame.pts = offset + (film.times[number] if film.times else number)
        frame.time_base = stream.codec_context.time_base
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sound(container: Any, sound: Sound) -> Any:
    stream = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout, options=dict(sound.options))
    stream.codec_context.time_base = Fraction(1, sound.rate)
    if sound.language:
        stream.metadata["language"] = sound.language
    if sound.title:
        stream.metadata["title"] = sound.title
    stream.disposition = Disposition(sound.disposition)
    return stream


def _tone(stream: Any, sound: Sound, seconds: float, start: float) -> list[Any]:
    count = int(sound.rate * seconds)
    channels = len(av.AudioLayout(sound.layout).channels)
    wave = (8000 * np.sin(np.outer(np.arange(count), 0.05 + 0.01 * np.arange(channels)))).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout=sound.layout)
    frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
    context = stream.codec_context
    context.bit_rate = 64000 * channels
    context.open(strict=False)
    resampler = av.AudioResampler(context.format, context.layout, sound.rate, context.frame_size or None)
    frame.pts = 0
    packets = [p for part in [*resampler.resample(frame), *resampler.resample(None)] for p in stream.encode(part)]
    packets += stream.encode(None)
    for packet in packets:
        ticks = round((start + sound.delay) / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packets


def _subtitles(container: Any, codec: str) -> Any:
    stream = container.add_stream(codec)
    stream.metadata["language"] = "fre"
    stream.codec_context.subtitle_header = _HEADER
    stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    stream.codec_context.open(strict=False)
    return stream


def _cover(container: Any, suffix: str) -> Any:
    if suffix == ".mkv":
        container.add_attachment("cover.png", "image/png", _png())
        return None
    stream = container.add_mux_stream("png", width=32, height=32)
    stream.disposition = Disposition.attached_pic
    return stream


def _png() -> bytes:
    context: Any = av.CodecContext.create("png", "w")
    context.width = context.height = 32
    context.pix_fmt, context.time_base = "rgb24", Fraction(1, 25)
    return bytes(context.encode(av.VideoFrame(32, 32, "rgb24"))[0])


def _picture(stream: Any) -> Any:
    packet = av.Packet(_png())
    packet.pts = packet.dts = 0
    packet.time_base, packet.stream = Fraction(1, 25), stream
    return packet
