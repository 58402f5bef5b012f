"""Decoders with random access by frame number: decord for files that it decodes exactly, else PyAV."""

import ctypes
import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError, reported
from vsr_lab.video.color_conversion import RgbConverter
from vsr_lab.video.packets import PacketIndex, decoder_of, open_input, packets_of
from vsr_lab.video.probe import Probe, describe_change

_REORDER = 16  # frames: the largest reordering delay of any codec


class Decoder(Protocol):
    """Interface of decoders of an opened video file."""

    def read(self, start: int, stop: int) -> AnyFrames:
        """Decode frames start..stop-1 to upright RGB (T, H, W, 3). Raises UserError if one cannot be decoded."""
        ...

    def close(self) -> None: ...


def open_decoder(probe: Probe) -> Decoder:
    """Open the decoder that `probe.backend` names, for the file `probe.path`."""
    return DecordDecoder(probe) if probe.backend == "decord" else AvDecoder(probe)


class _ProcessLocal(ABC):
    """Base class of decoders with threads, which a forked process must open again.

    The threads do not exist in the forked process, so using or freeing the parent's decoder would wait for them
    forever. The parent's decoder is therefore kept but not used, and `_reset` opens a new one.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()

    @abstractmethod
    def _reset(self) -> None:
        """Open a new decoder, or prepare to open it at the next read."""

    def _check_process(self) -> None:
        """Must be called before the decoder is used."""
        if self._pid != os.getpid():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(vars(self).copy()))  # never freed, not even at exit
            self._pid = os.getpid()
            self._reset()

    def __del__(self) -> None:
        self._check_process()


class DecordDecoder(_ProcessLocal):
    """Decoder of frames by number with decord 0.6.0. Each process opens a reader of its own, also after a fork."""

    def __init__(self, probe: Probe) -> None:
        import decord  # loads FFmpeg: only where a file is read

        super().__init__()
        self._probe = probe
        self._errors: tuple[type[Exception], ...] = (decord.DECORDError, RuntimeError)
        decord.logging.set_level(decord.logging.FATAL)
        self._open = partial(decord.VideoReader, str(probe.path.absolute()), num_threads=2)
        self._reset()

    def _reset(self) -> None:
        self._reader: Any = None

    def read(self, start: int, stop: int) -> AnyFrames:
        self._check_process()
        try:
            if self._reader is None:
                self._reader = self._opened()
            return self._reader.get_batch(list(range(start, stop))).asnumpy()
        except self._errors as error:
            problem = f"cannot be decoded at frames {start}:{stop} ({str(error).strip().splitlines()[-1]})"
            raise UserError(self._probe.path, problem, "copy or download the file again") from error

    def _opened(self) -> Any:
        reader = self._open()
        if len(reader) != self._probe.frames:
            problem = f"decodes to {len(reader)} of {self._probe.frames} frames"
            raise UserError(self._probe.path, problem, "copy or download the file again")
        return reader

    def close(self) -> None:
        self._check_process()
        self._reset()


class AvDecoder(_ProcessLocal):
    """Decoder of frames by number with PyAV, which seeks to an earlier keyframe and compares timestamps.

    A frame that is missing or marked as corrupt after a seek is decoded again from an earlier keyframe, and finally
    from the start of the file. This is necessary for streams with intra refresh, which have no complete keyframes.

    Args:
        probe: properties of the file.
        careful: whether the file may be damaged. It is then decoded with one thread, so that an error affects no other
            frame, and frames are sorted by number.
    """

    def __init__(self, probe: Probe, careful: bool = False) -> None:
        super().__init__()
        self._probe = probe
        self._careful = careful
        self._index = probe.index
        self._from_start = False
        self._convert = FrameConverter(probe)
        self._reset()

    def _reset(self) -> None:
        self._container: InputContainer | None = None
        self._decoded: Iterator[tuple[int, VideoFrame]] = iter(())
        self._next = -1  # number of the next frame of _decoded; -1 if no file is open

    def read(self, start: int, stop: int) -> AnyFrames:
        return np.stack([self._convert(start + n, frame) for n, frame in enumerate(self.frames(start, stop))])

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame]:
        """Decode frames start..stop-1 without conversion. Raises UserError if one cannot be decoded."""
        self._check_process()
        problem = f"cannot be decoded at frames {start}:{stop} ({{}})"
        with reported(av.error.FFmpegError, self._probe.path, problem, "copy or download the file again"):
            if not self._is_near(start):
                self._open_before(start, 0)
            yield from self._collect(start, stop)

    def close(self) -> None:
        self._check_process()
        if self._container:
            self._container.close()
        self._reset()

    def _is_near(self, start: int) -> bool:
        """Whether decoding further takes no longer than seeking: no keyframe is in between."""
        if not 0 <= self._next <= start:
            return False
        if self._index.counted:
            return True
        here, there = self._index.ticks[[self._next, start]]
        return not np.any((self._index.keys > here) & (self._index.keys <= there))

    def _collect(self, start: int, stop: int) -> Iterator[VideoFrame]:
        wanted, back = start, 0
        while wanted < stop:
            number, frame = next(self._decoded, (self._probe.frames, None))
            self._next = number + 1
            if number < wanted:
                continue
            if frame and number == wanted and (self._from_start or not frame.is_corrupt):
                yield frame
                wanted += 1
            elif self._from_start:
                problem = f"cannot be decoded at frame {wanted} of {self._probe.frames}"
                raise UserError(self._probe.path, problem, "copy or download the file again, or leave that part out")
            else:
                back = 2 * back + 1
                self._open_before(wanted, back)

    def _open_before(self, start: int, back: int) -> None:
        """Seek to the keyframe `back` keyframes before the one for frame start, or open the file at its start."""
        keys = self._index.keys
        place = int(np.searchsorted(keys, self._index.ticks[start], side="right")) - 1 - back
        if place > 0 and self._seek(int(keys[place])):
            return
        self.close()
        container, stream = self._opened()
        self._from_start, self._next = True, 0
        self._decoded = numbered(self._decode(stream, packets_of(container, stream)), self._index, self._careful)

    def _opened(self) -> tuple[InputContainer, Any]:
        if not self._container:
            self._container = open_input(self._probe.path)
            context: Any = self._container.streams[self._probe.stream].codec_context
            context.thread_type = "NONE" if self._careful else "AUTO"
        return self._container, self._container.streams[self._probe.stream]

    def _seek(self, tick: int) -> bool:
        """Seek to a keyframe at or before tick; False if that fails."""
        container, stream = self._opened()
        try:
            container.seek(tick, stream=stream)
            packets = packets_of(container, stream)
            first = next((p for p in packets if p.is_keyframe and p.size), None)
        except av.error.FFmpegError:
            return False  # the container has no index
        if first is None or first.pts is None or first.pts > tick or first.pts not in self._index.keys:
            return False
        self._from_start, self._next = False, 0
        frames = self._decode(stream, itertools.chain([first], packets))
        self._decoded = numbered(frames, self._index, self._careful)
        return True

    def _decode(self, stream: Any, packets: Iterator[Any]) -> Iterator[VideoFrame]:
        decode = decoder_of(stream)
        for packet in packets:
            try:
                yield from decode(packet)
            except av.error.InvalidDataError:
                continue  # the missing frame is reported by its number


def numbered(frames: Iterator[VideoFrame], index: PacketIndex, careful: bool) -> Iterator[tuple[int, VideoFrame]]:
    """Pair decoded frames with their numbers.

    Args:
        frames: decoded frames, from the first frame of the file if `index.counted` is set.
        index: timestamps of all frames. If it is `counted`, frames are counted; otherwise they are found by timestamp.
        careful: also sort frames by number, since decoders may change their order after an error.
    """
    if index.counted:
        return enumerate(frames)
    known = ((number, frame) for frame in frames if (number := index.number_of(frame.pts)) is not None)
    return _in_order(known) if careful else known


def _in_order(frames: Iterator[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame]]:
    """Sort frames by number: after an error a decoder may output them in coding order."""
    waiting: dict[int, VideoFrame] = {}
    for number, frame in frames:
        waiting[number] = frame
        if len(waiting) > _REORDER:
            first = min(waiting)
            yield first, waiting.pop(first)
    yield from sorted(waiting.items())


class FrameConverter(_ProcessLocal):
    """Converts decoded frames of one file to upright RGB."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe
        self._reset()

    def _reset(self) -> None:
        self._convert: RgbConverter | None = None

    def __call__(self, number: int, frame: VideoFrame) -> AnyFrames:
        """Convert frame `number` to (H, W, 3). Raises UserError if it differs, see `describe_change`."""
        if change := describe_change(self._probe, frame):
            raise UserError(self._probe.path, f"{change} at frame {number}", "split the video at this frame")
        self._check_process()
        if self._convert is None or not self._convert.fits(frame):
            probe = self._probe
            self._convert = RgbConverter(frame, probe.colour, probe.chroma_location, transfer=probe.transfer)
        return self._probe.orientation.apply(self._convert(frame))
