"""Test of what an output file keeps, by writing a few frames and the other streams to a small file and reading it."""

import itertools
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av.error
import numpy as np
from av.stream import Disposition

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.deployment import Plan, VideoPlan
from vsr_lab.deployment.planning.encoding import Samples
from vsr_lab.deployment.planning.outputs import IMAGES, whole_output
from vsr_lab.deployment.streams.frames import FrameEncoder
from vsr_lab.deployment.streams.output import BY_MUXER, Output, Planned
from vsr_lab.deployment.streams.survey import UNSPECIFIED, ColorTags, SourceStream, Survey, survey
from vsr_lab.deployment.streams.timing import Timing, packets_between
from vsr_lab.video.disclosure import find_disclosure
from vsr_lab.video.packets import open_input, packets_of
from vsr_lab.video.probe import probe

_SIDE = (256, 144)  # width and height of the frames that are written
_FRAMES = 4
_PACKETS = 400  # of the source that are read, so that every stream has begun
_FLAGS = (
    Disposition.dub | Disposition.original | Disposition.comment | Disposition.lyrics | Disposition.karaoke
    | Disposition.forced | Disposition.hearing_impaired | Disposition.visual_impaired
)  # fmt: skip
_NUMBER = re.compile(r"[+-][\d.]+")
_SHIFTED = Fraction(1, 10)  # seconds that all streams are moved by where sound begins before 0 (priming of AAC)
CLOCKS = {"mpegts", "mpeg", "mpegvideo", "vob"}  # containers whose clock starts anywhere
_TOLERANCE = Fraction(3, 2000)  # seconds: Matroska rounds to milliseconds


class Trial(NamedTuple):
    """Result of writing a small test file as planned.

    Attributes:
        lost: properties that the test file does not keep, although they were written.
        disclosed: whether the metadata or the coded frames of the test file disclose that the video was upscaled.
        tags: names of the source's metadata tags that the test file keeps.
        chapters: number of chapters of the test file.
    """

    lost: tuple[str, ...]
    disclosed: bool
    tags: tuple[str, ...]
    chapters: int


def first_packets(source: Path) -> dict[int, bytes]:
    """Read the first packet of each stream, which is needed to add the stream to an output.

    For a stream with cover art, the first packet is the picture. For AAC with ADTS headers, the header of the output is
    computed from the first packet.

    Returns:
        Index of the stream -> bytes. Streams that start late in the file are missing.
    """
    found: dict[int, bytes] = {}
    with open_input(source) as container, suppress(av.error.FFmpegError):
        every: Any = list(container.streams)
        for packet in itertools.islice(packets_of(container, every), _PACKETS):
            if packet.size:
                found.setdefault(packet.stream_index, bytes(packet))
            if len(found) == len(every):  # images of a folder may be large
                break
    return found


def try_plan(planned: Planned, suffix: str) -> Trial:
    """Find out what an output would lose, by writing a small file with the planned settings and reading it.

    Args:
        planned: plan of the output.
        suffix: suffix of the output file.

    Raises:
        ValueError, av.error.FFmpegError: the encoder or the container does not support the plan.
    """
    plan, timing = planned.plan, planned.timing
    width, height = (small + side % 2 for small, side in zip(_SIDE, plan.video.size, strict=True))
    video = plan.video.model_copy(update={"size": (width, height)})
    few = replace(timing, ticks=timing.ticks[:_FRAMES], durations=timing.durations[:_FRAMES])
    small = replace(planned, plan=plan.model_copy(update={"video": video, "segments": [0]}), timing=few)
    with tempfile.TemporaryDirectory(prefix="vsr_lab_") as folder:
        path = Path(folder) / f"{'%06d' if plan.container == IMAGES else 'trial'}{suffix}"
        with open_input(planned.survey.path) as source, Output(path, small, source, faststart=False) as output:
            picture = np.zeros((height, width, 3), np.uint8)
            encode = FrameEncoder(video)
            for number in range(len(few.ticks)):
                output.join(output.encode(encode(picture), number))
            for packet in _some_packets(source, output, planned):
                output.carry(packet)
        return _compare(whole_output(path), small)


def _some_packets(source: Any, output: Output, planned: Planned) -> Iterator[Any]:
    streams = [source.streams[index] for index in output.carriers]
    if not streams:
        return
    packets = packets_of(source, streams)
    if planned.window:
        packets = packets_between(source, planned.survey.video, output.carriers, planned.window)
    with suppress(av.error.FFmpegError):
        yield from itertools.islice(packets, _PACKETS)


def _compare(path: Path, planned: Planned) -> Trial:
    plan, source, timing, tags = planned.plan, planned.survey, planned.timing, planned.tags
    try:
        found = probe(path, cut_short=True)
    except UserError as error:
        raise ValueError(f"the {plan.container} muxer's file cannot be read ({error})") from error
    made = survey(found)
    lost = [*_lost_of_video(found, made, plan, timing)]
    kept = {key.lower(): value for key, value in made.metadata.items()}
    gone = [key for key, value in source.tags.items() if not _same(tags.get(key, value), kept.get(key.lower()))]
    lost += [f"the tag{'s' if len(gone) > 1 else ''} {', '.join(gone)}"] if gone else []
    if plan.chapters and len(made.chapters) != plan.chapters:
        lost.append("chapters")
    if source.timecode and not made.timecode:
        lost.append(f"the timecode {source.timecode}")
    lost += _lost_of_streams(plan, source, made)
    values = " ".join(kept.values())
    tagged = any(text in values for key, text in tags.items() if key in {"disclosure", "comment"})
    is_disclosed = tagged or bool(planned.sei and find_disclosure(path))
    return Trial(tuple(lost), is_disclosed, tuple(sorted({*source.tags} - {*gone})), len(made.chapters))


def _lost_of_video(found: Any, made: Survey, plan: Plan, timing: Timing) -> Iterator[str]:
    video = plan.video
    read, written = Samples.of(found.pixel_format), Samples.of(video.pixel_format)
    if written.chroma is None:  # some decoders add neutral chroma
        read = replace(read, chroma=None)
    if video.codec == "exr":  # half or single precision, and always linear light
        read = replace(read, bits=written.bits)
    if replace(read, bits=0) != replace(written, bits=0) or read.bits < written.bits:
        yield f"{video.pixel_format} (it is read as {found.pixel_format})"
    if names := _lost_colors(video, made.colors, gray=written.chroma is None):
        yield f"the color {' and '.join(names)}"
    if found.colour.full_range != (video.range == "full"):
        yield f"{video.range} range"
    if found.sample_aspect != Fraction(video.sample_aspect):
        yield f"the sample aspect ratio {video.sample_aspect}"
    if plan.container == IMAGES:
        return
    shift = _SHIFTED if made.container in {"matroska,webm", "flv"} else _TOLERANCE
    times = [int(tick) * found.index.base for tick in found.index.ticks]
    wished = [int(tick) * timing.base for tick in timing.ticks]
    if len(times) != len(wished):
        yield f"frames at these times (it counts {len(times)} for {len(wished)})"
    elif not -_TOLERANCE <= times[0] - wished[0] <= shift and made.container not in CLOCKS:
        yield f"the start time {float(wished[0]):.3f} s"
    elif any(abs((a - times[0]) - (b - wished[0])) > _TOLERANCE for a, b in zip(times, wished, strict=True)):
        yield "the timestamps of frames"


def _lost_colors(video: VideoPlan, made: ColorTags, *, gray: bool) -> list[str]:
    """Names of the planned color tags that a file does not have."""
    if video.codec == "exr":  # is linear light
        return []
    wanted = {"primaries": video.primaries, "transfer": video.transfer, "matrix": video.matrix}
    if gray or (made.matrix in {5, 6} and video.matrix in {5, 6}):
        del wanted["matrix"]
    return [name for name, value in wanted.items() if value not in (UNSPECIFIED, getattr(made, name))]


def _lost_of_streams(plan: Plan, source: Survey, made: Survey) -> Iterator[str]:
    """Phrases that name the streams, languages, titles and flags that are missing in the file `made`."""
    present = [stream for stream in made.streams if not _is_of_muxer(stream)]
    planned = [s for s in plan.streams if s.action != "drop" and s.to not in BY_MUXER]
    if len(present) < len(planned):
        yield f"{len(planned) - len(present)} of {len(planned)} streams"
        return
    kinds = [stream.kind for stream in source.streams]
    ordered = sorted(planned, key=lambda s: s.kind in {"attachment", "cover"})
    for stream, found in zip(ordered, sorted(present, key=lambda s: s.kind in {"attachment", "cover"}), strict=False):
        known = source.streams[stream.index]
        if known.language and known.language != found.language:
            yield f"the language {known.language} of stream {known.index}"
        kept = {key.lower(): value for key, value in found.metadata.items()}
        gone = [key for key, value in known.tags.items() if not _same(value, kept.get(key.lower()))]
        # The file has the time of creation too, and MP4 stores the title of a track by another name.
        gone = [key for key in gone if key.lower() != "creation_time" and known.tags[key] not in kept.values()]
        if gone and known.kind not in {"attachment", "cover"}:
            yield f"the tags {', '.join(gone)} of stream {known.index}"
        flags = _FLAGS | (Disposition.default if kinds.count(known.kind) > 1 else Disposition(0))
        if unset := Disposition(known.disposition & int(flags) & ~found.disposition):
            yield f"the flag {unset.name} of stream {known.index}"


def _is_of_muxer(stream: SourceStream) -> bool:
    """Whether a stream is created by the muxer itself, for chapters or the timecode."""
    return stream.kind == "data" and stream.codec in {"bin_data", "unknown", "None"}


def _same(wanted: str, kept: str | None) -> bool:
    if kept is None:
        return False
    if kept.startswith(("+", "-")) and wanted.startswith(("+", "-")):  # a place (ISO 6709)
        return [float(n) for n in _NUMBER.findall(kept)] == [float(n) for n in _NUMBER.findall(wanted)]
    return kept == wanted or (kept[:19].replace(" ", "T") == wanted[:19].replace(" ", "T") and kept[:4].isdigit())
