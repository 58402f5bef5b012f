"""Degradations made of degradations: one after the other, now and then, one of several."""

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.degradations.base import Degradation, Params


class Compose(Degradation):
    """Every step in turn, then rounding to 8 bits; its scale is the product of theirs.

    A second-order chain in the manner of Real-ESRGAN (Wang et al. 2021, section 3.1) is one whose steps come twice.
    """

    def __init__(self, steps: Sequence[Degradation]) -> None:
        self.steps = list(steps)
        self.scale = math.prod(step.scale for step in steps)
        self.on_cpu = any(step.on_cpu for step in steps)
        self.temporal = any(step.temporal for step in steps)
        self.modifies_target = any(step.modifies_target for step in steps)

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
    """A step that happens to a share `chance` of all clips, and to the whole of each. The step keeps the size."""

    def __init__(self, step: Degradation, chance: float) -> None:
        if step.scale != 1:
            raise ValueError(f"a step of scale {step.scale} cannot be left out")
        if not 0 <= chance <= 1:
            raise ValueError(f"chance must be in 0..1, not {chance}")
        self.step = step
        self.chance = chance
        self.on_cpu = step.on_cpu
        self.temporal = step.temporal
        self.modifies_target = step.modifies_target

    def sample(self, rng: np.random.Generator) -> Params:
        happens = bool(rng.random() < self.chance)
        return {"step": self.step.sample(rng) if happens else None}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return clip if params["step"] is None else self.step.apply(clip, params["step"])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return hr if params["step"] is None else self.step.target(hr, params["step"], zoom)


class RandomChoice(Degradation):
    """One of several steps of the same scale, drawn for each clip by `weights` (all alike where none are given)."""

    def __init__(self, steps: Sequence[Degradation], weights: Sequence[float] | None = None) -> None:
        if len({step.scale for step in steps}) != 1:
            raise ValueError("the steps to choose from must have one scale")
        chances = np.array(weights if weights is not None else [1.0] * len(steps), dtype=np.float64)
        if len(chances) != len(steps) or chances.min() < 0 or chances.sum() == 0:
            raise ValueError(f"{len(steps)} steps need as many weights of at least 0, not {weights}")
        self.steps = list(steps)
        self.chances = chances / chances.sum()
        self.scale = steps[0].scale
        self.on_cpu = any(step.on_cpu for step in steps)
        self.temporal = any(step.temporal for step in steps)
        self.modifies_target = any(step.modifies_target for step in steps)

    def sample(self, rng: np.random.Generator) -> Params:
        chosen = int(rng.choice(len(self.steps), p=self.chances))
        return {"chosen": chosen, "step": self.steps[chosen].sample(rng)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.steps[params["chosen"]].apply(clip, params["step"])

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return self.steps[params["chosen"]].target(hr, params["step"], zoom)
