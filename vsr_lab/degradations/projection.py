"""Old film in a projector: a gate that weaves, light that flickers, dyes that fade, corners that darken."""

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, draw_seed, uniform
from vsr_lab.degradations.filtering import displaced, drift
from vsr_lab.degradations.srgb import to_display, to_linear


class GateWeave(Degradation):
    """The whole picture wanders by parts of a pixel, its mean place being its own.

    amplitude: the deviation in pixels of what `apply` is given, drawn from a range, larger down than across; no frame
    is moved by more than one pixel. The truth weaves too: how far a frame is off cannot be seen in it, and a model that
    should undo it would learn to blur.
    """

    temporal = True
    modifies_target = True

    def __init__(self, amplitude_min: float, amplitude_max: float) -> None:
        self.amplitude_min = amplitude_min
        self.amplitude_max = amplitude_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"amplitude": uniform(rng, self.amplitude_min, self.amplitude_max), "seed": draw_seed(rng)}

    def offsets(self, frames: int, params: Params) -> np.ndarray:
        """Pixels (x, y) a frame, (T, 2): smooth, mean 0, each below 1."""
        path = drift(np.random.default_rng(params["seed"]), frames, 0.7, 2)
        path = (path - path.mean(0)) * params["amplitude"] * (0.6, 1.0)
        return path / max(1.0, float(np.abs(path).max(initial=0)) / 0.99)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        path = torch.from_numpy(zoom * self.offsets(hr.shape[-4], params))
        return displaced(hr, path[:, :, None, None])


class ExposureFlicker(Degradation):
    """Every frame lit a little otherwise, as by a hand-cranked shutter. strength: at most, a deviation in stops."""

    temporal = True

    def __init__(self, strength_max: float) -> None:
        self.strength_max = strength_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"strength": uniform(rng, 0, self.strength_max), "seed": draw_seed(rng)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        stops = params["strength"] * drift(np.random.default_rng(params["seed"]), clip.shape[-4], 0.3)
        return to_display((to_linear(clip) * torch.from_numpy(2.0**stops).to(clip)[:, :, None, None]).clamp(0, 1))


class Fading(Degradation):
    """Dyes that lost density: cyan most, so prints turn pink; blacks become brown; the base yellows a little.

    strength in [0, 1] drawn from a range; at 1 cyan keeps 45 %, magenta 80 % and yellow 65 % of its density.
    Source: the order of dark fading of chromogenic film in Wilhelm, "The Permanence and Care of Color Photographs".
    """

    def __init__(self, strength_min: float, strength_max: float) -> None:
        self.strength_min = strength_min
        self.strength_max = strength_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"strength": uniform(rng, self.strength_min, self.strength_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        lost = clip.new_tensor([0.55, 0.2, 0.35]).view(3, 1, 1) * params["strength"]
        stain = clip.new_tensor([0.0, 0.01, 0.04]).view(3, 1, 1) * params["strength"]
        density = -to_linear(clip).clamp(min=10**-2.4).log10()  # a print's black is no deeper
        return to_display(10 ** -(density * (1 - lost) + stain))


class Vignette(Degradation):
    """Corners darker than the middle, by the fourth power of a cosine. strength: stops lost in them, up to the most."""

    def __init__(self, strength_max: float) -> None:
        self.strength_max = strength_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"strength": uniform(rng, 0, self.strength_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        y = torch.arange(height, device=clip.device, dtype=clip.dtype) - (height - 1) / 2
        x = torch.arange(width, device=clip.device, dtype=clip.dtype) - (width - 1) / 2
        square = (y[:, None] ** 2 + x**2) / ((height / 2) ** 2 + (width / 2) ** 2)
        slope = 2 ** (params["strength"] / 2) - 1  # cos^4 = 1 / (1 + tan^2)^2
        return to_display(to_linear(clip) / (1 + slope * square) ** 2)
