"""Deinterlacing with libavfilter: bwdif for interlaced video, field matching and decimation for telecined film."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import av.error
import av.filter
import numpy as np
from av import VideoFrame

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError, reported
from vsr_lab.video.color_conversion import is_rgb
from vsr_lab.video.decoders import FrameConverter
from vsr_lab.video.interlace_detection import Interlacing, ScanType, detect_interlacing
from vsr_lab.video.probe import Probe
from vsr_lab.video.read_options import ReadOptions


@dataclass(frozen=True)
class FilterChain:
    """A sequence of libavfilter filters that converts every group of `frames_in` frames to `frames_out` frames.

    An output frame depends on the input frames of five groups: its own group, the two before it and the two after it.

    Args:
        name: name of the filters in error messages.
        steps: (name, options) of each filter, in FFmpeg's syntax, such as ("decimate", "cycle=5").
        frames_in: number of input frames in a group.
        frames_out: number of output frames for a group.
    """

    name: str
    steps: tuple[tuple[str, str], ...]
    frames_in: int = 1
    frames_out: int = 1

    def needs(self, start: int, stop: int, count: int) -> tuple[int, int]:
        """Range of the input frames on which output frames start..stop-1 depend.

        Args:
            start, stop: range of output frames, `stop` exclusive.
            count: number of frames of the file.

        Returns:
            (start, stop) of the input frames, `stop` exclusive.
        """
        first, last = max(0, start // self.frames_out - 2), -(-stop // self.frames_out) + 2
        return first * self.frames_in, min(last * self.frames_in, count)

    def output(self, source: Probe) -> Probe:
        """Properties of a file after filtering. An incomplete group of frames at the end is dropped."""
        if self.frames_in == self.frames_out:
            return replace(source, interlaced=False)
        count = source.frames // self.frames_in * self.frames_out
        ticks = source.index.ticks
        middle = np.interp(np.arange(count) * self.frames_in / self.frames_out, np.arange(len(ticks)), ticks)
        index = replace(source.index, ticks=np.rint(middle).astype(np.int64), keys=ticks[:0])
        return replace(source, interlaced=False, index=index, rate=source.rate * self.frames_out / self.frames_in)


def _bwdif(parity: str, only: str = "all") -> tuple[str, str]:
    return "bwdif", f"mode=send_frame:parity={parity}:deint={only}"


def filter_chain_for(probe: Probe, read_options: ReadOptions) -> FilterChain | None:
    """Choose the deinterlacing filters for a file; None if its frames are progressive or must not be changed.

    The choice is based on the pixels. Flags in the file are used only if there is too little motion. So progressive
    frames that are flagged as interlaced (PsF) are not changed. RGB files are assumed to be progressive unless they are
    flagged, because most are masters or renders; otherwise the clip calendar of Vid4 would be detected as interlaced.

    Args:
        probe: properties of the file.
        read_options: how to read interlaced files.

    Raises:
        UserError: filters are needed and `read_options.deinterlace` is None, or the file is not telecined and
            `read_options.deinterlace` is "ivtc".
    """
    how = read_options.deinterlace
    if how == "keep" or (is_rgb(probe.pixel_format) and not probe.interlaced):
        return None
    found = detect_interlacing(probe.path, probe.stream)
    if found.scan_type == ScanType.PROGRESSIVE or (found.scan_type == ScanType.UNDETERMINED and not probe.interlaced):
        return None
    if how is None:
        undetermined = found.scan_type == ScanType.UNDETERMINED
        reason = "flagged as interlaced, and has too little motion to check this" if undetermined else found
        remedy = "ivtc" if found.scan_type == ScanType.TELECINED else "bwdif"
        hint = f"set deinterlace={remedy}, or deinterlace=keep to read frames as stored"
        raise UserError(probe.path, f"is {reason}", hint)
    return _chain(probe, found, how)


def _chain(probe: Probe, found: Interlacing, how: str) -> FilterChain:
    order = "tff" if found.top_field_first else "bff"
    parity = "auto" if found.scan_type == ScanType.UNDETERMINED else order
    if how == "bwdif" or (how == "auto" and found.scan_type != ScanType.TELECINED):
        return FilterChain("bwdif", (_bwdif(parity),))
    if found.scan_type != ScanType.TELECINED:
        raise UserError(probe.path, f"is {found}, not telecined", "set deinterlace=bwdif")
    # Frames without a match (an edit within a cadence) stay combed and are flagged: bwdif deinterlaces those only.
    match = (("fieldmatch", f"order={parity}"), _bwdif(parity, "interlaced"))
    if found.cadence == "2:2":
        return FilterChain("ivtc", match)
    return FilterChain("ivtc", (*match, ("decimate", "cycle=5")), frames_in=5, frames_out=4)


class _Source(Protocol):
    def frames(self, start: int, stop: int) -> Iterator[VideoFrame]: ...
    def close(self) -> None: ...


class FilteredDecoder:
    """Decodes a file and applies deinterlacing filters.

    Two groups of frames before the requested frames and two groups after them are filtered too, so that the result for
    a frame does not depend on the requested range.

    Args:
        probe: properties of the file.
        chain: the filters.
        source: decoder of the file.
    """

    def __init__(self, probe: Probe, chain: FilterChain, source: _Source) -> None:
        self._probe = probe
        self._chain = chain
        self._source = source
        self._convert = FrameConverter(probe)
        self._held: dict[int, VideoFrame] = {}  # recent input frames, some of which the next read needs again

    def read(self, start: int, stop: int) -> AnyFrames:
        return np.stack([self._convert(start + n, frame) for n, frame in enumerate(self.frames(start, stop))])

    def frames(self, start: int, stop: int) -> list[VideoFrame]:
        """Decode and filter frames start..stop-1, counted after filtering."""
        first, last = self._chain.needs(start, stop, self._probe.frames)
        skipped = first // self._chain.frames_in * self._chain.frames_out
        frames = self._frames(first, last)
        problem = f"cannot be filtered by {self._chain.name} at frames {start}:{stop} ({{}})"
        with reported(av.error.FFmpegError, self._probe.path, problem, "set deinterlace=keep"):
            return list(itertools.islice(self._filtered(frames), start - skipped, stop - skipped))

    def close(self) -> None:
        self._source.close()
        self._held = {}

    def _frames(self, start: int, stop: int) -> list[VideoFrame]:
        at = start
        while at in self._held and at < stop:
            at += 1
        held = {number: self._held[number] for number in range(start, at)}
        held |= zip(range(at, stop), self._source.frames(at, stop), strict=True) if at < stop else ()
        self._held = dict(itertools.islice(held.items(), max(0, len(held) - 6 * self._chain.frames_in), None))
        return list(held.values())

    def _filtered(self, frames: list[VideoFrame]) -> Iterator[VideoFrame]:
        graph = self._graph(frames[0])
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, 1 / self._probe.rate  # filters expect even spacing
            graph.vpush(frame)
            yield from _ready(graph)
        graph.vpush(None)
        yield from _ready(graph)

    def _graph(self, like: VideoFrame) -> av.filter.Graph:
        rate = Fraction(self._probe.rate)
        graph = av.filter.Graph()
        facts = f"pix_fmt={like.format.name}:time_base={rate.denominator}/{rate.numerator}:frame_rate={rate}"
        steps = (("buffer", f"video_size={like.width}x{like.height}:{facts}"), *self._chain.steps, ("buffersink", ""))
        graph.link_nodes(*(graph.add(name, options or None) for name, options in steps)).configure()
        return graph


def _ready(graph: av.filter.Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
