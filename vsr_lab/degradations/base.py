"""The degradation contract: parameters are drawn apart from their application."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

Params = dict[str, float]


class Degradation(ABC):
    """HR to LR. `sample` draws JSON-able numbers; `apply` with the same numbers gives the same LR."""

    scale: int

    def sample(self, rng: np.random.Generator) -> Params:
        """Parameters for one clip; a degradation without randomness has none."""
        return {}

    @abstractmethod
    def apply(self, clip: Tensor, params: Params) -> Tensor:
        """clip (..., C, H, W) in [0, 1], H and W multiples of scale -> (..., C, H/scale, W/scale) in [0, 1]."""


def apply_batch(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> Tensor:
    """hr B T C H W with one set of parameters a sample -> lr B T C h w; in one go where all are the same."""
    if all(p == params[0] for p in params):
        return degradation.apply(hr, params[0])
    return torch.stack([degradation.apply(clip, p) for clip, p in zip(hr, params, strict=True)])
