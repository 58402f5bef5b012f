"""Changes of size: the downsampling of published protocols, and resizing to another size and back."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.resize import imresize, resize_to
from vsr_lab.degradations.base import Choice, Degradation, LogRange, Params, Range, draw_seed

_PAD_MODES: dict[str, Literal["reflect", "edge"]] = {"reflect": "reflect", "replicate": "edge"}  # numpy's names


class ResizeDown(Degradation):
    """Downscaling by MATLAB's imresize. With "bicubic" it is the BI degradation of the literature.

    With "nearest" and an even scale, pixels are taken half an HR pixel to the right of and below the centre, as in
    MATLAB.

    Args:
        scale: Downscaling factor.
        method: "bicubic", "bilinear", "lanczos", "area" (all antialiased) or "nearest".
    """

    scale: PositiveInt
    method: Literal["bicubic", "bilinear", "lanczos", "area", "nearest"] = "bicubic"

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return quantise(imresize(clip, 1 / self.scale, self.method))


class BlurDown(Degradation):
    """Gaussian blur and subsampling (every scale-th pixel is kept): the BD degradations of the literature.

    The sampling phase is part of the definition: the PSNR of a network on LR with another phase is 8 to 13 dB lower.

    Args:
        scale: Downscaling factor.
        sigma: Standard deviation of the Gaussian, in HR pixels, > 0.
        kernel_size: Size of the kernel in HR pixels; odd if the phase is an integer, even if the phase is a
            half-integer (at scale 4 KAIR uses 12).
        phase: Position of the first LR pixel in HR pixels, counted from the centre of the first HR pixel, a multiple of
            0.5 in [0, scale - 1]; None: (scale - 1) / 2, with which LR is not shifted relative to HR.
        border: "reflect" (edge pixel not repeated) or "replicate".

    Raises:
        ValueError: phase is not a multiple of 0.5 in [0, scale - 1], or kernel_size is even for an integer phase or odd
            for a half-integer phase.
    """

    scale: PositiveInt
    sigma: Range[PositiveFloat]
    kernel_size: PositiveInt
    phase: float | None
    border: Literal["reflect", "replicate"]

    def __post_init__(self) -> None:
        super().__post_init__()
        phase = (self.scale - 1) / 2 if self.phase is None else self.phase
        if not 0 <= phase <= self.scale - 1 or (2 * phase) % 1:
            limits = f"a whole or half pixel in 0..{self.scale - 1}, or null for centred"
            raise ValueError(f"BlurDown.phase must be {limits}, got {phase}")
        if self.kernel_size % 2 == int(2 * phase) % 2:
            parity = "odd" if self.kernel_size % 2 == 0 else "even"
            raise ValueError(f"kernel_size must be {parity} for phase {phase} at x{self.scale}, got {self.kernel_size}")
        self.offset = phase

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rows, columns = (self._matrix(size, params["sigma"]).to(clip) for size in clip.shape[-2:])
        return quantise(rows @ clip @ columns.mT)

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        rows, columns = (torch.stack([self._matrix(n, p["sigma"]) for p in params]).to(hr) for n in hr.shape[-2:])
        return quantise(rows[:, None, None] @ hr @ columns[:, None, None].mT)

    def _matrix(self, size: int, sigma: float) -> Tensor:
        """Blur and subsampling of one axis as a matrix, float64 (size / scale, size); row i computes LR pixel i."""
        offsets = np.arange(self.kernel_size) - (self.kernel_size - 1) / 2
        taps = np.exp(-(offsets**2) / (2 * sigma**2))
        first = np.arange(size // self.scale) * self.scale + int(self.offset + offsets[0])
        margin = self.kernel_size
        padded = np.pad(np.arange(size), margin, mode=_PAD_MODES[self.border])  # index of the pixel at each position
        columns = padded[first[:, None] + np.arange(self.kernel_size) + margin]
        matrix = np.zeros((len(first), size))
        np.add.at(matrix, (np.arange(len(first))[:, None], columns), taps / taps.sum())
        return torch.from_numpy(matrix)


_FIR5 = (1, 2, 3, 2, 1)


@lru_cache(maxsize=16)
def _subpixel_weights(width: int, scale: int) -> Tensor:
    """Weights of the `width` pixels of a row for R, G and B of each LR pixel: (3, width / scale, width), row sums 1."""
    thirds = 3 * (width // scale)
    edges = torch.arange(thirds + 1, dtype=torch.float64) * scale / 3
    pixel = torch.arange(width, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    mean = overlap.clamp(min=0) * 3 / scale
    taps = torch.zeros(thirds, thirds, dtype=torch.float64)
    middle = torch.arange(thirds)
    for step, weight in zip(range(-2, 3), _FIR5, strict=True):
        taps.index_put_((middle, (middle + step).clamp(0, thirds - 1)), torch.tensor(weight / 9).double(), True)
    return (taps @ mean).unflatten(0, (-1, 3)).transpose(0, 1)


class SubpixelDown(Degradation):
    """Downscaling by subpixel rendering as in ClearType and FreeType: R, G, B are sampled a third of a pixel apart.

    Each subpixel is the mean of its area, filtered by the weights (1 2 3 2 1) / 9; the default filter of FreeType has
    five taps too, with other weights. The whole frame is processed and not only text, so use this degradation for
    screens, not for photographs.
    Source: Platt, "Optimal filtering for patterned displays", 2000.

    Args:
        scale: Downscaling factor.
    """

    scale: PositiveInt

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rows = clip.unflatten(-2, (-1, self.scale)).mean(-2)
        weights = _subpixel_weights(clip.shape[-1], self.scale).to(clip)
        return quantise(torch.einsum("cxw,...chw->...chx", weights, rows))


# "nearest" is not one of them: it shifts the picture by up to half a pixel.
Method = Literal["area", "bilinear", "bicubic", "lanczos"]


class RandomResize(Degradation):
    """Resizes to a random intermediate size, applies another degradation, and resizes to 1/scale of the input size.

    Source: first-order degradation of Real-ESRGAN, Wang et al. 2021, section 3.1.

    Args:
        factor: Ratio of the intermediate size to the input size, > 0. From a range, it is drawn uniformly on a
            logarithmic scale.
        first_method: Interpolation methods to choose from for resizing to the intermediate size.
        second_method: Interpolation methods to choose from for resizing to the final size.
        inside: A degradation with scale 1 that is applied at the intermediate size, for example noise and JPEG; None:
            no degradation.
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
        method: Interpolation method: "area", "bilinear", "bicubic" or "lanczos".
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
        hold: Mean number of frames until the resolution changes to the next lower or higher resolution of the ladder.
            At both ends of the ladder, the mean is twice this number.
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
