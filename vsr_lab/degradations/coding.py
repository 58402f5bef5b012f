"""Lossy coders, run for real: what a file keeps of a clip."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.degradations.base import Degradation, Params
from vsr_lab.video.roundtrip import CODECS, roundtrip
from vsr_lab.video.yuv import jpeg


class Jpeg(Degradation):
    """JPEG, frame by frame, at one quality for the clip, from [quality_min, quality_max] of libjpeg's 1..100."""

    on_cpu = True

    def __init__(self, quality_min: int, quality_max: int) -> None:
        self.quality_min = quality_min
        self.quality_max = quality_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"quality": int(rng.integers(self.quality_min, self.quality_max + 1))}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames = to_frames(clip)
        coded = np.stack([jpeg(frame, params["quality"]) for frame in frames.reshape(-1, *frames.shape[-3:])])
        return to_tensor(coded.reshape(frames.shape)).to(clip)


class Codec(Degradation):
    """A video codec, encoded and decoded in memory: blocks, smearing, lost colour, quality pumping along the GOP.

    codec: one of "h264", "h265", "vp9" (quality is their CRF, 0..51 or 0..63), "mpeg2", "mpeg4" (their quantiser,
    1..31): the higher the worse. gop: frames from one intra frame to the next; b_frames_max: between two others;
    presets: of h264 and h265, which search well or fast; pixel_format: "yuv420p", "yuv422p" or "yuv444p".
    The clip is rounded to 8 bits first, and each clip of a batch is encoded on its own.
    Raises ValueError for a codec that is not there.
    """

    on_cpu = True
    temporal = True

    def __init__(
        self,
        codec: str,
        quality_min: int,
        quality_max: int,
        gop_min: int = 12,
        gop_max: int = 250,
        b_frames_max: int = 2,
        presets: Sequence[str] = ("ultrafast", "veryfast", "medium"),
        pixel_format: str = "yuv420p",
        matrix: str = "bt709",
    ) -> None:
        if codec not in CODECS:
            raise ValueError(f"codec must be one of {', '.join(CODECS)}, not {codec!r}")
        self.codec = codec
        self.quality_min = quality_min
        self.quality_max = quality_max
        self.gop_min = gop_min
        self.gop_max = gop_max
        self.b_frames_max = b_frames_max
        self.presets = list(presets)
        self.pixel_format = pixel_format
        self.matrix = matrix

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "quality": int(rng.integers(self.quality_min, self.quality_max + 1)),
            "gop": int(rng.integers(self.gop_min, self.gop_max + 1)),
            "b_frames": int(rng.integers(0, self.b_frames_max + 1)),
            "preset": str(rng.choice(self.presets)),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames = to_frames(clip)
        coded = np.stack([self._coded(one, params) for one in frames.reshape(-1, *frames.shape[-4:])])
        return to_tensor(coded.reshape(frames.shape)).to(clip)

    def _coded(self, frames: Frames, params: Params) -> Frames:
        options = CODECS[self.codec].options(params["quality"], params["b_frames"], params["preset"])
        return roundtrip(frames, self.codec, options, self.pixel_format, params["gop"], self.matrix)
