"""Two decoders behind one call, `read(start, stop)`: PyAV for any stream, decord for those that it reads exactly."""

import ctypes
import os
from collections.abc import Iterator
from typing import Any, Protocol

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError
from vsr_lab.video.color_conversion import RgbConverter
from vsr_lab.video.packets import open_input, packets_of
from vsr_lab.video.probe import DisplayOrientation, Probe, describe_change

_REORDER = 16  # frames; no codec shows one later than that after it was decoded


class Decoder(Protocol):
    """An open file."""

    def read(self, start: int, stop: int) -> AnyFrames:
        """RGB frames start..stop-1, upright, T H W 3. Raises UserError where they cannot be decoded."""
        ...

    def close(self) -> None: ...


def open_decoder(probe: Probe) -> Decoder:
    """The decoder that probing chose."""
    return DecordDecoder(probe) if probe.backend == "decord" else AvDecoder(probe)


class _ProcessLocal:
    """Holder of objects with threads, which a forked process has to open again.

    Threads do not exist in a forked process, and whatever uses or frees an object that has some waits for them for
    ever. So the parent's objects are kept, unused, and `_reset` opens new ones.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()

    def _reset(self) -> None:
        raise NotImplementedError

    def _check_process(self) -> None:
        """To be called before the objects are used."""
        if self._pid != os.getpid():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(vars(self).copy()))  # never freed, not even at exit
            self._pid = os.getpid()
            self._reset()

    def __del__(self) -> None:
        self._check_process()


class DecordDecoder(_ProcessLocal):
    """decord 0.6.0. Its reader can neither be pickled nor used after a fork."""

    def __init__(self, probe: Probe) -> None:
        import decord  # loads FFmpeg: only where a file is read

        super().__init__()
        self._probe = probe
        self._errors: tuple[type[Exception], ...] = (decord.DECORDError, RuntimeError)
        decord.logging.set_level(decord.logging.FATAL)
        self._open = lambda: decord.VideoReader(str(probe.path.absolute()), num_threads=2)
        self._reset()

    def _reset(self) -> None:
        self._reader: Any = None

    def read(self, start: int, stop: int) -> AnyFrames:
        self._check_process()
        try:
            self._reader = self._reader or self._opened()
            return self._reader.get_batch(list(range(start, stop))).asnumpy()
        except self._errors as error:
            raise self._refusal(f"cannot be decoded at frames {start}:{stop}", error) from error

    def _opened(self) -> Any:
        reader = self._open()
        if len(reader) != self._probe.frames:
            problem = f"decodes to {len(reader)} of {self._probe.frames} frames"
            raise UserError(self._probe.path, problem, "repair it")
        return reader

    def _refusal(self, problem: str, error: Exception) -> UserError:
        return UserError(self._probe.path, f"{problem} ({str(error).strip().splitlines()[-1]})", "repair it")

    def close(self) -> None:
        self._check_process()
        self._reset()


class AvDecoder(_ProcessLocal):
    """PyAV: seeks to a keyframe at or before the first frame asked for, decodes on, and takes frames by their times.

    A frame that does not come out after a seek (an intra refresh has no clean keyframe), or comes out marked as
    corrupt, is decoded again from further back, at last from the start of the file, before it is given up or taken.
    careful: for damaged files: with one thread, so that every frame that can be decoded comes out whatever is wrong
    with the one before, and put in order.
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
        self._coming: Iterator[tuple[int, VideoFrame]] = iter(())
        self._next = -1  # the number of the frame that comes next, -1 where nothing is open

    def read(self, start: int, stop: int) -> AnyFrames:
        return np.stack([self._convert(start + n, frame) for n, frame in enumerate(self.frames(start, stop))])

    def frames(self, start: int, stop: int) -> Iterator[VideoFrame]:
        """Frames start..stop-1 as they are coded. Raises UserError where they cannot be decoded."""
        self._check_process()
        try:
            if not self._is_near(start):
                self._enter(start, 0)
            yield from self._collect(start, stop)
        except av.error.FFmpegError as error:
            problem = f"cannot be decoded at frames {start}:{stop} ({error.strerror})"
            raise UserError(self._probe.path, problem, "repair it") from error

    def close(self) -> None:
        self._check_process()
        if self._container:
            self._container.close()
        self._reset()

    def _is_near(self, start: int) -> bool:
        """True where decoding on from here is no more work than seeking."""
        if not 0 <= self._next <= start:
            return False
        if self._index.counted:
            return True
        here, there = self._index.ticks[[self._next, start]]
        return not np.any((self._index.keys > here) & (self._index.keys <= there))

    def _collect(self, start: int, stop: int) -> Iterator[VideoFrame]:
        wanted, back = start, 0
        while wanted < stop:
            number, frame = next(self._coming, (self._probe.frames, None))
            self._next = number + 1
            if number < wanted:
                continue
            if frame and number == wanted and (self._from_start or not frame.is_corrupt):
                yield frame
                wanted += 1
            elif self._from_start:
                problem = f"cannot be decoded at frame {wanted} of {self._probe.frames}"
                raise UserError(self._probe.path, problem, "repair it, or leave that part out")
            else:
                back = 2 * back + 1
                self._enter(wanted, back)

    def _enter(self, start: int, back: int) -> None:
        """Stand before frame start, at the keyframe that precedes it by `back` others, or at the start of the file."""
        keys = self._index.keys
        place = int(np.searchsorted(keys, self._index.ticks[start], side="right")) - 1 - back
        if place > 0 and self._seek(int(keys[place])):
            return
        self.close()
        container = self._container = open_input(self._probe.path)
        container.streams[self._probe.stream].codec_context.thread_type = self._threads()  # pyright: ignore
        self._from_start, self._next = True, 0
        self._coming = self._numbered(self._decode(packets_of(container, container.streams[self._probe.stream])))

    def _seek(self, tick: int) -> bool:
        """True where the container went to a keyframe at or before tick."""
        if not self._container:
            self._container = open_input(self._probe.path)
            self._container.streams[self._probe.stream].codec_context.thread_type = self._threads()  # pyright: ignore
        stream = self._container.streams[self._probe.stream]
        try:
            self._container.seek(tick, stream=stream)
            packets = packets_of(self._container, stream)
            first = next((p for p in packets if p.is_keyframe and p.size), None)
        except av.error.FFmpegError:
            return False  # a container without an index: read from its start
        if first is None or first.pts is None or first.pts > tick or first.pts not in self._index.keys:
            return False
        self._from_start, self._next = False, 0
        self._coming = self._numbered(self._decode(_chained(first, packets)))
        return True

    def _decode(self, packets: Iterator[Any]) -> Iterator[VideoFrame]:
        for packet in packets:
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue  # what it held is missed, and named, by its number

    def _threads(self) -> str:
        return "NONE" if self._careful else "AUTO"

    def _numbered(self, frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
        if self._index.counted:
            yield from enumerate(frames)
        elif self._careful:
            yield from _in_order(self._placed(frames))
        else:
            yield from self._placed(frames)

    def _placed(self, frames: Iterator[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
        ticks = self._index.ticks
        for frame in frames:
            place = int(np.searchsorted(ticks, frame.pts)) if frame.pts is not None else len(ticks)
            if place < len(ticks) and ticks[place] == frame.pts:
                yield place, frame


def _in_order(frames: Iterator[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame]]:
    """By number: a decoder that lost its place may hand frames out as they come in the file."""
    waiting: dict[int, VideoFrame] = {}
    for number, frame in frames:
        waiting[number] = frame
        if len(waiting) > _REORDER:
            first = min(waiting)
            yield first, waiting.pop(first)
    yield from sorted(waiting.items())


class FrameConverter(_ProcessLocal):
    """Decoded frames of one file to upright RGB."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe
        self._reset()

    def _reset(self) -> None:
        self._convert: RgbConverter | None = None

    def __call__(self, number: int, frame: VideoFrame) -> AnyFrames:
        """H W 3. Raises UserError where the frame is of another size or colour than the file's first."""
        if change := describe_change(self._probe, frame):
            raise UserError(self._probe.path, f"{change} at frame {number}", "cut it there")
        self._check_process()
        if self._convert is None or not self._convert.fits(frame):
            self._convert = RgbConverter(frame, self._probe.colour, self._probe.chroma_location)
        return upright(self._convert(frame), self._probe.orientation)


def _chained(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def upright(picture: AnyFrames, orientation: DisplayOrientation) -> AnyFrames:
    """A stored picture, H W 3, as its file says that it is to be seen."""
    if orientation.transposed:
        picture = picture.swapaxes(0, 1)
    return picture[:: -1 if orientation.flip_y else 1, :: -1 if orientation.flip_x else 1]
