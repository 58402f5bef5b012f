"""Blur and sharpening that keep the size and do not shift the picture: lenses, focus, motion, filters."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from vsr_lab.degradations import kernels
from vsr_lab.degradations.base import Degradation, Params, Range, Signed
from vsr_lab.degradations.color import linear_to_srgb, srgb_to_linear
from vsr_lab.degradations.filtering import filter2d_fft, pad_kernels
from vsr_lab.degradations.kernels import Kernel

Ratio = Annotated[float, Field(ge=1)]


class KernelBlur(Degradation):
    """Base class of blurs that are computed by convolution with a kernel.

    Attributes:
        linear_light: Whether the blur is computed in linear light, as in a real lens, instead of on sRGB values.
        drift: Relative change of the blur width from the middle of a clip to its last frame, in [-1, 1]. The width
            changes linearly, so the change from the middle to the first frame is -drift.
    """

    linear_light = False
    drift = (0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.temporal = self.drift != (0, 0)

    @abstractmethod
    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        """Kernel of each frame of a clip, or one kernel for all frames: odd size, sum 1, centroid in the middle."""

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self._filter(clip, _stack(self.kernels(params, clip.shape[-4])))

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        each = [_stack(self.kernels(p, hr.shape[1])) for p in params]
        size = max(one.shape[-1] for one in each)
        return self._filter(hr, torch.stack([pad_kernels(one, size) for one in each]))

    def _filter(self, clip: Tensor, stack: Tensor) -> Tensor:
        light = srgb_to_linear(clip) if self.linear_light else clip
        blurred = filter2d_fft(light, stack).clamp(0, 1)
        return linear_to_srgb(blurred) if self.linear_light else blurred


def _stack(each: Sequence[Kernel]) -> Tensor:
    """Stack kernels of any odd size to (T, 1, k, k)."""
    size = max(kernel.shape[-1] for kernel in each)
    return torch.stack([pad_kernels(torch.from_numpy(kernel), size) for kernel in each])[:, None]


def _drifting(value: float, drift: float, frames: int) -> list[float]:
    """`value` in the middle of the clip, (1 - drift) times it at the start, (1 + drift) times it at the end."""
    if drift == 0 or frames == 1:
        return [value]
    return [value * (1 + drift * (2 * t / (frames - 1) - 1)) for t in range(frames)]


class GaussianBlur(KernelBlur):
    """Gaussian blur, isotropic or anisotropic.

    Source: Real-ESRGAN (Wang et al. 2021), section 3.2.

    Args:
        sigma: Standard deviation along `angle`, in pixels, >= 0.
        anisotropy: Ratio of the standard deviation along `angle` to the standard deviation across it, >= 1.
        angle: Direction of the larger standard deviation, in radians.
        drift: Relative change of sigma from the middle of a clip to its last frame, in [-1, 1]; linear over time.
    """

    sigma: Range[NonNegativeFloat] = (0.2, 3.0)
    anisotropy: Range[Ratio] = (1.0, 1.0)
    angle: Range[float] = (0.0, math.pi)
    drift: Range[Signed] = (0.0, 0.0)

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        sigmas = _drifting(params["sigma"], params["drift"], frames)
        return [kernels.gaussian(s, params["anisotropy"], params["angle"], kernels.gaussian_size(s)) for s in sigmas]


class GeneralizedBlur(KernelBlur):
    """Blur by the generalized Gaussian or the plateau-shaped kernels of Real-ESRGAN.

    Source: Wang et al. 2021, section 3.2. BasicSR uses beta in [0.5, 4] for "generalized" and in [1, 2] for "plateau",
    and kernel sizes of 7 to 21.

    Args:
        shape: "generalized" (flat with hard edges, or peaked) or "plateau".
        sigma: Width along `angle`, in pixels, > 0.
        anisotropy: Ratio of the width along `angle` to the width across it, >= 1.
        angle: Direction of the larger width, in radians.
        beta: Exponent, > 0; 1 is a Gaussian, or a Lorentzian for "plateau".
        kernel_size: Size of the kernel in pixels, odd.
    """

    shape: Literal["generalized", "plateau"]
    sigma: Range[PositiveFloat] = (0.3, 2.5)
    anisotropy: Range[Ratio] = (1.0, 1.0)
    angle: Range[float] = (0.0, math.pi)
    beta: Range[PositiveFloat] = (1.0, 2.0)
    kernel_size: int = 21

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        kernel = kernels.generalized if self.shape == "generalized" else kernels.plateau
        return [
            kernel(params["sigma"], params["anisotropy"], params["angle"], beta=params["beta"], size=self.kernel_size)
        ]


class SincFilter(KernelBlur):
    """Ringing at edges, caused by an ideal low-pass filter (a sinc kernel), as by some scalers and encoders.

    Source: Real-ESRGAN (Wang et al. 2021), section 3.4, with a cutoff in pi/3..pi.

    Args:
        cutoff: Cutoff frequency in radians per pixel, in (0, pi].
        kernel_size: Size of the kernel in pixels, odd.
    """

    cutoff: Range[Annotated[float, Field(gt=0, le=math.pi)]] = (math.pi / 3, math.pi)
    kernel_size: int = 21

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        return [kernels.sinc(params["cutoff"], self.kernel_size)]


class MotionBlur(KernelBlur):
    """Motion blur by a camera that moves while the shutter is open, the same in every frame.

    Args:
        length: Length of the motion path during the exposure, in pixels, > 0.
        angle: Direction in the middle of the path, in radians.
        curvature: Change of direction along the path, as a fraction of a half circle, in [-1, 1]; 0 is a straight line.
        linear_light: Whether the blur is computed in linear light instead of on sRGB values.
    """

    length: Range[PositiveFloat] = (1.0, 8.0)
    angle: Range[float] = (0.0, 2 * math.pi)
    curvature: Range[Signed] = (0.0, 0.0)
    linear_light: bool = True

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        size = 2 * math.ceil(params["length"] / 2 + 1) + 1
        return [kernels.trajectory(params["length"], params["angle"], math.pi * params["curvature"], size)]


class Defocus(KernelBlur):
    """Blur of a lens that is out of focus: convolution with a disc.

    Args:
        radius: Radius of the disc, in pixels, >= 0.
        drift: Relative change of the radius from the middle of a clip to its last frame, in [-1, 1]; linear over time.
        linear_light: Whether the blur is computed in linear light instead of on sRGB values.
    """

    radius: Range[NonNegativeFloat] = (0.5, 2.5)
    drift: Range[Signed] = (0.0, 0.0)
    linear_light: bool = True

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        radii = _drifting(params["radius"], params["drift"], frames)
        return [kernels.disc(radius, 2 * math.ceil(radius) + 1) for radius in radii]


class Sharpening(KernelBlur):
    """Unsharp mask, x + amount * (x - G(x)), which causes bright and dark halos along edges, about two radii wide.

    Args:
        amount: Strength, >= 0.
        radius: Standard deviation of the Gaussian blur G, in pixels, >= 0.
    """

    amount: Range[NonNegativeFloat] = (0.2, 1.0)
    radius: Range[NonNegativeFloat] = (0.8, 2.5)

    def kernels(self, params: Params, frames: int) -> list[Kernel]:
        mask = -params["amount"] * kernels.gaussian(params["radius"], 1, 0, kernels.gaussian_size(params["radius"]))
        mask[len(mask) // 2, len(mask) // 2] += 1 + params["amount"]
        return [mask]
