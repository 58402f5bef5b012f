"""Conversion of frames: from the reader to the input of the network, and from its output to the encoder."""

import numpy as np
import torch
from av.video.frame import VideoFrame
from torch import Tensor

from vsr_lab.core.clip import AnyFrames, to_deep_frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.resize import resize_to
from vsr_lab.deployment.pipeline.grain import add_grain
from vsr_lab.deployment.pipeline.reading import ReadFrame
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.provenance import FrameHashes
from vsr_lab.deployment.streams.frames import FrameEncoder, color_of, composited, resized_alpha
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.video import VideoFile
from vsr_lab.video.color_conversion import bits_of, has_alpha


class FrameConversion:
    """Converts SR frames to the pixel format and size of the output video.

    Args:
        video: the source.
        planned: plan of the output.
        encoding: settings of the output.
        hashes: collector of perceptual hashes, to which the frames of the source are added.
    """

    def __init__(self, video: VideoFile, planned: Planned, encoding: Encoding, hashes: FrameHashes) -> None:
        self._video, self._planned, self._hashes = video, planned, hashes
        self._encode = FrameEncoder(planned.plan.video)
        self._deep = bits_of(planned.plan.video.pixel_format) > 8
        self._background = color_of(encoding.background) if encoding.background else None

    def tensor(self, read: ReadFrame) -> Tensor:
        """Convert a frame to the input of the network, (3, h, w) in [0, 1]."""
        picture = read.picture
        opaque = read.alpha is None or self._planned.survey.transparent or self._background is not None
        if not opaque and (read.alpha != np.iinfo(picture.dtype).max).any():
            problem = f"is transparent at frame {read.number}, and opaque before"
            raise UserError(self._video.path, problem, "set background=black or another color")
        if read.alpha is not None and self._background is not None:
            picture = composited(picture, read.alpha, self._background)
        seconds = self._video.probe.timestamps[read.number]
        if self._hashes.wants(seconds):
            pair = self._planned.plan.evidence  # as the output shows it
            self._hashes.add(seconds, self._encode.shown(np.concatenate([picture, picture], 1) if pair else picture))
        return to_tensor(picture[None])[0]

    def picture(self, sr: Tensor, number: int) -> AnyFrames:
        """Convert frame `number` of SR, (3, H, W), to RGB (H, W, 3), uint8 or uint16."""
        if not torch.isfinite(sr.sum()):
            problem = f"frame {number} of the result is not finite (NaN or infinity)"
            raise UserError(self._video.path, problem, "check the bundle with vsr-lab evaluate")
        plan, (width, height) = self._planned.plan, self._planned.plan.video.size
        if not plan.evidence and sr.shape[-2:] != (height, width):
            sr = resize_to(sr, (height, width))
        if plan.grain:
            sr = add_grain(sr, plan.grain, seed=plan.first + number)
        return to_deep_frames(sr) if self._deep else to_frames(sr)

    def encoded(self, picture: AnyFrames, read: ReadFrame) -> VideoFrame:
        """Convert an SR frame to the pixel format of the output, with the alpha channel and captions of the source."""
        alpha = read.alpha if has_alpha(self._planned.plan.video.pixel_format) else None
        alpha = None if alpha is None else resized_alpha(alpha, picture)
        return self._encode(picture, alpha, read.captioned)
