"""Place, to hundredths of a pixel."""

import cv2
import numpy as np
import pytest

from vsr_lab.alignment.grids import ORIENTATIONS, Grid, Picture, gaussian_rows, lanczos_rows
from vsr_lab.alignment.registration import centred, find_bars, register, shrink


def texture(height: int = 192, width: int = 256, seed: int = 0) -> Picture:
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), s) for s in (1.5, 3, 8)]
    return (128 + 40 * sum(layer / layer.std() for layer in layers) / 1.7).astype(np.float32)


def seen(high: Picture, grid: Grid, size: tuple[int, int]) -> Picture:
    """HR on a grid, by a narrower blur than the one that registration assumes."""
    rows, columns = (gaussian_rows(grid.centres(i, size[i]), high.shape[i], 0.5 * grid.scale[i])[0] for i in (0, 1))
    return rows @ high @ columns.T


@pytest.mark.parametrize("shift", [(0.0, 0.0), (-1.5, -1.5), (0.4, -0.2), (3.0, 7.0), (-9.0, 5.5)])
def test_shift_is_found(shift: tuple[float, float]) -> None:
    high = texture()
    found = register(seen(high, Grid((4, 4), shift), (48, 64)), high, Grid((4, 4)))
    assert found.grid.shift == pytest.approx(shift, abs=0.08)  # HR pixels: 0.02 of LR
    assert found.alike > 0.95
    assert max(found.unsure) < 0.05


@pytest.mark.parametrize(("scale", "shift"), [((3.6, 3.6), (10, 14)), ((4.0, 3.2), (0, 26)), ((2.0, 2.0), (50, 60))])
def test_crop_is_found_without_a_hint(scale: tuple[float, float], shift: tuple[float, float]) -> None:
    high = texture()
    low = seen(high, Grid(scale, shift), (48, 64))
    found = register(low, high, centred(low, high))
    assert found.grid.scale == pytest.approx(scale, abs=0.02)
    assert found.grid.shift == pytest.approx(shift, abs=0.5)


def test_gain_offset_and_noise_do_not_move_it() -> None:
    high = texture()
    low = 0.5 * seen(high, Grid((4, 4), (1, -1)), (48, 64)) + 70
    low = low + np.random.default_rng(1).normal(0, 4, low.shape).astype(np.float32)
    assert register(low, high, Grid((4, 4))).grid.shift == pytest.approx((1, -1), abs=0.2)


def test_a_picture_without_detail_across_is_unsure_across() -> None:
    high = np.repeat(texture()[:, :1], 256, 1)
    unsure = register(shrink(high, 4), high, Grid((4, 4))).unsure
    assert unsure[0] < 0.05 < unsure[1]


def test_other_footage_is_not_alike() -> None:
    assert register(shrink(texture(seed=1), 4), texture(), Grid((4, 4))).alike < 0.5


def test_rows_blur_and_sample_and_their_derivative_is_true() -> None:
    centres = np.array([3.2, 8.0, 14.75])
    rows, slope = gaussian_rows(centres, 32, 1.3)
    assert rows.sum(1) == pytest.approx(1)
    assert rows @ np.arange(32) == pytest.approx(centres, abs=0.01)  # a ramp is sampled where it is
    numeric = (gaussian_rows(centres + 1e-3, 32, 1.3)[0] - gaussian_rows(centres - 1e-3, 32, 1.3)[0]) / 2e-3
    assert np.abs(slope - numeric).max() < 1e-3


def test_lanczos_rows_keep_whole_positions() -> None:
    assert np.allclose(lanczos_rows(np.arange(9.0), 9), np.eye(9), atol=1e-6)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda o: o.name)
def test_orientations_turn_back(orientation: object) -> None:
    picture = texture(12, 20)
    assert np.array_equal(orientation.back(orientation.turn(picture)), picture)
    window = (0.1, 0.6, 0.2, 0.9)  # of the turned picture
    turned = orientation.turn(np.arange(100 * 200).reshape(100, 200))
    height, width = turned.shape
    part = turned[int(0.1 * height) : int(0.6 * height), int(0.2 * width) : int(0.9 * width)]
    top, bottom, left, right = orientation.window_back(window)
    own = np.arange(100 * 200).reshape(100, 200)[
        round(100 * top) : round(100 * bottom), round(200 * left) : round(200 * right)
    ]
    assert set(part.ravel()) == set(own.ravel())


def test_bars_are_black_in_all_pictures() -> None:
    one, other = np.full((2, 40, 60), 90, np.float32)
    one[:6], other[:4], one[:, 55:], other[:, 55:] = 0, 0, 2, 2
    assert find_bars([one, other]) == (4, 0, 0, 5)
