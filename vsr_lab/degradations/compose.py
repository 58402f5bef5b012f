"""Combinations of degradations: in sequence, with a probability, one of several."""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, NonNegativeFloat
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.degradations.base import Degradation, Params, Probability

Steps = Annotated[Sequence[Degradation], BeforeValidator(tuple)]


class Compose(Degradation):
    """Applies several degradations (steps) in sequence, and rounds the result to 8 bits.

    For a second-order degradation as in Real-ESRGAN (Wang et al. 2021, section 3.1), list the steps twice.

    Args:
        steps: Degradations, usually with at most one that downscales. The scale of the whole is the product of their
            scales.
    """

    steps: Steps

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = math.prod(step.scale for step in self.steps)
        self._inherit(*self.steps)

    def sample(self, rng: np.random.Generator) -> Params:
        return {"steps": [step.sample(rng) for step in self.steps]}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        for step, drawn in zip(self.steps, params["steps"], strict=True):
            clip = step.apply(clip, drawn)
        return quantise(clip)

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        for number, step in enumerate(self.steps):
            hr = step.apply_each(hr, [p["steps"][number] for p in params])
        return quantise(hr)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        for step, drawn in zip(self.steps, params["steps"], strict=True):
            hr = step.target(hr, drawn, zoom)
            zoom *= step.scale
        return hr


class RandomApply(Degradation):
    """Applies a degradation to some clips, drawn at random, and leaves the others unchanged.

    Args:
        step: The degradation, of scale 1.
        p: Probability that a clip is processed, in [0, 1].
    """

    step: Degradation
    p: Probability = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step.scale != 1:
            raise ValueError(f"RandomApply.step must have scale 1, got {self.step.scale}")
        self._inherit(self.step)

    def sample(self, rng: np.random.Generator) -> Params:
        return {"step": self.step.sample(rng) if rng.random() < self.p else None}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return clip if params["step"] is None else self.step.apply(clip, params["step"])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return hr if params["step"] is None else self.step.target(hr, params["step"], zoom)


class RandomChoice(Degradation):
    """Applies one of several degradations, which is drawn at random for each clip.

    Args:
        steps: Degradations of the same scale.
        weights: Relative probabilities, one per step; None: all steps have the same probability.
    """

    steps: Steps
    weights: Annotated[Sequence[NonNegativeFloat], BeforeValidator(tuple)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({step.scale for step in self.steps}) != 1:
            raise ValueError("RandomChoice.steps must have the same scale")
        weights = np.array([1.0] * len(self.steps) if self.weights is None else self.weights, np.float64)
        if len(weights) != len(self.steps) or not weights.any():
            raise ValueError(f"RandomChoice.weights must have {len(self.steps)} values, not all 0, got {self.weights}")
        self.probabilities = weights / weights.sum()
        self.scale = self.steps[0].scale
        self._inherit(*self.steps)

    def sample(self, rng: np.random.Generator) -> Params:
        chosen = int(rng.choice(len(self.steps), p=self.probabilities))
        return {"chosen": chosen, "step": self.steps[chosen].sample(rng)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.steps[params["chosen"]].apply(clip, params["step"])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return self.steps[params["chosen"]].target(hr, params["step"], zoom)
