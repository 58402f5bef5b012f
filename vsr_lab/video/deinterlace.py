"""Whole frames out of fields, by libavfilter: bwdif for interlaced video, field matching for telecined film."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av.error
import av.filter
import numpy as np
from av.video.frame import VideoFrame

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.video.color_conversion import is_rgb
from vsr_lab.video.decoders import AvDecoder, FrameConverter
from vsr_lab.video.interlace_detection import Interlacing, ScanType, detect_interlacing
from vsr_lab.video.probe import Probe
from vsr_lab.video.read_options import ReadOptions


@dataclass(frozen=True)
class FilterChain:
    """Filters that give `given` frames for every `taken`, each made of the group it comes from and the next ones on
    either side alone. steps: libavfilter's names and options."""

    name: str
    steps: tuple[tuple[str, str], ...]
    taken: int = 1
    given: int = 1

    def needs(self, start: int, stop: int, count: int) -> tuple[int, int]:
        """The frames, of `count`, that are run through the chain to give its frames start..stop-1."""
        first, last = max(0, start // self.given - 2), -(-stop // self.given) + 2
        return first * self.taken, min(last * self.taken, count)

    def output(self, source: Probe) -> Probe:
        """What the filtered stream is like: of a last group that is not whole nothing comes."""
        if self.taken == self.given:
            return replace(source, interlaced=False)
        count = source.frames // self.taken * self.given
        ticks = source.index.ticks
        middle = np.interp(np.arange(count) * self.taken / self.given, np.arange(len(ticks)), ticks)
        index = replace(source.index, ticks=np.rint(middle).astype(np.int64), keys=ticks[:0])
        return replace(source, interlaced=False, index=index, rate=source.rate * self.given / self.taken)


def _bwdif(parity: str, only: str = "all") -> tuple[str, str]:
    return "bwdif", f"mode=send_frame:parity={parity}:deint={only}"


def filter_chain_for(probe: Probe, read_options: ReadOptions) -> FilterChain | None:
    """What `read_options` asks for on this file, nothing where its frames are whole.

    The pixels are believed, and what the file says only where they do not tell: frames flagged interlaced that are
    whole (PsF) are read as they are. RGB is a master or a render, whose frames are whole: what looks like fields there
    is the picture's own (Vid4's calendar, by 0.17 pixels). Raises UserError, with the remedy, for fields that nobody
    said what to do with.
    """
    how = read_options.deinterlace
    if how == "keep" or (is_rgb(probe.pixel_format) and not probe.interlaced):
        return None
    found = detect_interlacing(probe.path, probe.stream)
    if found.scan_type == ScanType.PROGRESSIVE or (found.scan_type == ScanType.UNDETERMINED and not probe.interlaced):
        return None
    if how is None:
        said = (
            found if found.scan_type != ScanType.UNDETERMINED else "said to be interlaced, and too little moves to tell"
        )
        remedy = "ivtc" if found.scan_type == ScanType.TELECINED else "bwdif"
        raise UserError(probe.path, f"is {said}", f"say deinterlace={remedy}, or deinterlace=keep to read it weaved")
    return _chain(probe, found, how)


def _chain(probe: Probe, found: Interlacing, how: str) -> FilterChain:
    told = found.scan_type != ScanType.UNDETERMINED
    parity = ("tff" if found.top_field_first else "bff") if told else "auto"
    if how == "bwdif" or (how == "auto" and found.scan_type != ScanType.TELECINED):
        return FilterChain("bwdif", (_bwdif(parity),))
    if found.scan_type != ScanType.TELECINED:
        raise UserError(probe.path, f"is {found}, not telecined", "say deinterlace=bwdif")
    # What matches no neighbour (an edit within a cadence) is left combed and marked: bwdif mends those frames only.
    match = (("fieldmatch", f"order={parity}"), _bwdif(parity, "interlaced"))
    if found.cadence == "2:2":
        return FilterChain("ivtc", match)
    return FilterChain("ivtc", (*match, ("decimate", "cycle=5")), taken=5, given=4)


class FilteredDecoder:
    """A file's frames through a chain, by number: each read runs it from a group before to a group after, so that a
    frame is the same however it was asked for."""

    def __init__(self, probe: Probe, chain: FilterChain, source: AvDecoder) -> None:
        self._probe = probe
        self._chain = chain
        self._source = source
        self._convert = FrameConverter(probe)
        self._held: dict[int, VideoFrame] = {}  # the last source frames, of which the next read needs some again

    def read(self, start: int, stop: int) -> AnyFrames:
        first, last = self._chain.needs(start, stop, self._probe.frames)
        skipped = first // self._chain.taken * self._chain.given
        frames = self._frames(first, last)
        try:
            filtered = itertools.islice(self._filtered(frames), start - skipped, stop - skipped)
            return np.stack([self._convert(start + n, frame) for n, frame in enumerate(filtered)])
        except av.error.FFmpegError as error:
            problem = f"cannot be filtered by {self._chain.name} at frames {start}:{stop} ({error.strerror})"
            raise UserError(self._probe.path, problem, "say deinterlace=keep") from error

    def close(self) -> None:
        self._source.close()
        self._held = {}

    def _frames(self, start: int, stop: int) -> list[VideoFrame]:
        at = start
        while at in self._held and at < stop:
            at += 1
        held = {number: self._held[number] for number in range(start, at)}
        held |= zip(range(at, stop), self._source.frames(at, stop), strict=True) if at < stop else ()
        self._held = dict(itertools.islice(held.items(), max(0, len(held) - 6 * self._chain.taken), None))
        return list(held.values())

    def _filtered(self, frames: list[VideoFrame]) -> Iterator[VideoFrame]:
        graph = self._graph(frames[0])
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, 1 / self._probe.rate  # evenly spaced, whatever the file's times
            graph.vpush(frame)
            yield from _ready(graph)
        graph.vpush(None)
        yield from _ready(graph)

    def _graph(self, like: VideoFrame) -> av.filter.Graph:
        rate = Fraction(self._probe.rate)
        graph = av.filter.Graph()
        facts = f"pix_fmt={like.format.name}:time_base={rate.denominator}/{rate.numerator}:frame_rate={rate}"
        steps = (("buffer", f"video_size={like.width}x{like.height}:{facts}"), *self._chain.steps, ("buffersink", ""))
        nodes = [graph.add(name, options) if options else graph.add(name) for name, options in steps]
        for node, following in itertools.pairwise(nodes):
            node.link_to(following)
        graph.configure()
        return graph


def _ready(graph: av.filter.Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
