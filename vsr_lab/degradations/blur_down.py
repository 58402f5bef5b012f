"""Gaussian blur, then keeping every scale-th pixel: the "BD" family, with its parts named."""

import numpy as np
import torch.nn.functional as F
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from torch import Tensor

from vsr_lab.core.colour import quantise
from vsr_lab.degradations.base import Degradation, Params


class BlurDown(Degradation):
    """Blur by a Gaussian of sigma drawn from [sigma_min, sigma_max], subsample from pixel `phase`, round to 8 bits.

    sigma in HR pixels; kernel_size odd; border "reflect" or "replicate". A wrong phase costs about 13 dB, which is
    why it has no hidden default: DUF starts at 0.
    """

    def __init__(
        self, scale: int, sigma_min: float, sigma_max: float, kernel_size: int, phase: int, border: str
    ) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, not {kernel_size}")
        if not 0 <= phase < scale:
            raise ValueError(f"phase must be in 0..{scale - 1}, not {phase}")
        self.scale = scale
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.kernel_size = kernel_size
        self.phase = phase
        self.border = border

    def sample(self, rng: np.random.Generator) -> Params:
        return {"sigma": float(rng.uniform(self.sigma_min, self.sigma_max))}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        images = clip.reshape(-1, *clip.shape[-3:])
        kernel = get_gaussian_kernel1d(self.kernel_size, params["sigma"], device=clip.device, dtype=clip.dtype)
        margin = self.kernel_size // 2
        padded = F.pad(images, (margin,) * 4, mode=self.border)
        blurred = filter2d_separable(padded, kernel, kernel, padding="valid")
        small = quantise(blurred[..., self.phase :: self.scale, self.phase :: self.scale])
        return small.reshape(*clip.shape[:-3], *small.shape[-3:])
