"""Gaussian blur and subsampling against scipy, kernel and phase written out."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from vsr_lab.degradations import BlurDown

SCIPYS = {"reflect": "mirror", "replicate": "nearest"}  # the edge not repeated; the edge repeated for ever


@pytest.mark.parametrize("border", SCIPYS)
@pytest.mark.parametrize(("scale", "sigma", "size", "phase"), [(4, 1.6, 13, 0), (4, 1.5, 13, 2), (2, 0.8, 7, 1)])
def test_blur_down_is_a_correlation_and_every_nth_pixel(
    border: str, scale: int, sigma: float, size: int, phase: int
) -> None:
    hr = np.random.default_rng(0).random((3, 32, 40))
    taps = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    blurred = np.stack([correlate(channel, kernel, mode=SCIPYS[border]) for channel in hr])
    expected = np.round(blurred[:, phase::scale, phase::scale].clip(0, 1) * 255)
    degradation = BlurDown(scale, sigma, sigma, size, phase, border)
    ours = degradation.apply(torch.from_numpy(hr), {"sigma": sigma}).numpy() * 255
    assert np.abs(ours - expected).max() < 1e-6
