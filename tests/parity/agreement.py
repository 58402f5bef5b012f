"""Clips of the parity tests of metrics, and the comparison that prints a row of the table in docs/protocol.md."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from vsr_lab.core.clip import quantise


def agree(metric: str, other: str, ours: Tensor, theirs: Sequence[float] | np.ndarray, tolerance: float) -> None:
    """Check that two implementations of a metric agree, and print the largest difference.

    Args:
        metric: name of the metric.
        other: what the metric is compared with.
        ours, theirs: values; NaN equals NaN.
        tolerance: largest difference that is allowed.
    """
    expected = np.asarray(theirs, np.float64)
    found = ours.double().numpy().reshape(expected.shape)
    largest = float(np.nanmax(np.abs(found - expected)))
    print(f"\n| `{metric}` | {other} | {largest:.1e} | {tolerance:.0e} |")
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def noisy_clips() -> tuple[Tensor, Tensor]:
    """sr and hr, 1 3 3 64 80 on 8-bit levels: a moving texture with noise, and the texture."""
    rng = np.random.default_rng(0)
    hr = moving_texture(rng, 3, (64, 80), 2)
    return as_clip(hr + rng.normal(0, 0.05, hr.shape)), as_clip(hr)


def as_clip(frames: np.ndarray) -> Tensor:
    """Frames (T, 3, H, W) in [0, 1] as a clip (1, T, 3, H, W) on 8-bit levels."""
    return quantise(torch.from_numpy(frames).float())[None]


def moving_texture(rng: np.random.Generator, frames: int, size: tuple[int, int], sigma: float) -> np.ndarray:
    """T 3 H W in [0, 1]: smoothed noise that moves by (1, 2) pixels a frame."""
    texture = gaussian_filter(rng.random((3, *size)), (0, sigma, sigma), mode="wrap")
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    return np.stack([np.roll(texture, (t, 2 * t), (1, 2)) for t in range(frames)])


def matlab_y(rgb: Tensor) -> np.ndarray:
    """The first row of rgb2ycbcr, written out: T H W."""
    r, g, b = rgb[0].double().numpy().transpose(1, 0, 2, 3)
    return 65.481 * r + 128.553 * g + 24.966 * b + 16
