"""Colours and kernels, each by itself."""

import numpy as np
import pytest
import torch

from vsr_lab.alignment.color_transform import KNOWN_ERRORS, apply_affine, encoding, fit_colors
from vsr_lab.degradations import BlurDown, ResizeDown
from vsr_lab.pair_check.families import phase
from vsr_lab.pair_check.kernel import blockiness, estimate_kernel, noise


def colors(count: int = 3000) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.15, 0.8, (count, 3))


@pytest.mark.parametrize("name", KNOWN_ERRORS)
def test_every_known_error_is_named(name: str) -> None:
    high = colors()
    low = np.round(255 * apply_affine(KNOWN_ERRORS[name], high)) / 255
    found = fit_colors(high, low)
    assert found.name is not None
    same = np.abs(KNOWN_ERRORS[found.name] - KNOWN_ERRORS[name]).max()
    assert found.name == name or same < 0.02, found.name  # some errors have nearly the same transform


def test_colours_that_are_right_are_left_alone() -> None:
    high = colors()
    assert fit_colors(high, high + np.random.default_rng(1).normal(0, 2 / 255, high.shape)).name is None


@pytest.mark.parametrize("gamma", [0.8, 1.05, 2.2])
def test_gamma_is_measured(gamma: float) -> None:
    found = fit_colors(colors(), colors() ** gamma)
    assert found.parameters["gamma"] == pytest.approx(gamma, abs=0.005)


def test_encoding_has_the_numbers_of_the_standard() -> None:
    """BT.601 limited range: red is 81, 90, 240 in 8 bits (ITU-R BT.601, 100 % colour bars)."""
    red = encoding("601", "limited") @ [1, 0, 0, 1] * 255 + [0, 128, 128]
    assert red == pytest.approx([81.5, 90.2, 240], abs=0.3)


@pytest.mark.parametrize(("scale", "at", "sigma"), [(4, None, 1.6), (4, 0, 1.5), (2, 0, 1.6)])
def test_kernel_and_its_place_are_estimated(scale: int, at: int | None, sigma: float) -> None:
    blur = BlurDown(scale, sigma, 12 if at is None else 13, phase=at, border="reflect")
    high = torch.rand(3, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    low = blur.apply(high, {"sigma": sigma})
    kernel = estimate_kernel(255 * low[:, 0].numpy(), 255 * high[:, 0].numpy(), scale)
    assert kernel.sigma == pytest.approx((sigma, sigma), abs=0.06)
    assert kernel.centre == pytest.approx(phase(blur), abs=0.1)


def test_phase_of_every_family() -> None:
    assert phase(ResizeDown(4)) == pytest.approx((0, 0), abs=0.05)
    assert phase(ResizeDown(4, "nearest")) == pytest.approx((0.5, 0.5), abs=0.05)
    assert phase(BlurDown(4, 1.6, 13, phase=0, border="reflect")) == pytest.approx((-1.5, -1.5), abs=0.05)
    assert phase(BlurDown(2, 1.6, 12, phase=None, border="replicate")) == pytest.approx((0, 0), abs=0.05)


def test_noise_and_blocks_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 3, (2, 64, 64))
    blocks = np.kron(rng.normal(0, 3, (2, 8, 8)), np.ones((8, 8)))
    assert noise(grain) == pytest.approx(3, rel=0.1)
    assert noise(blocks) < 0.1
    assert blockiness(grain) == pytest.approx(1, abs=0.1)
    assert blockiness(blocks) > 5
