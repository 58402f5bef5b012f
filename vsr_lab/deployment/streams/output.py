"""Writing of the output file: encoding and joining of the segments of the video, and writing of the other streams."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import av.error
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame

from vsr_lab.core.records.deployment import Plan
from vsr_lab.deployment.streams.carriers import AnyPacket, Carrier, add_carrier, copied, delayed
from vsr_lab.deployment.streams.picture_text import insert_text
from vsr_lab.deployment.streams.survey import Survey
from vsr_lab.deployment.streams.timing import Timing, Window
from vsr_lab.video.writer import open_encoder


def add_video(container: OutputContainer, plan: Plan, survey: Survey) -> Any:
    """Add the upscaled stream to a container, and open its encoder.

    Args:
        container: the output container.
        plan: plan of the output.
        survey: properties of the source other than its pictures.

    Raises:
        ValueError, av.error.FFmpegError: the encoder or the container does not support the plan.
    """
    video, base = plan.video, Fraction(plan.video.time_base)
    stream: Any = container.add_stream(video.codec, rate=Fraction(video.rate), options=dict(video.options))
    context = stream.codec_context
    context.width, context.height = video.size
    context.pix_fmt = video.pixel_format
    stream.time_base = base
    context.time_base = 1 / Fraction(video.rate) if video.constant else base
    aspect = Fraction(video.sample_aspect)
    stream.sample_aspect_ratio = context.sample_aspect_ratio = aspect
    context.colorspace, context.color_range = video.matrix, 2 if video.range == "full" else 1
    context.color_primaries, context.color_trc = video.primaries, video.transfer
    open_encoder(context)
    known = survey.streams[survey.video]
    stream.metadata.update(known.kept)
    if survey.timecode:
        stream.metadata["timecode"] = survey.timecode
    stream.disposition = Disposition(known.disposition & ~int(Disposition.attached_pic))
    return stream


class SegmentEncoder:
    """Encoder of the frames of one segment of the output, with timestamps of the whole output.

    Args:
        plan: plan of the output.
        survey: properties of the source other than its pictures.
        timing: timestamps of the output's frames.
        stream: stream of the output whose encoder is used; None: a new encoder with the same settings is opened for
            this segment.
    """

    def __init__(self, plan: Plan, survey: Survey, timing: Timing, *, stream: Any = None) -> None:
        self._container = None if stream else av.open(os.devnull, "w", format=plan.container)  # nothing is written
        stream = stream or add_video(self._container, plan, survey)  # pyright: ignore[reportArgumentType]
        self._context = stream.codec_context
        self._ticks, self._base = timing.ticks, timing.base
        self._step = int(timing.durations[0]) if plan.video.constant else 0

    def encode(self, frame: VideoFrame, number: int) -> list[AnyPacket]:
        """Encode a frame; number: number of the frame in the whole output. Returns the packets that are complete."""
        # At a constant rate the encoder counts frames, as it writes its time base into the stream.
        frame.pts = number if self._step else int(self._ticks[number])
        frame.time_base = self._context.time_base
        return self._timed(self._context.encode(frame))

    def finish(self) -> list[AnyPacket]:
        """Return the remaining packets, and close the encoder if it was opened for this segment only."""
        packets = self._timed(self._context.encode(None))
        if self._container:
            self._container.close()
        return packets

    def _timed(self, packets: list[AnyPacket]) -> list[AnyPacket]:
        for packet in packets:
            if self._step:
                first = int(self._ticks[0])
                packet.pts = None if packet.pts is None else first + packet.pts * self._step
                packet.dts = None if packet.dts is None else first + packet.dts * self._step
            packet.time_base = self._base
        return packets


BY_MUXER = {"chapters", "timecode"}  # data streams that the muxer makes itself
MP4 = {"mp4", "mov", "3gp"}


@dataclass(frozen=True)
class Planned:
    """Plan of an output file, and the data of the source that is needed to write it.

    Attributes:
        plan: the plan.
        survey: properties of the source other than its pictures.
        timing: timestamps of the output.
        tags: metadata tags of the output.
        firsts: index of a stream of the source -> content of its first packet.
        sei: text that is stored in the video stream if the container cannot store it as metadata.
        window: start and end, in seconds by the timestamps of the source, of the part that is written; None: all.
    """

    plan: Plan
    survey: Survey
    timing: Timing
    tags: Mapping[str, str]
    firsts: Mapping[int, bytes]
    sei: str = ""
    window: Window | None = None


class Output:
    """Writer of an output file: the upscaled video and the other streams of the source.

    Args:
        path: the file; the plan determines the container.
        planned: plan of the file and the data of the source that it needs.
        source: the open source, whose streams are used as templates.
        faststart: whether the index of an MP4 file is moved to its beginning when it is complete.

    Raises:
        ValueError, av.error.FFmpegError: the encoder or the container does not support the planned settings.
    """

    def __init__(self, path: Path, planned: Planned, source: InputContainer, *, faststart: bool = True) -> None:
        plan, survey = planned.plan, planned.survey
        options = {"fflags": "bitexact"}  # equal frames give equal files; Matroska's ids would be random
        if plan.container in MP4:
            scale = Fraction(plan.video.time_base).denominator  # of edit lists, so that starts and ends are exact
            options |= {"movie_timescale": str(min(scale, 1_000_000)), **_mov_flags(plan, faststart)}
        self._container: OutputContainer = av.open(
            str(path.absolute()), "w", format=plan.container, container_options=options
        )
        self._source = source
        self._shift = Fraction(plan.shift).limit_denominator(1_000_000)
        self._planned = planned
        self._encoder: SegmentEncoder | None = None
        self._joined = self._delay = 0
        self._begin: int | None = None
        self._held: AnyPacket | None = None
        self.carriers: dict[int, Carrier] = {}
        try:
            for stream in plan.streams:
                known = survey.streams[stream.index]
                if stream.action == "upscale":
                    self._video: Any = add_video(self._container, plan, survey)
                elif stream.action != "drop" and stream.to not in BY_MUXER:
                    first = planned.firsts.get(stream.index, b"")
                    carrier = add_carrier(
                        self._container, source.streams[stream.index], known, plan=stream, first=first
                    )
                    if carrier:
                        self.carriers[stream.index] = delayed(carrier, self._shift)
            self._container.metadata.update(planned.tags)
            if plan.chapters:
                self._container.set_chapters(_moved(survey.chapters, self._shift))
        except BaseException:
            self.abandon()
            raise

    def encode(self, frame: VideoFrame, number: int) -> list[AnyPacket]:
        """Encode a frame; number: number of the frame in the output. Returns packets for `join`."""
        if self._encoder is None:
            whole = len(self._planned.plan.segments) == 1
            planned, stream = self._planned, self._video if whole else None
            self._encoder = SegmentEncoder(planned.plan, planned.survey, planned.timing, stream=stream)
        return self._encoder.encode(frame, number)

    def end_segment(self) -> list[AnyPacket]:
        """End a segment and return its remaining packets. The next frame begins a new segment."""
        encoder, self._encoder = self._encoder, None
        return encoder.finish() if encoder else []

    def join(self, packets: Sequence[AnyPacket]) -> None:
        """Write packets of the video, in order of decoding.

        Decoding times must increase over the whole file, but the encoder restarts them in every segment, so that
        consecutive segments would overlap. Therefore they are recomputed from the second segment on: packet n of the
        video is decoded at the presentation time of frame n - d, where d is the reordering delay of the encoder.
        """
        timing = self._planned.timing
        first, second = int(timing.ticks[0]), [*self._planned.plan.segments, len(timing.ticks)][1]
        for packet in packets:
            if self._joined < second:
                self._delay += packet.dts is not None and packet.dts < first
            elif self._delay:
                packet.dts = int(timing.ticks[self._joined - self._delay])
            self._joined += 1
            place = int(np.searchsorted(timing.ticks, packet.pts or 0))
            known = place < len(timing.ticks) and timing.ticks[place] == packet.pts
            packet.duration = int(timing.durations[place if known else 0])
            packet.time_base = timing.base
            written = self._disclosing(packet) if self._planned.sei and packet.is_keyframe else packet
            written.stream = self._video
            self._hold(written)

    def _disclosing(self, packet: AnyPacket) -> AnyPacket:
        """Copy of a packet of the video, with the text `Planned.sei` inserted."""
        made: AnyPacket = Packet(insert_text(bytes(packet), self._planned.sei, self._planned.plan.video.codec))
        made.pts, made.dts, made.duration, made.is_keyframe = packet.pts, packet.dts, packet.duration, True
        made.time_base = packet.time_base
        return made

    def _hold(self, packet: AnyPacket | None) -> None:
        """Keep a packet and write the packet that was kept before: the last packet may need a longer duration.

        packet: None after the last packet.
        """
        held, self._held = self._held, packet
        if held is None or held.dts is None:
            return
        self._begin = held.dts if self._begin is None else self._begin
        timing = self._planned.timing
        first, end = int(timing.ticks[0]), int(timing.ticks[-1] + timing.durations[-1])
        if packet is None and (held.pts or 0) + held.duration < end:  # MP4 stores differences of decoding times
            held.duration = max(1, end - first - (held.dts - self._begin))
        self._container.mux_one(held)

    def carry(self, packet: AnyPacket) -> None:
        """Write a packet of a stream other than the video, such as audio; streams that the plan drops are ignored."""
        carrier = self.carriers.get(packet.stream_index)
        for made in carrier(packet) if carrier else ():
            self._container.mux_one(made)

    def carry_copy(self, packet: AnyPacket) -> None:
        """Write a copy of a packet of another stream than the video, so that several outputs can write it."""
        if packet.stream_index in self.carriers:
            self.carry(copied(packet, self._source.streams[packet.stream_index]))

    def finish(self) -> None:
        """Flush the encoders and close the file."""
        self.join(self.end_segment())
        self._hold(None)
        for carrier in self.carriers.values():
            for made in carrier(None):
                self._container.mux_one(made)
        self._container.close()

    def abandon(self) -> None:
        """Close the file without completing it, after an error."""
        try:
            self._container.close()
        except (av.error.FFmpegError, ValueError, OSError):
            return  # it is removed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()


def _mov_flags(plan: Plan, faststart: bool) -> dict[str, str]:
    """Flags of the MP4 muxer.

    Use_metadata_tags keeps all tags, such as the bundle's name, but prevents cover pictures.
    """
    has_cover = any(stream.kind == "cover" and stream.action != "drop" for stream in plan.streams)
    flags = ["faststart"] * faststart + ["use_metadata_tags"] * (not has_cover)
    return {"movflags": "+".join(flags)} if flags else {}


def _moved(chapters: Sequence[Any], shift: Fraction) -> list[Any]:
    """Chapters that begin `shift` seconds later."""
    moved: list[Any] = []
    for number, chapter in enumerate(chapters):
        ticks = round(shift / chapter["time_base"])
        times = {name: max(0, chapter[name] + ticks) for name in ("start", "end")}
        moved.append({**chapter, **times, "id": number + 1})
    return moved
