"""Sharpening done before us: bright and dark lines along edges."""

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations import kernels
from vsr_lab.degradations.base import Degradation, Params, uniform
from vsr_lab.degradations.convolution import convolve


class Sharpening(Degradation):
    """An unsharp mask, x + amount (x - G x), with G a Gaussian of `radius` pixels: the halo is about 2 radius wide."""

    def __init__(self, amount_min: float, amount_max: float, radius_min: float = 0.8, radius_max: float = 2.5) -> None:
        self.amount_min = amount_min
        self.amount_max = amount_max
        self.radius_min = radius_min
        self.radius_max = radius_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "amount": uniform(rng, self.amount_min, self.amount_max),
            "radius": uniform(rng, self.radius_min, self.radius_max),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        kernel = kernels.gaussian(params["radius"], 1, 0, kernels.reach(params["radius"]))
        mask = -params["amount"] * kernel
        mask[len(mask) // 2, len(mask) // 2] += 1 + params["amount"]
        return convolve(clip, torch.from_numpy(mask)).clamp(0, 1)
