"""Blur that leaves the size alone and moves nothing: lenses, focus, motion, filters."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vsr_lab.degradations import kernels
from vsr_lab.degradations.base import Degradation, Params, uniform
from vsr_lab.degradations.convolution import as_kernels, convolve
from vsr_lab.degradations.kernels import Kernel
from vsr_lab.degradations.srgb import to_display, to_linear


class KernelBlur(Degradation):
    """A blur given by its kernels. linear_light: it happens to light, before the transfer curve, as in a camera."""

    linear_light: bool = False

    @abstractmethod
    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        """One kernel for the whole clip, or one a frame: odd sizes, each summing to 1, centroid in the middle."""

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self._blurred(clip, _stacked(self.kernels(params, clip.shape[-4])))

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        each = [_stacked(self.kernels(p, hr.shape[1])) for p in params]
        size = max(one.shape[-1] for one in each)
        return self._blurred(hr, torch.stack([as_kernels(one, size) for one in each]))

    def _blurred(self, clip: Tensor, stack: Tensor) -> Tensor:
        light = to_linear(clip) if self.linear_light else clip
        blurred = convolve(light, stack).clamp(0, 1)
        return to_display(blurred) if self.linear_light else blurred


def _stacked(each: Sequence[Kernel]) -> Tensor:
    """Kernels of any odd size -> T 1 k k."""
    size = max(kernel.shape[-1] for kernel in each)
    return torch.stack([as_kernels(torch.from_numpy(kernel), size) for kernel in each])[:, None]


def _drifting(value: float, drift: float, frames: int) -> list[float]:
    """`value` at the middle of the clip, (1 - drift) of it at its start, (1 + drift) at its end."""
    if drift == 0 or frames == 1:
        return [value]
    return [value * (1 + drift * (2 * t / (frames - 1) - 1)) for t in range(frames)]


class GaussianBlur(KernelBlur):
    """A Gaussian of sigma pixels from [sigma_min, sigma_max]; longer than wide by up to `anisotropy`, in any direction.

    drift: by how much of itself sigma may change from the middle of a clip to its ends, 0..1.
    """

    def __init__(self, sigma_min: float, sigma_max: float, anisotropy: float = 1.0, drift: float = 0.0) -> None:
        if anisotropy < 1 or not 0 <= drift <= 1:
            raise ValueError(f"anisotropy is at least 1 and drift in 0..1, not {anisotropy} and {drift}")
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.anisotropy = anisotropy
        self.drift = drift
        self.temporal = drift > 0

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "sigma": uniform(rng, self.sigma_min, self.sigma_max),
            "ratio": uniform(rng, 1, self.anisotropy),
            "angle": uniform(rng, 0, math.pi),
            "drift": uniform(rng, -self.drift, self.drift),
        }

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        sigmas = _drifting(params["sigma"], params["drift"], frames)
        return [kernels.gaussian(s, params["ratio"], params["angle"], kernels.reach(s)) for s in sigmas]


class GeneralisedBlur(KernelBlur):
    """Real-ESRGAN's other kernels: shape "generalised" (flat with hard edges, or peaked) or "plateau".

    sigma in pixels; beta from [beta_min, beta_max], 1 a Gaussian or a Lorentzian; kernel_size odd, in pixels.
    Source: Wang et al. 2021, section 3.2; BasicSR data/degradations.py, which takes beta 0.5..4 and 1..2, size 7..21.
    """

    def __init__(
        self,
        shape: str,
        sigma_min: float,
        sigma_max: float,
        beta_min: float,
        beta_max: float,
        anisotropy: float = 1.0,
        kernel_size: int = 21,
    ) -> None:
        shapes = {"generalised": kernels.generalised, "plateau": kernels.plateau}
        if shape not in shapes:
            raise ValueError(f"shape must be one of {', '.join(shapes)}, not {shape!r}")
        if sigma_min <= 0 or anisotropy < 1:
            raise ValueError(f"sigma is above 0 and anisotropy at least 1, not {sigma_min} and {anisotropy}")
        self.shape = shapes[shape]
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.beta_min = beta_min
        self.beta_max = beta_max
        self.anisotropy = anisotropy
        self.kernel_size = kernel_size

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "sigma": uniform(rng, self.sigma_min, self.sigma_max),
            "ratio": uniform(rng, 1, self.anisotropy),
            "angle": uniform(rng, 0, math.pi),
            "beta": uniform(rng, self.beta_min, self.beta_max),
        }

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        return [self.shape(params["sigma"], params["ratio"], params["angle"], params["beta"], self.kernel_size)]


class SincFilter(KernelBlur):
    """Ringing at edges, as a coder's or a scaler's hard low-pass leaves it. cutoff in radians a pixel, up to pi.

    Source: Wang et al. 2021 (Real-ESRGAN), section 3.4, which takes pi/3..pi.
    """

    def __init__(self, cutoff_min: float, cutoff_max: float, kernel_size: int = 21) -> None:
        self.cutoff_min = cutoff_min
        self.cutoff_max = cutoff_max
        self.kernel_size = kernel_size

    def sample(self, rng: np.random.Generator) -> Params:
        return {"cutoff": uniform(rng, self.cutoff_min, self.cutoff_max)}

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        return [kernels.sinc(params["cutoff"], self.kernel_size)]


class MotionBlur(KernelBlur):
    """A camera that moves while the shutter is open: the same way in every frame, `length` pixels in any direction.

    curvature: how far the way may turn, as a share of a half circle; 0 is a straight line.
    """

    def __init__(self, length_min: float, length_max: float, curvature: float = 0.0, linear_light: bool = True) -> None:
        self.length_min = length_min
        self.length_max = length_max
        self.curvature = curvature
        self.linear_light = linear_light

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "length": uniform(rng, self.length_min, self.length_max),
            "angle": uniform(rng, 0, 2 * math.pi),
            "turn": math.pi * uniform(rng, -self.curvature, self.curvature),
        }

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        size = 2 * math.ceil(params["length"] / 2 + 1) + 1
        return [kernels.trajectory(params["length"], params["angle"], params["turn"], size)]


class Defocus(KernelBlur):
    """A lens out of focus: a disc of `radius` pixels, which may breathe by `drift` of itself along the clip."""

    def __init__(self, radius_min: float, radius_max: float, drift: float = 0.0, linear_light: bool = True) -> None:
        self.radius_min = radius_min
        self.radius_max = radius_max
        self.drift = drift
        self.linear_light = linear_light
        self.temporal = drift > 0

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "radius": uniform(rng, self.radius_min, self.radius_max),
            "drift": uniform(rng, -self.drift, self.drift),
        }

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        radii = _drifting(params["radius"], params["drift"], frames)
        return [kernels.disc(radius, 2 * math.ceil(radius) + 1) for radius in radii]
