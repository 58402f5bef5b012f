"""Point spread functions: sums, centroids, widths, and the formulas of their papers written out once more."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import j1

from vsr_lab.degradations import GaussianBlur, GeneralizedBlur, kernels

Kernel = kernels.Kernel


def moments(kernel: Kernel) -> tuple[float, float, np.ndarray]:
    """Centroid x and y from the middle, and the 2 x 2 covariance."""
    reach = len(kernel) // 2
    y, x = np.mgrid[: len(kernel), : len(kernel)] - reach
    cx, cy = (kernel * x).sum(), (kernel * y).sum()
    spread = [[(kernel * a * b).sum() for b in (x - cx, y - cy)] for a in (x - cx, y - cy)]
    return float(cx), float(cy), np.array(spread)


angles = st.floats(0, 2 * math.pi)


@settings(max_examples=60)
@given(st.floats(0.2, 4), st.floats(1, 4), angles, st.floats(0.5, 4), st.floats(0.2, 14), st.floats(-3.1, 3.1))
def test_every_kernel_sums_to_one_and_lies_in_the_middle(
    sigma: float, ratio: float, angle: float, beta: float, length: float, turn: float
) -> None:
    size = 2 * math.ceil(length / 2 + 1) + 1
    for kernel in (
        kernels.gaussian(sigma, ratio, angle, kernels.gaussian_size(sigma)),
        kernels.generalized(sigma, ratio, angle, beta=beta, size=21),
        kernels.plateau(sigma, ratio, angle, beta=beta, size=21),
        kernels.sinc(0.3 + beta / 2, 21),
        kernels.disc(length / 2, 2 * math.ceil(length / 2) + 1),
        kernels.trajectory(length, angle, turn, size),
    ):
        assert kernel.shape[0] == kernel.shape[1]
        assert kernel.shape[0] % 2 == 1
        assert kernel.sum() == pytest.approx(1, abs=1e-12)
        x, y, _ = moments(kernel)
        assert abs(x) < 1e-9
        assert abs(y) < 1e-9


def test_a_gaussian_is_as_wide_as_it_says_along_and_across() -> None:
    _, _, spread = moments(kernels.gaussian(3, 2, 0.5, 33))
    values, vectors = np.linalg.eigh(spread)
    assert np.sqrt(values) == pytest.approx([1.5, 3], rel=0.01)
    assert abs(vectors[:, 1] @ [math.cos(0.5), math.sin(0.5)]) == pytest.approx(1, abs=1e-6)


def test_no_sigma_is_no_blur() -> None:
    assert kernels.gaussian(0, 1, 0, 1) == pytest.approx(np.ones((1, 1)))


def _bivariate(size: int, sigma_x: float, sigma_y: float, angle: float) -> np.ndarray:
    """x^T S^-1 x on a grid, by matrices as BasicSR's data/degradations.py has it."""
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    inverse = np.linalg.inv(turned @ np.diag([sigma_x**2, sigma_y**2]) @ turned.T)
    ax = np.arange(-size // 2 + 1.0, size // 2 + 1.0)
    grid = np.stack(np.meshgrid(ax, ax), -1)
    return np.sum(np.dot(grid, inverse) * grid, 2)


@pytest.mark.parametrize("beta", [0.5, 1, 2.5])
def test_generalised_and_plateau_are_real_esrgans(beta: float) -> None:
    d = _bivariate(21, 2.4, 1.2, 0.7)
    generalised, plateau = np.exp(-0.5 * d**beta), 1 / (d**beta + 1)
    assert np.allclose(
        kernels.generalized(2.4, 2, 0.7, beta=beta, size=21), generalised / generalised.sum(), atol=1e-12
    )
    assert np.allclose(kernels.plateau(2.4, 2, 0.7, beta=beta, size=21), plateau / plateau.sum(), atol=1e-12)


@pytest.mark.parametrize("cutoff", [math.pi / 3, 2.0, math.pi])
def test_sinc_is_real_esrgans_circular_low_pass(cutoff: float) -> None:
    size = 15
    with np.errstate(all="ignore"):
        expected = np.fromfunction(
            lambda x, y: (
                cutoff
                * j1(cutoff * np.sqrt((x - 7) ** 2 + (y - 7) ** 2))
                / (2 * np.pi * np.sqrt((x - 7) ** 2 + (y - 7) ** 2))
            ),
            (size, size),
        )
    expected[7, 7] = cutoff**2 / (4 * np.pi)
    assert np.allclose(kernels.sinc(cutoff, size), expected / expected.sum(), atol=1e-12)


def test_a_disc_has_the_variance_of_a_disc() -> None:
    for radius in (1.5, 3, 5.3):
        _, _, spread = moments(kernels.disc(radius, 2 * math.ceil(radius) + 1))
        assert radius**2 / 4 < spread[0, 0] < radius**2 / 4 + 1 / 12 + 0.03  # the disc's, and a pixel's own
        assert abs(spread[0, 1]) < 1e-9


def test_a_straight_way_is_a_line_of_its_length() -> None:
    _, _, spread = moments(kernels.trajectory(9, 0.6, 0, 13))
    values, vectors = np.linalg.eigh(spread)
    assert values[1] == pytest.approx(9**2 / 12, rel=0.05)
    assert values[0] < 0.3
    assert abs(vectors[:, 1] @ [math.cos(0.6), math.sin(0.6)]) > 0.999


def test_a_turning_way_leaves_the_line() -> None:
    straight, turning = (np.linalg.eigvalsh(moments(kernels.trajectory(12, 0, turn, 15))[2])[0] for turn in (0, 2.5))
    assert turning > straight + 1


def test_an_even_size_is_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        kernels.gaussian(1, 1, 0, 8)


def test_a_blur_that_drifts_is_wider_at_one_end() -> None:
    blur = GaussianBlur(2, drift=0.5)
    each = blur.kernels({"sigma": 2.0, "anisotropy": 1.0, "angle": 0.0, "drift": 0.5}, 5)
    widths = [float(np.sqrt(moments(kernel)[2][0, 0])) for kernel in each]
    assert widths == pytest.approx([1, 1.5, 2, 2.5, 3], rel=0.02)


def test_what_cannot_be_blurred_is_refused() -> None:
    with pytest.raises(ValueError, match="anisotropy"):
        GaussianBlur((1, 2), anisotropy=0.5)
    with pytest.raises(ValueError, match="shape must be 'generalized' or 'plateau'"):
        GeneralizedBlur("box", (1, 2), beta=(1, 2))
    with pytest.raises(ValueError, match="must not end below"):
        GaussianBlur((2, 1)).sample(np.random.default_rng(0))
