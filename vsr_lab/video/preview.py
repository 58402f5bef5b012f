"""Every frame of a source once, small and in order; in full only where asked. For looking at, not for training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from vsr_lab.core.clip import AnyFrames, Frames, to_eight_bit
from vsr_lab.video.decoders import AvDecoder, FrameConverter, upright
from vsr_lab.video.probe import Probe
from vsr_lab.video.reader import Footage, VideoFile

_CHUNK = 16


@dataclass(frozen=True)
class PreviewFrame:
    """Frame `number` of a source: small (h w 3 RGB uint8, longer side as asked for) and, on call, full (H W 3)."""

    number: int
    small: Frames
    full: Callable[[], Frames]


def preview_frames(footage: Footage, side: int) -> Iterator[PreviewFrame]:
    """Decode the source once and yield every frame; `full` is to be called before the next one is taken.

    A video file goes from the decoder straight to small pictures, 2 to 3 times as fast as reading every frame.
    Raises UserError where a frame cannot be decoded.
    """
    size = _small(footage.size, side)
    if isinstance(footage, VideoFile):
        yield from _skim_video(footage.probe, size)
        return
    for first in range(0, footage.frames, _CHUNK):
        frames = footage.read(first, min(first + _CHUNK, footage.frames)).eight_bit()
        for i, frame in enumerate(frames):
            yield PreviewFrame(first + i, _resized(frame, size), lambda frame=frame: frame)


def _skim_video(probe: Probe, size: tuple[int, int]) -> Iterator[PreviewFrame]:
    decoder, convert = AvDecoder(probe), FrameConverter(probe)
    try:
        for number, frame in enumerate(decoder.frames(0, probe.frames)):
            yield PreviewFrame(number, _shrunk(frame, probe, size), partial(_converted, convert, number, frame))
    finally:
        decoder.close()


def _converted(convert: FrameConverter, number: int, frame: VideoFrame) -> Frames:
    return to_eight_bit(convert(number, frame))


def _small(size: tuple[int, int], side: int) -> tuple[int, int]:
    factor = min(1.0, side / max(size))
    return max(2, round(size[0] * factor)), max(2, round(size[1] * factor))


def _shrunk(frame: VideoFrame, probe: Probe, size: tuple[int, int]) -> Frames:
    height, width = size[::-1] if probe.orientation.transposed else size
    picture = frame.reformat(width, height, "rgb24", interpolation=Interpolation.AREA).to_ndarray()
    return np.ascontiguousarray(upright(picture.astype(np.uint8, copy=False), probe.orientation), np.uint8)


def _resized(frame: AnyFrames, size: tuple[int, int]) -> Frames:
    return np.ascontiguousarray(cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
