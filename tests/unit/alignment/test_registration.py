"""Place, to hundredths of a pixel."""

import cv2
import numpy as np
import pytest

from vsr_lab.alignment.grids import (
    Grid,
    Picture,
    centred,
    find_bars,
    gaussian_matrix,
    resample,
)
from vsr_lab.alignment.registration import block_mean, register
from vsr_lab.core.orientation import ORIENTATIONS, Orientation


def texture(height: int = 192, width: int = 256, seed: int = 0) -> Picture:
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), s) for s in (1.5, 3, 8)]
    return (128 + 40 * np.sum([layer / layer.std() for layer in layers], 0) / 1.7).astype(np.float32)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (-1.5, -1.5), (0.4, -0.2), (3.0, 7.0), (-9.0, 5.5)])
def test_shift_is_found(shift: tuple[float, float]) -> None:
    high = texture()
    found = register(resample(high, Grid((4, 4), shift), (48, 64), 0.5), high, Grid((4, 4)))
    assert found.grid.shift == pytest.approx(shift, abs=0.08)  # HR pixels: 0.02 of LR
    assert found.correlation > 0.95


@pytest.mark.parametrize(("scale", "shift"), [((3.6, 3.6), (10, 14)), ((4.0, 3.2), (0, 26)), ((2.0, 2.0), (50, 60))])
def test_crop_is_found_without_a_hint(scale: tuple[float, float], shift: tuple[float, float]) -> None:
    high = texture()
    low = resample(high, Grid(scale, shift), (48, 64), 0.5)
    found = register(low, high, centred(low, high))
    assert found.grid.scale == pytest.approx(scale, abs=0.02)
    assert found.grid.shift == pytest.approx(shift, abs=0.5)


def test_gain_offset_and_noise_do_not_move_it() -> None:
    high = texture()
    low = 0.5 * resample(high, Grid((4, 4), (1, -1)), (48, 64), 0.5) + 70
    low = low + np.random.default_rng(1).normal(0, 4, low.shape).astype(np.float32)
    assert register(low, high, Grid((4, 4))).grid.shift == pytest.approx((1, -1), abs=0.2)


def test_a_picture_without_detail_across_is_not_moved_across() -> None:
    high = np.repeat(texture()[:, :1], 256, 1)
    shift = register(resample(high, Grid((4, 4), (1.0, 0.0)), (48, 64), 0.5), high, Grid((4, 4))).grid.shift
    assert shift == pytest.approx((1, 0), abs=0.08)


def test_other_footage_does_not_correlate() -> None:
    assert register(block_mean(texture(seed=1), 4), texture(), Grid((4, 4))).correlation < 0.5


def test_rows_blur_and_sample_and_their_derivative_is_true() -> None:
    centres = np.array([3.2, 8.0, 14.75])
    rows, slope = gaussian_matrix(centres, 32, 1.3)
    assert rows.sum(1) == pytest.approx(1)
    assert rows @ np.arange(32) == pytest.approx(centres, abs=0.01)  # a ramp is sampled where it is
    numeric = (gaussian_matrix(centres + 1e-3, 32, 1.3)[0] - gaussian_matrix(centres - 1e-3, 32, 1.3)[0]) / 2e-3
    assert np.abs(slope - numeric).max() < 1e-3


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda o: o.name)
def test_orientations_turn_back(orientation: Orientation) -> None:
    picture = texture(12, 20)
    assert np.array_equal(orientation.invert(orientation.apply(picture)), picture)
    window = (0.1, 0.6, 0.2, 0.9)  # of the turned picture
    turned = orientation.apply(np.arange(100 * 200).reshape(100, 200))
    height, width = turned.shape
    part = turned[int(0.1 * height) : int(0.6 * height), int(0.2 * width) : int(0.9 * width)]
    top, bottom, left, right = orientation.invert_window(window)
    own = np.arange(100 * 200).reshape(100, 200)[
        round(100 * top) : round(100 * bottom), round(200 * left) : round(200 * right)
    ]
    assert set(part.ravel()) == set(own.ravel())


def test_bars_are_black_in_all_pictures() -> None:
    one, other = np.full((2, 40, 60), 90, np.float32)
    one[:6], other[:4], one[:, 55:], other[:, 55:] = 0, 0, 2, 2
    assert find_bars([one, other]) == (4, 0, 0, 5)
