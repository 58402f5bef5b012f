"""Degradations of colour and tone (chroma subsampling, wrong matrices and ranges, banding, exposure); colour spaces."""

import math
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from vsr_lab.core.clip import ycbcr_matrix
from vsr_lab.core.resize import resize_matrix
from vsr_lab.degradations.base import Chance, Choice, Degradation, Params, Range, Signed, generator, uniform


def srgb_to_linear(srgb: Tensor) -> Tensor:
    """Convert sRGB values in [0, 1] to linear light in [0, 1], any shape."""
    curve = srgb.add(0.055).mul_(1 / 1.055).clamp_(min=0).pow_(2.4)  # in place: allocating costs more than pow
    return torch.where(srgb <= 0.04045, srgb / 12.92, curve)


def linear_to_srgb(light: Tensor) -> Tensor:
    """Convert linear light in [0, 1] to sRGB values in [0, 1], any shape."""
    curve = light.clamp(min=0.0031308).pow_(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(light <= 0.0031308, light * 12.92, curve)


def to_yuv(rgb: Tensor, matrix: str) -> Tensor:
    """Convert RGB to YUV, not rounded.

    Args:
        rgb: (..., 3, H, W) in [0, 1].
        matrix: "bt601", "bt709", "bt2020", "smpte240m" or "fcc".

    Returns:
        Same shape: luma in [0, 1], chroma in [-0.5, 0.5].
    """
    return torch.einsum("ij,...jhw->...ihw", torch.from_numpy(ycbcr_matrix(matrix)).to(rgb), rgb)


def to_rgb(yuv: Tensor, matrix: str) -> Tensor:
    """Convert YUV to RGB, not clamped: the inverse of `to_yuv`."""
    inverse = torch.linalg.inv(torch.from_numpy(ycbcr_matrix(matrix)))
    return torch.einsum("ij,...jhw->...ihw", inverse.to(yuv), yuv)


Location = Literal["left", "center", "topleft"]
# Luma pixels per chroma sample, vertically and horizontally.
_FACTORS = {"420": (2, 2), "422": (1, 2), "411": (1, 4), "440": (2, 1)}
# Whether the sample lies at the first of them or in their centre, vertically and horizontally.
_FIRST = {"left": (False, True), "center": (False, False), "topleft": (True, True)}


@lru_cache(maxsize=64)
def _chroma_matrix(size: int, factor: int, first: bool, read_first: bool, method: str) -> Tensor:
    """Downsampling by `factor` and upsampling of one axis of chroma as one matrix, (size, size)."""
    if factor == 1:
        return torch.eye(size, dtype=torch.float64)
    small = math.ceil(size / factor)
    off = (factor - 1) / 2  # from the centre to the first pixel, in luma pixels
    down = resize_matrix(size, small, 1 / factor, method="bilinear", shift=-off if first else 0.0)
    return resize_matrix(small, size, factor, method=method, shift=off / factor if read_first else 0.0) @ down


class ChromaSubsampling(Degradation):
    """Chroma subsampling: chroma is downsampled and upsampled again, luma is unchanged.

    Args:
        layout: "420", "422", "411" or "440".
        location: Location of the chroma samples: "left" (MPEG-2 and later), "center" (JPEG, MPEG-1) or "topleft"
            (BT.2020).
        read_location: Location that is assumed in upsampling. If it differs from `location`, chroma is shifted, with
            "420" by half a pixel. None: the same as `location`.
        method: Upsampling method, "nearest", "bilinear" or "bicubic".
        matrix: YUV matrix, "bt601", "bt709" or "bt2020".
    """

    layout: Literal["420", "422", "411", "440"] = "420"
    location: Location = "left"
    read_location: Location | None = None
    method: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    matrix: Literal["bt601", "bt709", "bt2020"] = "bt709"

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        yuv = to_yuv(clip, self.matrix)
        axes = (clip.shape[-2:], _FACTORS[self.layout], _FIRST[self.location])
        rows, columns = (
            _chroma_matrix(size, factor, first, read_first, self.method).to(clip)
            for size, factor, first, read_first in zip(*axes, _FIRST[self.read_location or self.location], strict=True)
        )
        chroma = rows @ yuv[..., 1:, :, :] @ columns.mT
        return to_rgb(torch.cat([yuv[..., :1, :, :], chroma], -3), self.matrix).clamp(0, 1)


class MatrixConfusion(Degradation):
    """Wrong YUV matrix or range in decoding, which causes a tint, or washed-out or crushed tones.

    Args:
        kind: Errors, one of which is drawn for each clip: "601_as_709" (encoded with BT.601, decoded with BT.709),
            "709_as_601", "full_as_limited" (encoded with full range, decoded as limited range) or "limited_as_full".
    """

    kind: Choice[Literal["601_as_709", "709_as_601", "full_as_limited", "limited_as_full"]]

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        written, read = params["kind"].split("_as_")
        if "limited" in (written, read):
            level = clip * (219 / 255) + 16 / 255 if written == "limited" else (clip - 16 / 255) * (255 / 219)
            return level.clamp(0, 1)
        return to_rgb(to_yuv(clip, f"bt{written}"), f"bt{read}").clamp(0, 1)


class Banding(Degradation, temporal=True, seeded=True):
    """Quantisation to few levels, which causes visible steps in gradients.

    Args:
        dither: Probability that noise is added before rounding, to all frames of a clip.
        bits: Bits per channel, 1..16.
    """

    dither: Chance = 0.3
    bits: Range[Annotated[int, Field(ge=1, le=16)]] = (4, 6)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        levels = clip * (2 ** params["bits"] - 1)
        if params["dither"]:
            levels = levels + (torch.rand(clip.shape, generator=generator(params["seed"])).to(clip) - 0.5)
        return (levels.round() / (2 ** params["bits"] - 1)).clamp(0, 1)


class ExposureDrift(Degradation, temporal=True):
    """Automatic exposure of a camera: exposure and contrast change smoothly over the clip.

    Args:
        stops: Change of the exposure at the first and at the last frame, each drawn separately, in stops; 1 stop
            doubles the light.
        contrast: Relative change of the contrast around mid grey at the first and at the last frame, in [-1, 1].
    """

    stops: Range[float] = (-0.5, 0.5)
    contrast: Range[Signed] = (-0.1, 0.1)

    def sample(self, rng: np.random.Generator) -> Params:
        ends = {"stops": self.stops, "contrast": self.contrast}
        return {name: [uniform(value, rng) for _ in range(2)] for name, value in ends.items()}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        ease = (1 - torch.cos(torch.linspace(0, math.pi, clip.shape[-4], dtype=torch.float64))) / 2
        ends = (params["stops"], [1 + change for change in params["contrast"]])
        stops, contrast = ((a + (b - a) * ease).to(clip).view(-1, 1, 1, 1) for a, b in ends)
        grey = 0.46  # sRGB value of 18 % reflectance
        exposed = clip * 2 ** (stops / 2.2)
        return ((exposed - grey) * contrast + grey).clamp(0, 1)
