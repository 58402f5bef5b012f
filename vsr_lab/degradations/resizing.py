"""Resizing: the paper families that need no blur of their own, and detours over other sizes."""

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.core.resize import imresize, resize_to
from vsr_lab.degradations.base import Degradation, Params, uniform


class ResizeDown(Degradation):
    """MATLAB imresize by 1/scale, then rounding to 8 bits. With "bicubic" it is the field's BI degradation.

    Methods: bicubic, bilinear, lanczos, area (antialiased), nearest. At an even scale "nearest" keeps the pixel right
    of and below the middle, half a pixel off, as MATLAB's does.
    """

    def __init__(self, scale: int, method: str = "bicubic") -> None:
        self.scale = scale
        self.method = method

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return quantise(imresize(clip, 1 / self.scale, self.method))


class RandomResize(Degradation):
    """To an arbitrary size and on to 1/scale, each way by a method of its own, and what happens in between.

    factor from [factor_min, factor_max], spread evenly over its logarithm, is the size on the way as a share of the
    input's. methods: "area", "bilinear", "bicubic", "lanczos" ("nearest" would move the picture). inside: a degradation
    of scale 1 done at that size, such as noise and JPEG: one order of Real-ESRGAN (Wang et al. 2021, section 3.1).
    """

    def __init__(
        self,
        factor_min: float,
        factor_max: float,
        methods: Sequence[str] = ("area", "bilinear", "bicubic"),
        inside: Degradation | None = None,
        scale: int = 1,
    ) -> None:
        if "nearest" in methods:
            raise ValueError("nearest moves the picture by up to half a pixel; take area, bilinear, bicubic or lanczos")
        if not 0 < factor_min <= factor_max:
            raise ValueError(f"factors must be above 0 and in order, not {factor_min}..{factor_max}")
        if inside is not None and inside.scale != 1:
            raise ValueError(f"what happens in between must keep the size, not shrink it by {inside.scale}")
        if inside is not None and inside.modifies_target:
            raise ValueError("a step that the truth shows too must be done at a size that the truth has")
        self.factor_min = factor_min
        self.factor_max = factor_max
        self.methods = list(methods)
        self.inside = inside
        self.scale = scale
        self.on_cpu = inside is not None and inside.on_cpu
        self.temporal = inside is not None and inside.temporal

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "factor": math.exp(uniform(rng, math.log(self.factor_min), math.log(self.factor_max))),
            "there": str(rng.choice(self.methods)),
            "back": str(rng.choice(self.methods)),
            "inside": self.inside.sample(rng) if self.inside else None,
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        between = (max(2, round(height * params["factor"])), max(2, round(width * params["factor"])))
        small = resize_to(clip, between, params["there"]).clamp(0, 1)
        if self.inside:
            small = self.inside.apply(small, params["inside"])
        return resize_to(small, (height // self.scale, width // self.scale), params["back"]).clamp(0, 1)
