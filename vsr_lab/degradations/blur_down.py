"""Gaussian blur, then keeping every scale-th pixel: the "BD" families, with their parts named."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.degradations.base import Degradation, Params, uniform

# numpy's names: the edge not repeated; repeated for ever.
_BORDERS: dict[str, Literal["reflect", "edge"]] = {"reflect": "reflect", "replicate": "edge"}


class BlurDown(Degradation):
    """Blur by a Gaussian of sigma drawn from [sigma_min, sigma_max], keep every scale-th pixel, round to 8 bits.

    sigma in HR pixels. phase: where in HR pixels the first LR pixel lies; None is centred, (scale - 1) / 2, which moves
    nothing. kernel_size: odd where the phase is a whole pixel, even where it lies between two (KAIR's 12x12 at x4).
    border: "reflect" or "replicate". A wrong phase costs 8 to 13 dB, so it has no default.
    Raises ValueError for a kernel that cannot lie at the phase.
    """

    def __init__(
        self, scale: int, sigma_min: float, sigma_max: float, kernel_size: int, phase: float | None, border: str
    ) -> None:
        place = (scale - 1) / 2 if phase is None else phase
        if not 0 <= place <= scale - 1 or (2 * place) % 1:
            raise ValueError(f"phase must be a whole or half pixel in 0..{scale - 1}, or null for centred, not {phase}")
        if kernel_size % 2 == int(2 * place) % 2:
            parity = "odd" if kernel_size % 2 == 0 else "even"
            raise ValueError(f"kernel_size must be {parity} for phase {place} at x{scale}, not {kernel_size}")
        if border not in _BORDERS:
            raise ValueError(f"border must be one of {', '.join(_BORDERS)}, not {border!r}")
        self.scale = scale
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.kernel_size = kernel_size
        self.phase = place
        self.border = border

    def sample(self, rng: np.random.Generator) -> Params:
        return {"sigma": uniform(rng, self.sigma_min, self.sigma_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rows, columns = (self._matrix(size, params["sigma"]).to(clip) for size in clip.shape[-2:])
        return quantise(rows @ clip @ columns.mT)

    def apply_each(self, hr: Tensor, params: Sequence[Params]) -> Tensor:
        rows, columns = (torch.stack([self._matrix(n, p["sigma"]) for p in params]).to(hr) for n in hr.shape[-2:])
        return quantise(rows[:, None, None] @ hr @ columns[:, None, None].mT)

    def _matrix(self, size: int, sigma: float) -> Tensor:
        """One axis as a matrix, float64 (size / scale, size): each row the kernel's taps at the pixels they meet."""
        offsets = np.arange(self.kernel_size) - (self.kernel_size - 1) / 2
        taps = np.exp(-(offsets**2) / (2 * sigma**2))
        first = np.arange(size // self.scale) * self.scale + int(self.phase + offsets[0])
        margin = self.kernel_size
        padded = np.pad(np.arange(size), margin, mode=_BORDERS[self.border])  # which pixel stands where
        met = padded[first[:, None] + np.arange(self.kernel_size) + margin]
        matrix = np.zeros((len(first), size))
        np.add.at(matrix, (np.arange(len(first))[:, None], met), taps / taps.sum())
        return torch.from_numpy(matrix)
