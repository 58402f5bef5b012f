"""The degradation contract: parameters are drawn apart from their application."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

Params = dict[str, Any]


class Degradation(ABC):
    """HR to LR. `sample` draws JSON-able values, one set a clip; `apply` with the same set gives the same LR.

    scale: how many times smaller the LR is; 1 for a step that leaves the size alone (noise, a codec).
    on_cpu: works on numpy frames (a codec, OpenCV), so it is run where footage is loaded and not on the device.
    temporal: a frame depends on its number or on the frames around it (fresh noise, a codec, a drift), so the whole
    clip is given at once.
    modifies_target: `truth` is another picture than the HR that it is given.
    """

    scale: int = 1
    on_cpu: bool = False
    temporal: bool = False
    modifies_target: bool = False

    def sample(self, rng: np.random.Generator) -> Params:
        """Parameters for one clip; a degradation without randomness has none."""
        return {}

    @abstractmethod
    def apply(self, clip: Tensor, params: Params) -> Tensor:
        """clip (..., T, C, H, W) in [0, 1], H and W multiples of scale -> (..., T, C, H/scale, W/scale) in [0, 1]."""

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        """What a model is to make of the LR: the HR, except for what it must not undo.

        A timestamp is to stay legible and not to vanish, infrared to stay gray, a repeated frame to show its own
        moment. Steps of that kind happen to hr (..., T, C, H, W) too, which is `zoom` times what `apply` is given.
        """
        return hr

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        """hr B T C H W, one set of params a sample -> lr B T C h w. A step that can do it in one go says so here."""
        return torch.stack([self.apply(clip, p) for clip, p in zip(hr, params, strict=True)])


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A plain number from [low, high]. Raises ValueError where the range is empty."""
    if high < low:
        raise ValueError(f"a range must not end below its start: {low}..{high}")
    return float(rng.uniform(low, high))


def draw_seed(rng: np.random.Generator) -> int:
    """A seed to keep in params, for what is random at every pixel."""
    return int(rng.integers(0, 2**31))


def noise_source(seed: int) -> torch.Generator:
    """Random numbers for one clip. Drawn on the CPU, so that a seed gives the same LR on every device."""
    return torch.Generator().manual_seed(seed)


def apply_batch(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> Tensor:
    """hr B T C H W with one set of parameters a sample -> lr B T C h w.

    As one long clip where all are the same and no frame depends on another. Otherwise all at once on a GPU; sample by
    sample on the CPU, where a clip that stays in the cache is faster than fewer calls (benchmarks/degradations.py).
    """
    if not degradation.temporal and all(p == params[0] for p in params):
        return degradation.apply(hr, params[0])
    if hr.device.type == "cpu":
        return torch.stack([degradation.apply(clip, p) for clip, p in zip(hr, params, strict=True)])
    return degradation.apply_each(hr, params)


def target_batch(degradation: Degradation, hr: Tensor, params: Sequence[Params]) -> Tensor:
    """hr B T C H W with one set of parameters a sample -> what the LR of `apply_batch` is to be restored to."""
    if not degradation.modifies_target:
        return hr
    return torch.stack([degradation.target(clip, p) for clip, p in zip(hr, params, strict=True)])
