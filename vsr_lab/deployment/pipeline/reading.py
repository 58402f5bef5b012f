"""Sequential reading of a file or of a part of it, together with the packets of its other streams."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import av.error
import av.logging
import numpy as np
from av.video.frame import VideoFrame

from vsr_lab.core.clip import AnyFrames, Clip
from vsr_lab.core.errors import UserError
from vsr_lab.deployment.streams.carriers import AnyPacket
from vsr_lab.deployment.streams.survey import FrameMetadata, frame_metadata
from vsr_lab.deployment.streams.timing import Window, packets_between
from vsr_lab.video.color_conversion import alpha_of
from vsr_lab.video.damage import Damage
from vsr_lab.video.decoders import AvDecoder, FrameConverter, numbered
from vsr_lab.video.deinterlace import FilteredDecoder
from vsr_lab.video.hdr import tone_map
from vsr_lab.video.libav_log import LOG_LOCK, libav_logging
from vsr_lab.video.packets import decoder_of, open_input, packets_of
from vsr_lab.video.probe import Probe
from vsr_lab.video.reader import VideoFile

_CHUNK = 8  # frames that a filter chain is asked for at a time
_CHECKED = 250  # frames of a part that are searched for damage at a time


@dataclass(frozen=True)
class ReadFrame:
    """A decoded frame of the source, with the packets of other streams that are written before it.

    Attributes:
        number: number of the frame in the `VideoFile`, which may be a part of a file.
        picture: upright RGB (H, W, 3), uint8 or uint16.
        alpha: alpha channel (H, W), of the same type as `picture`; None if the source has none.
        captioned: the decoded frame with its side data, if it has captions.
        packets: packets of other streams, such as audio, that were read since the previous frame.
        metadata: metadata of the frame that the output may not be able to keep.
    """

    number: int
    picture: AnyFrames
    alpha: AnyFrames | None
    captioned: VideoFrame | None
    packets: list[AnyPacket]
    metadata: FrameMetadata


def read_frames(video: VideoFile, start: int, stop: int) -> Iterator[ReadFrame]:
    """Decode frames start..stop-1 of a video file in order, without packets of other streams."""
    decoder = AvDecoder(video.source, careful=video.read_options.damaged is not None)
    chain = FilteredDecoder(video.source, video.chain, decoder) if video.chain else decoder
    convert = FrameConverter(video.source)
    for first in range(start, stop, _CHUNK):
        wanted = chain.frames(video.first + first, video.first + min(first + _CHUNK, stop))
        for number, frame in enumerate(wanted, first):
            yield _converted(video, convert, number, frame, [])
    decoder.close()


def _converted(
    video: VideoFile, convert: FrameConverter, number: int, frame: VideoFrame, packets: list[AnyPacket]
) -> ReadFrame:
    source, picture = video.source, convert(number, frame)
    if video.is_tone_mapped:
        clip = Clip(picture[None], np.zeros(1), source.colour, source.path)
        picture = tone_map(clip, source.hdr, source.peak).frames[0]
    alpha = alpha_of(frame)
    alpha = None if alpha is None else source.orientation.apply(alpha)
    metadata = frame_metadata([frame])
    return ReadFrame(number, picture, alpha, frame if metadata.captions else None, packets, metadata)


class PartReader:
    """Iterable over the frames of a part of a video file, decoded in order; damage is detected.

    Args:
        video: the file, opened for the part (`VideoFile.part`).
        window: start and end of the part in seconds, as in the timestamps of the file.
        along: indices of other streams, such as audio, whose packets are returned with the frames.

    Attributes:
        packets: packets of the other streams that have been read but not yet returned with a frame.
    """

    def __init__(self, video: VideoFile, window: Window, along: Collection[int] = ()) -> None:
        self._video, self._window, self._along = video, window, along
        self.packets: list[AnyPacket] = []

    def __iter__(self) -> Iterator[ReadFrame]:
        video, index = self._video, self._video.probe.index
        with open_input(video.path) as container:
            others = packets_between(container, video.probe.stream, self._along, self._window)
            frames = read_frames(video, 0, video.frames)
            for first in range(0, video.frames, _CHECKED):
                video.check(first, min(first + _CHECKED, video.frames))
                for read in islice(frames, _CHECKED):
                    shown = int(index.ticks[read.number]) * index.base
                    for packet in others:
                        self.packets.append(packet)
                        if packet.dts is not None and packet.dts * packet.time_base > shown:
                            break
                    taken, self.packets = self.packets, []
                    yield replace(read, packets=taken)
            self.packets = list(others)


class SequentialReader:
    """Iterable over the frames of a whole video file, each decoded once and in order; damage is detected.

    Args:
        video: the file.
        along: indices of other streams, such as audio, whose packets are returned with the frames.

    Attributes:
        packets: packets of the other streams that have been read but not yet returned with a frame.
    """

    def __init__(self, video: VideoFile, along: Collection[int] = ()) -> None:
        self._video = video
        self._decoder = _OnePass(video.source, along, careful=video.read_options.damaged is not None)
        self._chain = FilteredDecoder(video.source, video.chain, self._decoder) if video.chain else None
        self._convert = FrameConverter(video.source)

    @property
    def packets(self) -> list[AnyPacket]:
        return self._decoder.take_packets()

    def __iter__(self) -> Iterator[ReadFrame]:
        with LOG_LOCK, libav_logging():
            yield from self._read()

    def _read(self) -> Iterator[ReadFrame]:
        for number, frame in enumerate(self._frames()):
            yield _converted(self._video, self._convert, number, frame, self._decoder.take_packets())

    def _frames(self) -> Iterator[VideoFrame]:
        count = self._video.frames
        if self._chain is None:
            yield from self._decoder.frames(0, count)
        else:
            for start in range(0, count, _CHUNK):
                yield from self._chain.frames(start, min(start + _CHUNK, count))
        self._decoder.finish()


class _OnePass:
    """Decodes a file from its start with one thread, so that log messages belong to the current packet."""

    def __init__(self, probe: Probe, along: Collection[int], careful: bool) -> None:
        self._probe = probe
        self._along = sorted(along)
        self._careful = careful
        self._packets: list[AnyPacket] = []
        self._container: Any = None
        self._decode_packet: Callable[[AnyPacket], list[VideoFrame]]
        self._numbered = numbered(self._decode(), probe.index, careful)

    def take_packets(self) -> list[AnyPacket]:
        taken, self._packets = self._packets, []
        return taken

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame]:
        """Yield frames start..stop-1, which must be requested in order."""
        for wanted in range(start, stop):
            found = next(self._numbered, None)
            while found is not None and found[0] < wanted:
                found = next(self._numbered, None)
            if found is None or found[0] > wanted:
                raise self._damage(Damage(lost=(wanted,)))
            yield found[1]

    def finish(self) -> None:
        """Read the packets after the last frame."""
        for _ in self._numbered:
            pass

    def close(self) -> None:
        if self._container is not None:
            self._container.close()

    def _decode(self) -> Iterator[VideoFrame]:
        self._container = open_input(self._probe.path)
        video: Any = self._container.streams[self._probe.stream]
        video.codec_context.thread_count = 1
        self._decode_packet = decoder_of(video)
        streams = [video, *(self._container.streams[index] for index in self._along)]
        count = 0
        with self._container, av.logging.Capture() as said:
            try:
                for packet in packets_of(self._container, streams):
                    if packet.stream.index != self._probe.stream:
                        self._packets.append(packet)
                        continue
                    said.clear()
                    frames = self._decoded(packet, count)
                    if (
                        not self._careful
                        and self._counts(packet)
                        and (said or any(frame.is_corrupt for frame in frames))
                    ):
                        reason = said[0][2].strip() if said else ""
                        raise self._damage(Damage(broken=(self._number(packet, count),), reason=reason))
                    count += len(frames)
                    yield from frames
            except av.error.FFmpegError as error:
                if not self._careful:
                    raise self._damage(Damage(lost=(count,), reason=error.strerror or "")) from error

    def _decoded(self, packet: Any, count: int) -> list[VideoFrame]:
        try:
            return self._decode_packet(packet)
        except av.error.FFmpegError as error:
            if self._careful or not self._counts(packet):
                return []
            raise self._damage(Damage(lost=(self._number(packet, count),), reason=error.strerror or "")) from error

    def _counts(self, packet: AnyPacket) -> bool:
        """Whether the frames of a packet are read; packets before the first keyframe of a recording are not."""
        index = self._probe.index
        return not index.headless or index.counted or packet.pts is None or packet.pts >= index.ticks[0]

    def _number(self, packet: AnyPacket, count: int) -> int:
        """Number of the frame of a packet; count: number of frames decoded so far."""
        index = self._probe.index
        number = None if index.counted else index.number_of(packet.pts)
        return min(count, len(index.ticks) - 1) if number is None else number

    def _damage(self, damage: Damage) -> UserError:
        return UserError(self._probe.path, f"is damaged: {damage}", f"{damage.remedy}, or set damaged=keep")
