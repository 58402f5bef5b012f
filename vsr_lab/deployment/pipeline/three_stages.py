"""The three stages of upscaling one file: reading, the network, and encoding with writing.

Reading and writing have threads of their own; the network runs in the calling thread between them.
"""

import errno
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

import av.error
import numpy as np
import torch
from av.container import InputContainer

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.cuts import SceneCutDetector, no_cut
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import digest_of
from vsr_lab.core.network import FrameStream, State, StreamingNetwork
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records.deployment import VideoFacts
from vsr_lab.deployment.pipeline.conversion import FrameConversion
from vsr_lab.deployment.pipeline.evidence import EvidenceRecorder
from vsr_lab.deployment.pipeline.reading import PartReader, ReadFrame, SequentialReader
from vsr_lab.deployment.pipeline.record import source_facts
from vsr_lab.deployment.pipeline.segments import Part, Segments
from vsr_lab.deployment.streams.output import Output, Planned
from vsr_lab.deployment.streams.survey import FrameMetadata
from vsr_lab.video import VideoFile
from vsr_lab.video.packets import open_input
from vsr_lab.video.writer import reason_of

A = TypeVar("A")
_END = object()


@contextmanager
def read_ahead(items: Iterable[A], size: int) -> Generator[Iterator[A]]:
    """Context manager that computes the items of an iterable in another thread, ahead of their use.

    Args:
        items: the items.
        size: maximum number of items that are computed ahead.

    Yields:
        Iterator over the items. It raises the errors of the other thread.
    """
    source = (item for item in items)
    with ThreadPoolExecutor(1, "read") as thread:
        ahead = deque(thread.submit(next, source, _END) for _ in range(size))

        def taken() -> Iterator[A]:
            while (item := ahead.popleft().result()) is not _END:
                ahead.append(thread.submit(next, source, _END))
                yield item  # pyright: ignore[reportReturnType]

        try:
            yield taken()
        finally:
            for future in ahead:
                future.cancel()
            thread.submit(source.close)  # in the thread that opened what it reads


@contextmanager
def write_behind(write: Callable[[A], None], size: int) -> Generator[Callable[[A], None]]:
    """Context manager that calls a function in another thread, so that the caller does not wait for it.

    Args:
        write: the function.
        size: maximum number of waiting calls.

    Yields:
        Function to call instead of `write`. An error of `write` is raised at the next call of this function, or at the
        end of the block; waiting calls are then dropped.
    """
    waiting: deque[Future[None]] = deque()
    failed = Event()

    def attempt(item: A) -> None:
        if failed.is_set():
            return
        try:
            write(item)
        except BaseException:
            failed.set()
            raise

    def put(item: A) -> None:
        while waiting and (waiting[0].done() or len(waiting) > size):
            waiting.popleft().result()
        waiting.append(thread.submit(attempt, item))

    with ThreadPoolExecutor(1, "write") as thread:
        yield put
        for future in waiting:
            future.result()


_LAST = -1  # number of what carries the packets after the last frame
_QUEUE = 4  # frames that wait between two stages


@dataclass(frozen=True)
class _Upscaled:
    """An upscaled frame that has not been encoded yet.

    Attributes:
        pictures: the frame for each output; none for a frame of a finished segment.
        state: state of the network after the last frame of a segment.
    """

    read: ReadFrame
    pictures: Sequence[AnyFrames] = ()
    state: State | None = None


class ThreeStages:
    """Upscales one file in three threads: one reads, one runs the network, one encodes.

    Args:
        video: the source.
        planned: plan of each output; all have the same segments.
        conversions: conversion of frames for each output.
        segments: storage of finished segments, from which an interrupted upscaling continues.
    """

    def __init__(
        self,
        video: VideoFile,
        planned: Sequence[Planned],
        conversions: Sequence[FrameConversion],
        *,
        segments: Segments,
    ) -> None:
        self._video, self._planned, self._segments = video, planned, segments
        self._conversions = conversions
        self._evidence: EvidenceRecorder | None = None
        self.repeats = 0  # frames that were skipped, after `write`

    def write(
        self,
        paths: Sequence[Path],
        network: StreamingNetwork,
        watch: SceneCutDetector | None,
        evidence: EvidenceRecorder | None = None,
    ) -> VideoFacts:
        """Read, upscale and encode all frames into new files.

        Args:
            paths: the video file of each output of the job, in the order of the job.
            network: the network.
            watch: detector of scene cuts, at which the state of the network is reset; None: it is never reset.
            evidence: recorder of uncertainty, if the network is a `FlipEnsemble`.

        Returns:
            The facts about the source, including its hash.
        """
        plan, video, self._evidence = self._planned[0].plan, self._video, evidence
        with ThreadPoolExecutor(1) as hashing, ExitStack() as stack:
            digest = hashing.submit(digest_of, video.path)
            outputs: list[Output] = []
            for path, planned in zip(paths, self._planned, strict=True):
                templates = stack.enter_context(open_input(video.path))
                outputs.append(stack.enter_context(self._open(path, planned, templates)))
            window, along = video.window, {index for output in outputs for index in output.carriers}
            reader = PartReader(video, window, along) if window else SequentialReader(video, along)
            with (
                write_behind(partial(self._write, outputs), _QUEUE) as put,
                read_ahead(reader, _QUEUE) as frames,
                progress_bar("upscaling", plan.frames, "frames") as update,
            ):
                process = FrameStream(network, watch or no_cut, plan.skip_repeats)
                for read in frames:
                    put(self._upscaled(process, read, self._segments.at(read.number)))
                    update(advance=1)
                put(_Upscaled(ReadFrame(_LAST, np.empty(0, np.uint8), None, None, reader.packets, FrameMetadata())))
        self.repeats = process.repeats
        return source_facts(video, digest.result())

    def _upscaled(self, process: FrameStream, read: ReadFrame, part: Part) -> _Upscaled:
        for convert in self._conversions:
            convert.examine(read)
        lr = self._conversions[0].tensor(read)
        if read.number == part.first:
            process.forget()
        if not part.runs:
            process.skip(lr)
            return _Upscaled(read)
        if part.resumes and read.number == part.first:
            process.state = self._segments.state_before(part)
            if not process.takes(process.state, lr):
                folder = self._segments.folder
                raise UserError(
                    folder, "contains the state of another network", "remove this folder and run the command again"
                )
        sr = process(lr)
        if part.finished:
            return _Upscaled(read)
        pictures = [convert.picture(sr, read.number) for convert in self._conversions]
        if self._evidence:
            pictures = [self._evidence.add(read, lr, sr, pictures[0])]
        if read.number < part.last or process.state is None:
            return _Upscaled(read, pictures)
        # The memory layout of the state may affect rounding, so the network also continues from the copy here.
        process.state = tuple(tensor.cpu().clone(memory_format=torch.contiguous_format) for tensor in process.state)
        return _Upscaled(read, pictures, process.state)

    def _open(self, path: Path, planned: Planned, templates: InputContainer) -> Output:
        try:
            return Output(path, planned, templates)
        except (ValueError, av.error.FFmpegError) as error:
            video = planned.plan.video
            what = f"cannot be written as {video.codec} {video.pixel_format} ({reason_of(error)})"
            raise UserError(path, what, "choose another codec=") from error

    def _write(self, outputs: Sequence[Output], item: _Upscaled) -> None:
        try:
            self._write_frame(outputs, item)
        except av.error.FFmpegError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise
            where = "after the last frame" if item.read.number == _LAST else f"at frame {item.read.number}"
            problem = f"the encoder or the container failed {where} ({reason_of(error)})"
            raise UserError(self._video.path, problem, "choose another codec= or container") from error

    def _write_frame(self, outputs: Sequence[Output], item: _Upscaled) -> None:
        for packet in item.read.packets:
            for output in outputs[1:]:
                output.carry_copy(packet)
            outputs[0].carry(packet)
        number = item.read.number
        if number == _LAST:
            return
        part = self._segments.at(number)
        for index, output in enumerate(outputs):
            if not item.pictures:
                output.join(self._segments.packets(part, number, index))
                continue
            packets = output.encode(self._conversions[index].encoded(item.pictures[index], item.read), number)
            if item.state is not None:
                packets += output.end_segment()
            self._segments.add(part, packets, index)
            output.join(packets)
        if item.state is not None:
            self._segments.finish(part, item.state)
