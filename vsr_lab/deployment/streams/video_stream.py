"""The upscaled video: its stream in a container, and the encoder of a segment."""

import os
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame

from vsr_lab.core.records.deployment import Plan
from vsr_lab.deployment.streams.carriers import AnyPacket
from vsr_lab.deployment.streams.survey import Survey
from vsr_lab.deployment.streams.timing import Timing
from vsr_lab.video.encoder import open_encoder


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
    stream.metadata.update(known.tags)
    if known.language:
        stream.metadata["language"] = known.language
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

    def __init__(self, plan: Plan, survey: Survey, timing: Timing, stream: Any = None) -> None:
        self._container = None if stream else av.open(os.devnull, "w", format=plan.container)  # nothing is written
        stream = stream or add_video(self._container, plan, survey)  # pyright: ignore[reportArgumentType]
        self._context = stream.codec_context
        self._ticks, self._base = timing.ticks, timing.base
        self._step = int(timing.durations[0]) if plan.video.constant else 0

    def encode(self, frame: VideoFrame, number: int) -> list[AnyPacket]:
        """Encode a frame of the video; number: its number in the whole video."""
        # At a constant rate the encoder counts frames, as it writes its time base into the stream.
        frame.pts = number if self._step else int(self._ticks[number])
        frame.time_base = self._context.time_base
        return self._timed(self._context.encode(frame))

    def finish(self) -> list[AnyPacket]:
        """Return the remaining packets, and free the memory of an encoder of one segment."""
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
