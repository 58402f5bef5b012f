"""Resizing to another size and back: random resizing, fractional desktop scaling, non-square pixels, video calls."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt
from torch import Tensor

from vsr_lab.core.resize import resize_to
from vsr_lab.degradations.base import Degradation
from vsr_lab.degradations.parameters import Choice, LogRange, Params, draw_seed

# "nearest" is not one of them: it shifts the picture by up to half a pixel.
Method = Literal["area", "bilinear", "bicubic", "lanczos"]


class RandomResize(Degradation):
    """Resizes to a random intermediate size, applies another degradation, and resizes to 1/scale of the input size.

    Source: first-order degradation of Real-ESRGAN, Wang et al. 2021, section 3.1.

    Args:
        factor: Ratio of the intermediate size to the input size, > 0, uniform in its logarithm.
        first_method: Interpolation methods to choose from for resizing to the intermediate size.
        second_method: Interpolation methods to choose from for resizing to the final size.
        inside: A degradation of scale 1 applied at the intermediate size, for example noise and JPEG; None: none.
        scale: Downscaling factor: ratio of the input size to the final size.
    """

    factor: LogRange[PositiveFloat] = (0.3, 1.2)
    first_method: Choice[Method] = ("area", "bilinear", "bicubic")
    second_method: Choice[Method] = ("area", "bilinear", "bicubic")
    inside: Degradation | None = None
    scale: PositiveInt = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inside is None:
            return
        if self.inside.scale != 1:
            raise ValueError(f"RandomResize.inside must have scale 1, got {self.inside.scale}")
        if self.inside.modifies_target:
            raise ValueError("RandomResize.inside must not modify the target, which does not have its size")
        self._inherit(self.inside)

    def sample(self, rng: np.random.Generator) -> Params:
        return {**super().sample(rng), "inside": self.inside.sample(rng) if self.inside else None}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        between = (max(2, round(height * params["factor"])), max(2, round(width * params["factor"])))
        resized = resize_to(clip, between, params["first_method"]).clamp(0, 1)
        if self.inside:
            resized = self.inside.apply(resized, params["inside"])
        return resize_to(resized, (height // self.scale, width // self.scale), params["second_method"]).clamp(0, 1)


def rescale_round_trip(clip: Tensor, rows: float, columns: float, method: str) -> Tensor:
    """Resize a clip and resize it back to its original size.

    Args:
        clip: (..., H, W).
        rows, columns: Factors of height and width of the first resizing.
        method: Interpolation method.
    """
    height, width = clip.shape[-2:]
    resized = resize_to(clip, (max(1, round(height * rows)), max(1, round(width * columns))), method)
    return resize_to(resized, (height, width), method).clamp(0, 1)


class RescaleRoundTrip(Degradation):
    """Resizes by a factor and then back to the original size.

    Factors above 1 model the fractional scaling of a desktop (1.25, 1.5, 1.75), factors below 1 a window that is shared
    at a smaller size.

    Args:
        factor: Factors to choose from, > 0.
        method: "bilinear", "bicubic", "lanczos" or "area".
        horizontal: Resize only horizontally, as for non-square pixels (704 / 720, 768 / 720).
    """

    factor: Choice[PositiveFloat]
    method: Method = "bilinear"
    horizontal: bool = False

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return rescale_round_trip(clip, 1 if self.horizontal else params["factor"], params["factor"], self.method)


class AdaptiveResolution(Degradation, temporal=True):
    """Video call with varying bandwidth: the resolution changes over time, and frames are resized back to full size.

    Args:
        ladder: Resolutions as fractions of the full one, in ascending or descending order.
        hold: Mean number of frames until the resolution changes to the next lower or higher one.
        method: "bilinear", "bicubic", "lanczos" or "area".
    """

    ladder: Annotated[Sequence[PositiveFloat], BeforeValidator(tuple), Field(min_length=1)]
    hold: PositiveFloat
    method: Method = "bilinear"

    def sample(self, rng: np.random.Generator) -> Params:
        return {"start": int(rng.integers(0, len(self.ladder))), "seed": draw_seed(rng)}

    def rungs(self, frames: int, params: Params) -> list[int]:
        """Index into `ladder` for every frame."""
        rng = np.random.default_rng(params["seed"])
        rungs = [int(params["start"])]
        for _ in range(1, frames):
            moves, up = rng.random() < 1 / self.hold, rng.random() < 0.5
            rungs.append(min(max(rungs[-1] + (1 if up else -1) * moves, 0), len(self.ladder) - 1))
        return rungs

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        factors = [self.ladder[rung] for rung in self.rungs(clip.shape[-4], params)]
        frames = zip(clip.unbind(-4), factors, strict=True)
        return torch.stack([rescale_round_trip(frame, factor, factor, self.method) for frame, factor in frames], -4)
