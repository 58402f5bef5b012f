"""Least-squares estimation of a downscaling kernel; noise and blockiness of the residual."""

from typing import NamedTuple

import numpy as np

from vsr_lab.alignment.grids import Picture


class Kernel(NamedTuple):
    """Blur kernel of a degradation, estimated from an LR/HR pair.

    Attributes:
        centre: centre of gravity of the kernel in HR pixels (rows, columns), relative to the centre of the LR pixel.
        sigma: standard deviation of the Gaussian that is closest to the kernel, in HR pixels (rows, columns).
        residual: root mean square difference between LR and filtered HR, in 8-bit levels (0..255).
    """

    centre: tuple[float, float]
    sigma: tuple[float, float]
    residual: float


def estimate_kernel(low: Picture, high: Picture, scale: int, *, power: float = 1.0, samples: int = 12_000) -> Kernel:
    """Estimate the blur kernel k such that LR is HR convolved with k, sampled every `scale` pixels.

    The method is least squares over random LR pixels, with ridge regularisation for content that does not determine the
    kernel.

    Args:
        low, high: LR (T, h, w) and HR (T, scale * h, scale * w), in 8-bit levels (0..255).
        scale: sampling distance in HR pixels.
        power: exponent that is applied to LR and HR first; 2.2 for a kernel in linear light. The residual is always
            computed from the given values.
        samples: maximum number of LR pixels that are used.
    """
    reach = max(4, 2 * scale)
    size = 2 * reach + scale % 2  # taps lie symmetrically around the centre of the scale x scale block
    margin = reach // scale + 1
    count, height, width = low.shape
    first = scale // 2 - reach if scale % 2 == 0 else (scale - 1) // 2 - reach
    rng = np.random.default_rng(0)
    sites = min(samples, count * (height - 2 * margin) * (width - 2 * margin))
    t = rng.integers(0, count, sites)
    y, x = (rng.integers(margin, n - margin, sites) for n in (height, width))
    offsets = first + np.arange(size)
    patches = high[
        t[:, None, None], (y * scale)[:, None, None] + offsets[:, None], (x * scale)[:, None, None] + offsets
    ]
    flat = 255 * (patches.reshape(sites, -1).astype(np.float64) / 255) ** power
    target = low[t, y, x][:, None].astype(np.float64)
    aim = 255 * (target / 255) ** power
    mean = flat.mean(1, keepdims=True)  # the kernel sums to one: only differences from the mean are unknown
    normal = (flat - mean).T @ (flat - mean)
    ridge = 1e-4 * np.trace(normal) / len(normal)
    taps = np.linalg.solve(normal + ridge * np.eye(len(normal)), (flat - mean).T @ (aim - mean))
    output = 255 * (np.clip((flat - mean) @ taps + mean, 0, 255) / 255) ** (1 / power)
    residual = float(np.sqrt(((output - target) ** 2).mean()))
    taps = (taps + (1 - taps.sum()) / len(normal)).reshape(size, size)
    positions = offsets - (scale - 1) / 2
    marginal = taps.sum(1), taps.sum(0)
    centre = [float((m * positions).sum() / m.sum()) for m in marginal]
    sigma = [_gaussian(m, positions, c) for m, c in zip(marginal, centre, strict=True)]
    return Kernel((centre[0], centre[1]), (sigma[0], sigma[1]), residual)


def _gaussian(marginal: Picture, positions: Picture, centre: float) -> float:
    """Standard deviation of the Gaussian closest to a kernel's marginal."""
    sigmas = np.arange(0.2, 5, 0.02)
    shapes = np.exp(-0.5 * ((positions[None] - centre) / sigmas[:, None]) ** 2)
    shapes /= shapes.sum(1, keepdims=True)
    return float(sigmas[((shapes - marginal) ** 2).sum(1).argmin()])


def blockiness(residual: Picture) -> float:
    """Strength of blocks of 8 x 8 pixels from a codec: differences across block edges, relative to those elsewhere.

    The ratio is about 1 if no block-based codec was used.

    Args:
        residual: difference of LR and degraded HR, (T, h, w).
    """
    ratios = []
    for axis in (-1, -2):
        step = np.abs(np.diff(residual, axis=axis))
        edge = np.arange(step.shape[axis]) % 8 == 7
        if edge.any():
            means = step.mean(tuple(i for i in range(3) if i != step.ndim + axis))
            ratios.append(float((means[edge].mean() + 1e-3) / (means[~edge].mean() + 1e-3)))
    return float(np.mean(ratios)) if ratios else 1.0


def noise(residual: Picture) -> float:
    """Standard deviation of the noise in a residual (T, h, w), in 8-bit levels (Immerkaer 1996)."""
    fine = residual[:, 1:-1, 1:-1] * 4.0
    fine = fine - 2 * (residual[:, :-2, 1:-1] + residual[:, 2:, 1:-1] + residual[:, 1:-1, :-2] + residual[:, 1:-1, 2:])
    fine = fine + residual[:, :-2, :-2] + residual[:, 2:, 2:] + residual[:, :-2, 2:] + residual[:, 2:, :-2]
    return float(np.median(np.abs(fine)) / 0.6745 / 6)
