"""Metrics that detect faults, against their formulas in NumPy and SciPy, or against faults of a known size."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.ndimage import fourier_shift, uniform_filter
from torch import Tensor

from tests.parity.agreement import agree, as_clip, matlab_y, moving_texture, noisy_clips
from vsr_lab.core.inputs import Inputs
from vsr_lab.metrics import (
    Stream,
    cell_bias,
    color_bias,
    combing,
    frame_offset,
    ghosting,
    grid,
    lr_sharpness,
    orientation,
    registration,
)


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    """Degraded SR and LR."""
    return noisy_clips()


def _errors(clips: tuple[Tensor, Tensor]) -> np.ndarray:
    degraded, lr = (clip[0].double().numpy() for clip in clips)
    return 255 * (degraded - lr)


def test_biases_are_means_of_areas(clips: tuple[Tensor, Tensor]) -> None:
    frames = _errors(clips)
    agree("color_bias", "NumPy", color_bias(*clips), np.abs(frames.mean((2, 3))).max(1), 1e-4)
    cells = itertools.product(range(0, 64 - 15, 8), range(0, 80 - 15, 8))
    means = [np.abs(frames[..., y : y + 16, x : x + 16].mean((2, 3))).max(1) for y, x in cells]
    agree("cell_bias", "NumPy", cell_bias(*clips), np.max(means, 0), 1e-4)


def test_lr_sharpness_is_the_lowest_slope(clips: tuple[Tensor, Tensor]) -> None:
    degraded, lr = (clip[..., :63, :78] for clip in clips)  # sides that three areas share equally

    def detail(y: np.ndarray) -> np.ndarray:
        box = [uniform_filter(each, 5, mode="constant") for each in (y, np.ones_like(y))]
        return y - box[0] / box[1]

    theirs: list[float] = []
    for ours, own in zip(matlab_y(degraded), matlab_y(lr), strict=True):
        areas = [
            (detail(ours)[y : y + 21, x : x + 26].reshape(-1, 1), detail(own)[y : y + 21, x : x + 26].reshape(-1, 1))
            for y, x in itertools.product(range(0, 63, 21), range(0, 78, 26))
        ]
        theirs.append(min(np.linalg.lstsq(b, a)[0].item() for a, b in areas))
    agree("lr_sharpness", "NumPy's least squares", lr_sharpness(degraded, lr), theirs, 1e-6)


def test_combing_is_the_ratio_of_second_differences(clips: tuple[Tensor, Tensor]) -> None:
    sr, hr = (matlab_y(clip) for clip in clips)
    rows, columns = (
        np.sqrt(np.square(np.diff(sr, 2, axis)).mean((1, 2)) / np.square(np.diff(hr, 2, axis)).mean((1, 2)))
        for axis in (1, 2)
    )
    agree("combing", "NumPy", combing(*clips), rows / columns, 1e-6)


def test_grid_is_the_amplitude_of_a_planted_pattern(clips: tuple[Tensor, Tensor]) -> None:
    """Stripes of 3 levels, on luma that is nowhere near its bounds."""
    hr = 0.25 + clips[1] / 2
    stripes = 3 / 219 * (torch.arange(80) // 2 % 2 * 2 - 1)
    agree("grid", "stripes of 3 levels", grid(hr + stripes, hr), [3.0] * 3, 1e-4)


def test_registration_is_the_planted_shift() -> None:
    """Shifts by SciPy in the frequency domain, in LR pixels; HR has twice the size."""
    lr = moving_texture(np.random.default_rng(0), 3, (64, 80), 2)
    shifts = [(0.1, 0.0), (0.0, -0.2), (0.15, 0.1)]
    moved = [
        [np.fft.ifft2(fourier_shift(np.fft.fft2(plane), by)).real for plane in frame]
        for frame, by in zip(lr, shifts, strict=True)
    ]
    ours = registration(*(torch.from_numpy(np.stack(each))[None] for each in (moved, lr)), torch.zeros(1, 1, 1, 1, 160))
    agree("registration", "planted shifts, SciPy", ours, [2 * np.hypot(*by) for by in shifts], 0.02)


def test_ghosting_is_the_planted_share() -> None:
    lr = torch.from_numpy(moving_texture(np.random.default_rng(0), 3, (64, 80), 2))[None]
    before = torch.cat([lr[:, :1], lr[:, :-1]], 1)
    agree("ghosting", "planted shares", ghosting(0.8 * lr + 0.2 * before, lr)[:, 1:], [0.2, 0.2], 1e-6)


def test_orientation_is_the_planted_one(clips: tuple[Tensor, Tensor]) -> None:
    lr = clips[1][:, :1].repeat(1, 4, 1, 1, 1)
    turned = [lr[0, 0].flip(sides) for sides in ((), (-1,), (-2,), (-2, -1))]
    agree("orientation", "planted", orientation(torch.stack(turned)[None], lr), [0, 1, 2, 3], 1e-9)


def test_frame_offset_is_the_planted_one() -> None:
    lr = as_clip(moving_texture(np.random.default_rng(0), 12, (64, 80), 2))
    order = [0, 0, 1, 2, 3, 4, 6, 5, 8, 9, 10, 11]

    def windows() -> Iterator[tuple[Inputs, slice]]:
        yield Inputs({"degraded": lr[:, order], "lr": lr}, {}), slice(None)

    ours = frame_offset(Stream(12, 25.0, windows()))
    agree("frame_offset", "planted", ours, np.array(order) - np.arange(12), 1e-9)
