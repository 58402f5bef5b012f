"""What happens to colours and tones on the way: chroma kept small, wrong matrices, few levels, drifting exposure."""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.resize import resize_matrix
from vsr_lab.degradations.base import Degradation, Params, draw_seed, noise_source, uniform
from vsr_lab.video.yuv import to_rgb, to_yuv

# How many luma pixels a chroma sample stands for, down and across.
_LAYOUTS = {"420": (2, 2), "422": (1, 2), "411": (1, 4), "440": (2, 1)}
# Where it stands: at the first of them or in their middle, down and across.
_SITINGS = {"left": (False, True), "centre": (False, False), "topleft": (True, True)}


@lru_cache(maxsize=64)
def _chroma_matrix(size: int, factor: int, first: bool, read_first: bool, method: str) -> Tensor:
    """One axis of chroma, shrunk by `factor` and enlarged again, as one matrix (size, size)."""
    if factor == 1:
        return torch.eye(size, dtype=torch.float64)
    small = math.ceil(size / factor)
    off = (factor - 1) / 2  # from the middle to the first pixel, in luma pixels
    down = resize_matrix(size, small, 1 / factor, "bilinear", -off if first else 0.0)
    return resize_matrix(small, size, factor, method, off / factor if read_first else 0.0) @ down


class ChromaSubsampling(Degradation):
    """Colour at half the detail, as nearly all video keeps it: down and up again; luma is left alone.

    layout: "420", "422", "411" or "440"; siting: where the colour samples lie, "left" (MPEG-2 and later), "centre"
    (JPEG, MPEG-1) or "topleft" (BT.2020); read_as: the siting a careless reader takes for it, which moves colours by
    half a pixel (null: the true one); method: how it is enlarged, "nearest", "bilinear" or "bicubic"; matrix: "bt601"
    or "bt709".
    """

    def __init__(
        self,
        layout: str = "420",
        siting: str = "left",
        read_as: str | None = None,
        method: str = "bilinear",
        matrix: str = "bt709",
    ) -> None:
        if layout not in _LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(_LAYOUTS)}, not {layout!r}")
        for name in (siting, read_as or siting):
            if name not in _SITINGS:
                raise ValueError(f"a siting must be one of {', '.join(_SITINGS)}, not {name!r}")
        self.factors = _LAYOUTS[layout]
        self.siting = _SITINGS[siting]
        self.read_as = _SITINGS[read_as or siting]
        self.method = method
        self.matrix = matrix

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        yuv = to_yuv(clip, self.matrix)
        rows, columns = (
            _chroma_matrix(size, factor, first, read, self.method).to(clip)
            for size, factor, first, read in zip(clip.shape[-2:], self.factors, self.siting, self.read_as, strict=True)
        )
        chroma = rows @ yuv[..., 1:, :, :] @ columns.mT
        return to_rgb(torch.cat([yuv[..., :1, :, :], chroma], -3), self.matrix).clamp(0, 1)


class MatrixConfusion(Degradation):
    """RGB made from YUV by another matrix or range than it was made with: tinted or washed-out colours.

    kinds: those to draw from, "601_as_709", "709_as_601", "full_as_limited", "limited_as_full".
    """

    def __init__(self, kinds: list[str]) -> None:
        known = {"601_as_709", "709_as_601", "full_as_limited", "limited_as_full"}
        if not kinds or not known >= set(kinds):
            raise ValueError(f"kinds must be some of {', '.join(sorted(known))}, not {kinds}")
        self.kinds = list(kinds)

    def sample(self, rng: np.random.Generator) -> Params:
        return {"kind": str(rng.choice(self.kinds))}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        written, read = params["kind"].split("_as_")
        if "limited" in (written, read):
            level = clip * (219 / 255) + 16 / 255 if written == "limited" else (clip - 16 / 255) * (255 / 219)
            return level.clamp(0, 1)
        return to_rgb(to_yuv(clip, f"bt{written}"), f"bt{read}").clamp(0, 1)


class Banding(Degradation):
    """Too few levels: bits_min to bits_max bits a channel, with noise before rounding in dither_chance of the clips."""

    temporal = True

    def __init__(self, bits_min: int, bits_max: int, dither_chance: float = 0.3) -> None:
        self.bits_min = bits_min
        self.bits_max = bits_max
        self.dither_chance = dither_chance

    def sample(self, rng: np.random.Generator) -> Params:
        dithered = rng.random() < self.dither_chance
        return {
            "bits": int(rng.integers(self.bits_min, self.bits_max + 1)),
            "dither": draw_seed(rng) if dithered else None,
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        steps = clip * (2 ** params["bits"] - 1)
        if params["dither"] is not None:
            steps = steps + (torch.rand(clip.shape, generator=noise_source(params["dither"])).to(clip) - 0.5)
        return (steps.round() / (2 ** params["bits"] - 1)).clamp(0, 1)


class ExposureDrift(Degradation):
    """Exposure and contrast that change smoothly along a clip, as a camera's automatic does.

    stops: exposure at either end of the clip, each from [-stops, stops] (1 stop doubles the light); contrast: at either
    end a factor from [1 - contrast, 1 + contrast], around mid grey.
    """

    temporal = True

    def __init__(self, stops: float = 0.5, contrast: float = 0.1) -> None:
        self.stops = stops
        self.contrast = contrast

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "stops": [uniform(rng, -self.stops, self.stops) for _ in range(2)],
            "contrast": [1 + uniform(rng, -self.contrast, self.contrast) for _ in range(2)],
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames = clip.shape[-4]
        eased = (1 - torch.cos(torch.linspace(0, math.pi, frames, dtype=torch.float64))) / 2
        stops, contrast = (
            (a + (b - a) * eased).to(clip).view(-1, 1, 1, 1) for a, b in (params["stops"], params["contrast"])
        )
        grey = 0.46  # where a scene's 18 % lies on the transfer curve
        exposed = clip * 2 ** (stops / 2.2)
        return ((exposed - grey) * contrast + grey).clamp(0, 1)
