"""Lossy compression by real encoders: JPEG and video codecs."""

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.degradations.base import Choice, Degradation, Params, Range
from vsr_lab.video.roundtrip import CODECS, roundtrip


class Jpeg(Degradation, on_cpu=True):
    """JPEG compression of every frame with 4:2:0 chroma, with the same quality in all frames of a clip.

    Args:
        quality: Quality of libjpeg, from 1 (worst) to 100.
    """

    quality: Range[Annotated[int, Field(ge=1, le=100)]] = (30, 95)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames = to_frames(clip)
        coded = np.stack([_jpeg(frame, params["quality"]) for frame in frames.reshape(-1, *frames.shape[-3:])])
        return to_tensor(coded.reshape(frames.shape)).to(clip)


def _jpeg(frame: Frames, quality: int) -> Frames:
    """A frame, RGB uint8 (H, W, 3), compressed as baseline JPEG with 4:2:0 chroma by libjpeg, and decoded."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


class Codec(Degradation, on_cpu=True, temporal=True):
    """Compression by a video codec: the clip is encoded and decoded in memory, on one thread.

    The clip is rounded to 8 bits first. The number of frames does not change.

    Args:
        codec: "h264", "h265", "vp9", "mpeg2" or "mpeg4".
        quality: CRF of h264 and h265 (0..51) and vp9 (0..63), or quantiser of mpeg2 and mpeg4 (1..31); a higher value
            gives worse quality.
        gop: Number of frames from one intra frame to the next.
        b_frames: Maximum number of consecutive B-frames; not used for vp9.
        preset: Presets of x264 and x265, of which one is drawn for each clip.
        pixel_format: "yuv420p", "yuv422p" or "yuv444p".
        matrix: YUV matrix, "bt601" or "bt709".
    """

    codec: Literal["h264", "h265", "vp9", "mpeg2", "mpeg4"]
    quality: Range[Annotated[int, Field(ge=0, le=63)]]
    gop: Range[PositiveInt] = (12, 250)
    b_frames: Range[NonNegativeInt] = (0, 2)
    preset: Choice[str] = ("ultrafast", "veryfast", "medium")
    pixel_format: Literal["yuv420p", "yuv422p", "yuv444p"] = "yuv420p"
    matrix: Literal["bt601", "bt709"] = "bt709"

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames = to_frames(clip)
        options = CODECS[self.codec].options(params["quality"], params["b_frames"], params["preset"])
        coded = [
            roundtrip(one, self.codec, options, pixel_format=self.pixel_format, gop=params["gop"], matrix=self.matrix)
            for one in frames.reshape(-1, *frames.shape[-4:])
        ]
        return to_tensor(np.stack(coded).reshape(frames.shape)).to(clip)
