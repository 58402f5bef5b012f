"""To another grid of pixels and back: what desktops, shared windows and television do to a picture on its way."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.resize import resize_to
from vsr_lab.degradations.base import Degradation, Params, draw_seed


def there_and_back(clip: Tensor, height: int, width: int, method: str) -> Tensor:
    """clip (..., H, W) at height x width, then at its own size again, by the kernels of `core.resize`."""
    there = resize_to(clip, (height, width), method)
    return resize_to(there, (clip.shape[-2], clip.shape[-1]), method).clamp(0, 1)


class RescaleRoundTrip(Degradation):
    """Through a grid `factor` times as fine and back, one factor of those given drawn for each clip; the size stays.

    Factors above 1 are a desktop's fractional scaling (1.25, 1.5, 1.75), below 1 a window shared smaller than it is.
    across: only along the lines, as where pixels are not square (704 / 720, 768 / 720).
    """

    def __init__(self, factors: Sequence[float], method: str = "bilinear", across: bool = False) -> None:
        if min(factors) <= 0:
            raise ValueError(f"factors must be positive, not {list(factors)}")
        self.factors = list(factors)
        self.method = method
        self.across = across

    def sample(self, rng: np.random.Generator) -> Params:
        return {"factor": float(rng.choice(self.factors))}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        grid = max(1, round(height * params["factor"])), max(1, round(width * params["factor"]))
        return there_and_back(clip, height if self.across else grid[0], grid[1], self.method)


class AdaptiveResolution(Degradation):
    """A call whose sender lowers and raises its resolution with the bandwidth: a size for a while, then the next one.

    ladder: the sizes, as parts of the full one, in order; one rung up or down after `hold` frames on average.
    """

    temporal = True

    def __init__(self, ladder: Sequence[float], hold: int, method: str = "bilinear") -> None:
        self.ladder = list(ladder)
        self.hold = hold
        self.method = method

    def sample(self, rng: np.random.Generator) -> Params:
        return {"start": int(rng.integers(0, len(self.ladder))), "seed": draw_seed(rng)}

    def rungs(self, frames: int, params: Params) -> list[int]:
        """The place on the ladder of every frame."""
        rng = np.random.default_rng(params["seed"])
        rungs = [int(params["start"])]
        for _ in range(1, frames):
            moves, up = rng.random() < 1 / self.hold, rng.random() < 0.5
            rungs.append(min(max(rungs[-1] + (1 if up else -1) * moves, 0), len(self.ladder) - 1))
        return rungs

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        sizes = [(max(1, round(height * part)), max(1, round(width * part))) for part in self.ladder]
        frames = [
            there_and_back(frame, *sizes[rung], self.method)
            for frame, rung in zip(clip.unbind(-4), self.rungs(clip.shape[-4], params), strict=True)
        ]
        return torch.stack(frames, -4)
