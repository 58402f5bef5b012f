"""Drift of a recurrent network: decrease of PSNR over hundreds of frames."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.resize import imresize

_CHANCE = 1 / 30  # that the state is reset at a frame, in the run that is compared with


class Drift(NamedTuple):
    """Quality of a recurrent network at the start and at the end of a long video, to detect drift.

    Each value is the mean PSNR in dB over one pass (the clip played forward and backward), or NaN if the output is not
    finite.

    Attributes:
        early, late: PSNR of the second and of the last pass if the state is never reset.
        fresh: PSNR of the last pass if the state is reset at random frames.
    """

    early: float
    late: float
    fresh: float

    @property
    def loss(self) -> float:
        """Decrease of PSNR in dB: max(early, fresh) - late."""
        return max(self.early, self.fresh) - self.late


def measure_drift(network: StreamingNetwork, hr: Tensor, frames: int) -> Drift:
    """Measure whether the output of a recurrent network becomes worse over time, on a clip that is repeated many times.

    The clip is played forward and backward. LR is computed by bicubic downscaling.

    Args:
        network: network to measure.
        hr: the clip, (T, 3, H, W) in [0, 1]; H and W are multiples of the scale.
        frames: total number of frames to process.

    Raises:
        ValueError: `frames` is less than three passes over the clip.
    """
    order = list(there_and_back(len(hr), frames))
    period = 2 * len(hr) - 2
    if len(hr) < 2 or frames < 3 * period:
        raise ValueError(f"{frames} frames are less than three passes of {period}")
    lr = quantise(imresize(hr, 1 / network.scale))
    rng = np.random.default_rng(0)
    resets = iter([bool(rng.random() < _CHANCE) for _ in range(frames)])
    lasting = _psnr(stream(network, (lr[t] for t in order)), hr, order)
    fresh = _psnr(stream(network, (lr[t] for t in order), lambda _: next(resets)), hr, order)
    return Drift(*(float(part.mean()) for part in (lasting[period : 2 * period], lasting[-period:], fresh[-period:])))


def there_and_back(length: int, frames: int) -> Iterator[int]:
    """Frame numbers 0 1 2 ... length-1 ... 2 1 0 1 ..., without a jump."""
    last = length - 1
    return (last - abs(t % (2 * last) - last) for t in range(frames))


def _psnr(made: Iterator[Tensor], hr: Tensor, order: Sequence[int]) -> Tensor:
    """PSNR per frame in dB, float64, at most 100."""
    errors = [(quantise(sr.float()) - hr[t]).double().square().mean() for sr, t in zip(made, order, strict=True)]
    return -10 * torch.stack(errors).clamp(min=1e-10).log10()


def wandering_clip(frames: int, height: int, width: int) -> Tensor:
    """Draw a synthetic clip for `measure_drift`: a texture under a moving camera, the same in every call.

    Returns:
        (frames, 3, height, width) in [0, 1], rounded to 8 bits.
    """
    generator = torch.Generator().manual_seed(0)
    picture = torch.zeros(3, height + 2 * frames, width + 2 * frames)
    for cell, share in ((16, 0.5), (5, 0.3), (2, 0.2)):
        rows, columns = (-(-side // cell) for side in picture.shape[-2:])
        noise = torch.rand(3, rows, columns, generator=generator)
        picture += share * imresize(noise, cell)[:, : picture.shape[1], : picture.shape[2]]
    steps = torch.randint(0, 3, (frames, 2), generator=generator).cumsum(0).tolist()
    return quantise(torch.stack([picture[:, y : y + height, x : x + width] for y, x in steps]))
