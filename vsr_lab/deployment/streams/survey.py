"""Properties of a source file other than its pictures: streams, tags, chapters, colour tags, captions."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
import numpy as np
import yaml
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame

from vsr_lab.video.color_conversion import alpha_of
from vsr_lab.video.linear_light import TRANSFERS
from vsr_lab.video.packets import decoder_of, open_input, packets_of
from vsr_lab.video.probe import Probe
from vsr_lab.video.side_data import content_light, mastering_display, side_data, side_data_kinds

_CAPTIONS = {"libx264", "libx264rgb", "libx265", "h264_nvenc", "hevc_nvenc", "mpeg2video"}  # that write them as SEI
_EXAMINED = 8  # frames whose side data is examined
UNSPECIFIED = 2
_NAMES = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_TECHNICAL = {*_NAMES["technical"].split()}
_DYNAMIC, _UNWRITTEN = _NAMES["dynamic"], _NAMES["unwritten"]
_FLAT = {"STEREO3D": {0, 6, 8}, "SPHERICAL": {4}}  # first numbers: pictures that can be shown as they are
_VIEWS = "UNKNOWN_29"  # side data of a video of several views (MV-HEVC), of which the first is decoded


@dataclass(frozen=True)
class SourceStream:
    """Properties of one stream of the source file.

    Attributes:
        index: index of the stream in the file.
        kind: video, audio, subtitle, cover, attachment or data.
        codec: FFmpeg's name of the codec.
        metadata: tags of the stream.
        disposition: FFmpeg's flags, such as default or forced.
        bit_rate: bits per second; 0 if it is not known.
        extradata: codec header (FFmpeg's extradata), or the content of an attachment.
    """

    index: int
    kind: str
    codec: str
    metadata: dict[str, str]
    disposition: int
    bit_rate: int = 0
    extradata: bytes = field(default=b"", repr=False)

    @property
    def language(self) -> str:
        """Language code of three letters, or "" if it is not specified."""
        stated = _tag(self.metadata, "language")
        return "" if stated == "und" else stated

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the stream, such as its title, without tags that FFmpeg adds about the file itself."""
        return written_tags(self.metadata)

    @property
    def kept(self) -> dict[str, str]:
        """Tags for the stream of the output: `tags`, the language, and the name of a track of MP4."""
        named = {"language": self.language, "handler_name": self.metadata.get("handler_name", "")}
        return self.tags | {key: value for key, value in named.items() if value}

    def __str__(self) -> str:
        language = f" ({self.language})" if self.language else ""
        return f"{self.kind} {self.index} {self.codec}{language}"


@dataclass(frozen=True)
class ColorTags:
    """Colour tags as code points of ITU-T H.273; 2: unspecified."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False


@dataclass(frozen=True)
class FrameMetadata:
    """Metadata of frames that an encoder may not write.

    Attributes:
        captions: whether a frame has CEA-608 or CEA-708 captions.
        dynamic: dynamic HDR metadata, such as HDR10+.
        unwritten: other metadata that no encoder writes.
    """

    captions: bool = False
    dynamic: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()

    def lost(self, codec: str, *, mapped: bool) -> list[str]:
        """Phrases that name what an output cannot keep.

        Args:
            codec: encoder of the output.
            mapped: whether HDR is tone-mapped to SDR, so that metadata of HDR has no meaning.
        """
        captions = [f"closed captions (CEA-608/708), which {codec} does not write"]
        dynamic = () if mapped else self.dynamic
        return [*captions * (self.captions and codec not in _CAPTIONS), *dynamic, *self.unwritten]


def frame_metadata(frames: Sequence[VideoFrame]) -> FrameMetadata:
    """Metadata that at least one of the frames has."""
    if not (names := {name for frame in frames for name in side_data_kinds(frame)}):
        return FrameMetadata()
    return FrameMetadata(
        captions=any(side_data(frame, "A53_CC") for frame in frames),
        dynamic=tuple({label: None for name, label in _DYNAMIC.items() if name in names}),
        unwritten=tuple(_UNWRITTEN[name] for name in _UNWRITTEN if any(_has(frame, name, names) for frame in frames)),
    )


@dataclass(frozen=True)
class Survey:
    """Properties of the source file other than its pictures: streams, metadata, HDR and captions.

    Attributes:
        container: FFmpeg's name of the format.
        video: index of the stream that is upscaled.
        metadata: tags of the file.
        start: start time of the file in seconds: the earliest start time of its streams.
        size: size of the file in bytes; 0 if it is not known.
        of_frames: metadata of the first frames.
        mastering: mastering display metadata in x265's notation; "" if there is none.
        light: maximum luminance of a pixel and of the mean of a frame (MaxCLL, MaxFALL) in cd/m2; None if not stored.
        views: whether the video has more than one view, as for 3D; only the first is decoded.
        timecode: timecode of the first frame; "" if there is none.
        transparent: whether one of the first frames has a transparent pixel.
    """

    path: Path
    container: str
    video: int
    streams: tuple[SourceStream, ...]
    chapters: tuple[dict[str, Any], ...]
    metadata: dict[str, str]
    colors: ColorTags
    start: Fraction
    size: int
    of_frames: FrameMetadata = FrameMetadata()
    mastering: str = ""
    light: tuple[int, int] | None = None
    views: bool = False
    timecode: str = ""
    transparent: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the file, such as its title, without those that describe the file itself, such as its encoder."""
        return written_tags(self.metadata)


def _tag(metadata: dict[str, str], name: str) -> str:
    """Value of a tag, whose name Matroska stores in capitals; "" if there is no such tag."""
    return next((value for key, value in metadata.items() if key.lower() == name), "")


def written_tags(metadata: dict[str, str]) -> dict[str, str]:
    """Remove the tags that describe the file itself, such as its encoder."""
    names = {key.lower(): key for key in metadata}
    return {
        names[name]: metadata[names[name]]
        for name in names
        if name.removesuffix("-eng") not in _TECHNICAL and not name.startswith("_statistics") and metadata[names[name]]
        if not (name.endswith("-eng") and name.removesuffix("-eng") in names)
    }


def survey(probe: Probe) -> Survey:
    """Read the properties of a file other than its pictures, from its header and first frames."""
    with open_input(probe.path) as container:
        streams = tuple(_stream(stream) for stream in container.streams)
        times = [(stream.start_time, stream.time_base) for stream in container.streams]
        starts = [ticks * base for ticks, base in times if ticks is not None and base]
        frames = _first_frames(container, probe)
        timecode = next((found for s in container.streams if (found := _tag(s.metadata, "timecode"))), "")
        return Survey(
            path=probe.path,
            container=container.format.name,
            video=probe.stream,
            streams=streams,
            chapters=tuple(dict(chapter) for chapter in container.chapters()),
            metadata=dict(container.metadata),
            colors=_colors(container, probe, frames[0] if frames else None),
            start=min(starts, default=Fraction(0)),
            size=container.size if container.size > 0 else 0,
            of_frames=frame_metadata(frames),
            mastering=next((text for frame in frames if (text := mastering_display(frame))), ""),
            light=next((light for frame in frames if (light := content_light(frame))), None),
            views=any(_VIEWS in side_data_kinds(frame) for frame in frames),
            transparent=any(is_transparent(frame) for frame in frames),
            timecode=timecode or _tag(container.metadata, "timecode"),
        )


def _has(frame: VideoFrame, kind: str, names: set[str]) -> bool:
    """Whether a frame has side data of a kind. 3D and spherical data count only if the decoded picture is not flat."""
    data = b"" if kind == "STEREO3D" and _VIEWS in names else side_data(frame, kind)
    return bool(data) and int.from_bytes(data[:4], sys.byteorder) not in _FLAT.get(kind, set())


def is_transparent(frame: VideoFrame) -> bool:
    """Whether a frame has a pixel that is not opaque."""
    alpha = alpha_of(frame)
    return alpha is not None and bool((alpha != np.iinfo(alpha.dtype).max).any())


def _stream(stream: Any) -> SourceStream:
    cover = stream.type == "video" and stream.disposition & Disposition.attached_pic
    context = stream.codec_context
    name = context.name if context else (getattr(stream, "name", None) or "unknown")
    return SourceStream(
        index=stream.index,
        kind="cover" if cover else stream.type,
        codec={"mp3float": "mp3", "libdav1d": "av1", "ssa": "ass"}.get(name, name),
        metadata=dict(stream.metadata),
        disposition=int(stream.disposition),
        bit_rate=(context.bit_rate or 0) if context and stream.type in {"audio", "video"} else 0,
        extradata=bytes(stream.data) if stream.type == "attachment" else (context and context.extradata) or b"",
    )


def _first_frames(container: InputContainer, probe: Probe) -> list[VideoFrame]:
    frames: list[VideoFrame] = []
    stream: Any = container.streams[probe.stream]
    stream.codec_context.thread_count = 1
    decode = decoder_of(stream)
    try:
        for packet in packets_of(container, stream):
            frames += decode(packet)
            if len(frames) >= _EXAMINED:
                break
    except av.error.FFmpegError:
        pass  # damage is reported while the file is read
    return frames


def _colors(container: InputContainer, probe: Probe, frame: VideoFrame | None) -> ColorTags:
    context: Any = container.streams[probe.stream].codec_context

    def stated(name: str) -> int:
        own = int(getattr(frame, name)) if frame is not None else UNSPECIFIED
        return own if own != UNSPECIFIED else int(getattr(context, name) or UNSPECIFIED)

    matrix = 0 if probe.colour.matrix == "rgb" else stated("colorspace")
    if matrix in (0, UNSPECIFIED) and probe.colour.matrix != "rgb":
        matrix = {"bt601": 6, "bt709": 1, "bt2020": 9, "smpte240m": 7, "fcc": 4}[probe.colour.matrix]
    primaries, transfer = (stated(name) or UNSPECIFIED for name in ("color_primaries", "color_trc"))
    transfer = TRANSFERS.get(probe.transfer, transfer)
    return ColorTags(primaries, transfer, matrix, probe.colour.full_range)
