"""Does a network that remembers stay what it was, hundreds of frames on?"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.resize import imresize
from vsr_lab.core.stream import stream

_CHANCE = 1 / 30  # that a frame begins anew in the run it is held against


class Drift(NamedTuple):
    """Mean PSNR in dB over one pass there and back. early: of one long run in its second pass; late: in its last;
    fresh: in the last, of a run that begins anew at random frames. NaN where the output is no number.
    """

    early: float
    late: float
    fresh: float

    @property
    def loss(self) -> float:
        """What the long run has lost, in dB: against its own beginning, or a fresh start, whichever is more."""
        return max(self.early, self.fresh) - self.late


def measure_drift(network: StreamingNetwork, hr: Tensor, frames: int) -> Drift:
    """Run `frames` frames: hr (T 3 H W, H and W multiples of the scale), shrunk by bicubic, there and back, over and
    over.

    Raises ValueError where that is less than three passes.
    """
    order = list(there_and_back(len(hr), frames))
    period = 2 * len(hr) - 2
    if len(hr) < 2 or frames < 3 * period:
        raise ValueError(f"{frames} frames are less than three passes of {period}")
    lr = quantise(imresize(hr, 1 / network.scale))
    rng = np.random.default_rng(0)
    anew = iter([bool(rng.random() < _CHANCE) for _ in range(frames)])
    lasting = _psnr(stream(network, (lr[t] for t in order)), hr, order)
    fresh = _psnr(stream(network, (lr[t] for t in order), lambda _: next(anew)), hr, order)
    return Drift(*(float(part.mean()) for part in (lasting[period : 2 * period], lasting[-period:], fresh[-period:])))


def there_and_back(length: int, frames: int) -> Iterator[int]:
    """0 1 2 ... length-1 ... 2 1 0 1 ...: numbers of frames that loop without a jump."""
    last = length - 1
    return (last - abs(t % (2 * last) - last) for t in range(frames))


def _psnr(made: Iterator[Tensor], hr: Tensor, order: Sequence[int]) -> Tensor:
    """Of each frame, float64, at most 100 dB."""
    errors = [(quantise(sr.float()) - hr[t]).double().square().mean() for sr, t in zip(made, order, strict=True)]
    return -10 * torch.stack(errors).clamp(min=1e-10).log10()


def wandering_clip(frames: int, height: int, width: int) -> Tensor:
    """A seeded texture, coarse and fine, under a camera that wanders: T 3 H W in [0, 1], rounded to 8 bits."""
    generator = torch.Generator().manual_seed(0)
    picture = torch.zeros(3, height + 2 * frames, width + 2 * frames)
    for cell, share in ((16, 0.5), (5, 0.3), (2, 0.2)):
        rows, columns = (-(-side // cell) for side in picture.shape[-2:])
        noise = torch.rand(3, rows, columns, generator=generator)
        picture += share * imresize(noise, cell)[:, : picture.shape[1], : picture.shape[2]]
    steps = torch.randint(0, 3, (frames, 2), generator=generator).cumsum(0).tolist()
    return quantise(torch.stack([picture[:, y : y + height, x : x + width] for y, x in steps]))
