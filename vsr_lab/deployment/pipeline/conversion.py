"""Conversion of frames for the network and for the encoder, and measurement and synthesis of film grain.

The strength of grain is measured in the source, in several bands of luma, and interpolated between them, as in AV1
(Norkin and Birkbeck 2018, "Film Grain Synthesis for AV1 Video Codec"). Unlike in AV1, the grain that is added to the
upscaled frames is white noise, and only luma has grain.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from av.video.frame import VideoFrame
from torch import Tensor

from vsr_lab.core.clip import AnyFrames, luma, to_deep_frames, to_frames, to_tensor
from vsr_lab.core.errors import UserError
from vsr_lab.core.records.deployment import Plan
from vsr_lab.core.resize import resize_to
from vsr_lab.degradations.base import generator
from vsr_lab.degradations.noise import white_noise
from vsr_lab.deployment.pipeline.reading import ReadFrame
from vsr_lab.deployment.planning.encoding import Encoding
from vsr_lab.deployment.provenance import FrameHashes
from vsr_lab.deployment.streams.frames import FrameEncoder, color_of, composited, resized_alpha
from vsr_lab.deployment.streams.output import Planned
from vsr_lab.deployment.streams.survey import FrameMetadata
from vsr_lab.video import VideoFile
from vsr_lab.video.color_conversion import bits_of, has_alpha


class FrameConversion:
    """Converts frames of the source to the input of the network, and SR frames to frames of the output video.

    Args:
        video: the source.
        planned: plan of the output.
        encoding: settings of the output.
        hashes: collector of perceptual hashes, to which the first frame of each second of the source is added.
    """

    def __init__(self, video: VideoFile, planned: Planned, encoding: Encoding, *, hashes: FrameHashes) -> None:
        self._video, self._planned, self._hashes = video, planned, hashes
        self._encode = FrameEncoder(planned.plan.video)
        self._deep = bits_of(planned.plan.video.pixel_format) > 8
        self._background = color_of(encoding.background) if encoding.background else None
        self._drop = encoding.unsupported is not None
        self._known = {*self._lost(planned.survey.of_frames)}
        self._late: list[str] = []

    @property
    def planned(self) -> Planned:
        """The plan; its list of dropped properties also contains the metadata that `examine` found to be lost."""
        plan = self._planned.plan
        return replace(self._planned, plan=plan.model_copy(update={"dropped": [*plan.dropped, *self._late]}))

    def examine(self, read: ReadFrame) -> None:
        """Look for metadata of a frame that the output loses and that the first frames do not have.

        If there is any, UserError is raised, or the metadata is added to `planned` if `encoding.unsupported` is set.
        """
        for lost in self._lost(read.metadata):
            if lost in self._known:
                continue
            if not self._drop:
                problem = f"cannot be kept completely, since it has from frame {read.number} on: {lost}"
                raise UserError(self._video.path, problem, "set unsupported=drop, or choose another codec=")
            self._known.add(lost)
            self._late.append(f"{lost}, from frame {read.number} on")

    def _lost(self, found: FrameMetadata) -> list[str]:
        return found.lost(self._planned.plan.video.codec, mapped=self._video.is_tone_mapped)

    def tensor(self, read: ReadFrame) -> Tensor:
        """Convert a frame to the input of the network, (3, h, w) in [0, 1]."""
        picture = read.picture
        opaque = read.alpha is None or self._planned.survey.transparent or self._background is not None
        if not opaque and (read.alpha != np.iinfo(picture.dtype).max).any():
            problem = f"is transparent at frame {read.number}, but opaque before"
            raise UserError(self._video.path, problem, "set background=black or another color")
        if read.alpha is not None and self._background is not None:
            picture = composited(picture, read.alpha, self._background)
        seconds = self._video.probe.timestamps[read.number]
        if self._hashes.wants(seconds):
            pair = self._planned.plan.evidence  # as the output shows it
            self._hashes.add(seconds, self._encode.shown(np.concatenate([picture, picture], 1) if pair else picture))
        return to_tensor(picture[None])[0]

    def picture(self, sr: Tensor, number: int) -> AnyFrames:
        """Convert an SR frame to a picture in the size of the output, with grain if the plan has grain.

        In evidence mode, the picture is not resized: a later step places the source frame, enlarged, next to it.

        Args:
            sr: (3, H, W) in [0, 1].
            number: number of the frame in the output; its number in the source is the seed of the grain.

        Returns:
            RGB (H, W, 3), uint8 or uint16.
        """
        if not torch.isfinite(sr.sum()):
            problem = f"frame {number} of its upscaled video contains NaN or infinity"
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


_BANDS = 8
_CENTERS = (np.arange(_BANDS) + 0.5) / _BANDS
_BLOCK = 16
_QUARTILE = 0.94  # of the standard deviations of blocks, where that of white noise is 1
_PAIRS = 9  # of frames that are measured
_APART = 2  # frames: neighbours may be repeats, such as drawings on twos
_MASK = torch.tensor([1.0, -2.0, 1.0]).outer(torch.tensor([1.0, -2.0, 1.0]))[None, None] / 6  # Immerkaer 1996


def source_grain(video: VideoFile) -> list[float]:
    """Measure the film grain of a video in pairs of frames that are spread over its length; see `measure_grain`."""
    numbers = sorted({*np.linspace(0, max(0, video.frames - 1 - _APART), _PAIRS, dtype=int).tolist()})
    clips = [video.read(number, min(number + 1 + _APART, video.frames)).tensor() for number in numbers]
    return measure_grain(torch.stack([clip[[0, -1]] for clip in clips]))


def with_grain(plan: Plan, measured: Sequence[float], strength: float) -> Plan:
    """Copy of a plan that adds grain to the output: `strength` times `measured`, the result of `source_grain`."""
    grain = [round(strength * level, 5) for level in measured]
    note = f"grain as synthetic grain of up to {255 * max(grain):.1f} of 255 levels, which was not recorded"
    return plan.model_copy(update={"grain": grain, "converted": [*plan.converted, note]})


def measure_grain(pairs: Tensor) -> list[float]:
    """Measure the standard deviation of film grain by a spatial high-pass filter of the difference of two frames.

    In each band of luma, the lower quartile over blocks is used, since other blocks may contain moving texture.

    Args:
        pairs: pairs of frames that are close in time, RGB (N, 2, 3, h, w) in [0, 1].

    Returns:
        Standard deviation in each of 8 bands of luma, from black to white, for values in [0, 1]. A band that has no
        block is interpolated from its neighbours.
    """
    first, second = _luma(pairs).float().unbind(1)
    side = min(_BLOCK, *first.shape[-2:])
    noise = F.conv2d(F.pad(second - first, (1, 1, 1, 1), "replicate"), _MASK).square() / 2
    deviation, mean = (F.avg_pool2d(plane, side).numpy().ravel() for plane in (noise, first))
    lit = (mean > 0.01) & (mean < 0.99)  # clipped blocks hide their noise
    band, deviation = (mean[lit] * _BANDS).astype(int), np.sqrt(deviation[lit])
    present = np.unique(band)
    if not present.size:
        return [0.0] * _BANDS
    quarter = [float(np.percentile(deviation[band == number], 25)) / _QUARTILE for number in present]
    return np.interp(_CENTERS, _CENTERS[present], quarter).tolist()


def add_grain(sr: Tensor, grain: Sequence[float], seed: int) -> Tensor:
    """Add grain to a frame.

    Args:
        sr: RGB (3, H, W) in [0, 1].
        grain: standard deviation in bands of luma, see `measure_grain`; black and white pixels get no grain.
        seed: number of the frame, so that a resumed upscaling adds the same grain.
    """
    deviation = np.interp(_luma(sr).cpu().numpy(), [0.0, *_CENTERS, 1.0], [0.0, *grain, 0.0])
    return sr + torch.from_numpy(deviation).to(sr) * white_noise(sr, generator(seed), 1)


def _luma(rgb: Tensor) -> Tensor:
    """Luma in [0, 1], float64."""
    return (luma(rgb) - 16) / 219
