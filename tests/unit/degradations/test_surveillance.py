"""Cheap cameras: what they lose, and what of it is in the truth."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.resize import imresize
from vsr_lab.degradations import (
    DenoiseSmear,
    DomeHaze,
    Infrared,
    LensDistortion,
    LowFrameRate,
    RollingShutter,
    TimestampOverlay,
    Underexposure,
)
from vsr_lab.degradations.color import srgb_to_linear

Moving = Callable[..., Tensor]


def test_a_low_frame_rate_holds_frames() -> None:
    assert LowFrameRate((2, 4)).order(8, {"hold": 3}) == [0, 0, 0, 3, 3, 3, 6, 6]


def test_rows_are_read_one_after_another(moving: Moving) -> None:
    hr = imresize(moving(4, 48, 64, 0, 4), 2).clamp(0, 1)  # 8 pixels to the right each frame
    lr = RollingShutter(0.5).apply(hr, {"readout": 0.5})
    for row in (8, 28, 47, 68, 88):
        late = 0.5 * (row / 95 - 0.5)  # as parts of a frame
        before, after = _moved(hr[1, :, row], 8 * late), lr[1, :, row]
        wrong = _moved(hr[1, :, row], -8 * late)
        error, mistaken = ((x - after)[:, 16:-16].abs().mean() for x in (before, wrong))
        assert error < 0.01 and (abs(late) < 0.1 or error < mistaken / 4), row


def _moved(line: Tensor, right: float) -> Tensor:
    """line (3, W) moved by parts of a pixel, linear."""
    whole = int(np.floor(right))
    return torch.lerp(line.roll(whole, -1), line.roll(whole + 1, -1), right - whole)


def test_a_still_scene_does_not_lean(moving: Moving) -> None:
    still = moving(3, 32, 40, 0, 0)
    assert torch.allclose(RollingShutter(1).apply(still, {"readout": 1.0}), still, atol=1e-5)


def test_a_lens_bends_edges_and_leaves_the_middle() -> None:
    hr = torch.rand(1, 3, 49, 65)
    step, params = LensDistortion((0, 0.2)), {"strength": 0.2}
    lr = step.apply(hr, params)
    assert torch.allclose(lr[..., 24, 32], hr[..., 24, 32], atol=1e-5)
    assert (lr - hr)[..., :8, :].abs().mean() > 0.01
    assert torch.equal(step.target(hr, params), lr)


def test_infrared_is_gray_and_so_is_its_truth() -> None:
    hr = torch.rand(2, 3, 8, 8)
    lr = Infrared().apply(hr, {})
    assert torch.equal(lr[:, 0], lr[:, 1]) and torch.equal(lr[:, 1], lr[:, 2])
    assert torch.equal(Infrared().target(hr, {}, zoom=2), lr)
    red, blue = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    red[:, 0] = blue[:, 2] = 1
    assert Infrared().apply(red, {}).mean() > Infrared().apply(blue, {}).mean()


def test_underexposure_halves_light_with_every_stop() -> None:
    hr = torch.rand(2, 3, 8, 8)
    dark = srgb_to_linear(Underexposure(2).apply(hr, {"stops": 2.0}))
    assert torch.allclose(dark, srgb_to_linear(hr) / 4, atol=1e-5)


def test_a_network_keeps_the_exposure_of_the_recording() -> None:
    hr = torch.rand(2, 3, 8, 8)
    assert torch.equal(Underexposure(1).target(hr, {"stops": 1.0}, zoom=4), Underexposure(1).apply(hr, {"stops": 1.0}))


def test_noise_reduction_steadies_what_is_still_and_trails_what_moves() -> None:
    still = torch.full((12, 3, 24, 24), 0.4)
    noisy = (still + 0.03 * torch.randn(still.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    lr = DenoiseSmear(1).apply(noisy, {"strength": 1.0})
    assert (lr[6:] - still[6:]).std() < 0.3 * (noisy - still).std()
    assert lr[6:].diff(dim=0).std() < 0.2 * noisy.diff(dim=0).std()
    moving = torch.full((4, 3, 24, 24), 0.3)
    moving[:2, ..., 8:16, 8:16] = 0.36  # goes away, faint enough to be taken for noise
    trail = DenoiseSmear(1).apply(moving, {"strength": 1.0})[2, 0, 12, 12]
    assert trail > 0.32


def test_haze_stands_still_lifts_black_and_flattens() -> None:
    hr = torch.rand(1, 3, 48, 64).expand(3, 3, 48, 64).clone()
    hr[..., :24, :] = 0
    lr = DomeHaze(0.5).apply(hr, {"haze": 0.5, "seed": 1})
    assert torch.equal(lr[0], lr[2])
    assert lr[..., :20, :].min() > 0.1 and lr[..., 28:, :].std() < 0.9 * hr[..., 28:, :].std()


PARAMS = {"start": 1_700_000_000, "fraction": 0.5, "camera": 3, "corner": 0, "style": 0, "size": 0.1}


def test_a_timestamp_counts_with_the_frames() -> None:
    step = TimestampOverlay(size=0.1, rate=2.0)
    assert step.text(0, PARAMS) == "2023-11-14 22:13:20  CAM 03"
    assert step.text(1, PARAMS) == "2023-11-14 22:13:21  CAM 03"
    assert step.text(120, PARAMS) == "2023-11-14 22:14:20  CAM 03"


@pytest.mark.parametrize("corner", range(4))
@pytest.mark.parametrize("zoom", [2, 3, 4, 8])
def test_the_truth_says_the_same_at_the_same_place_and_sharper(corner: int, zoom: int) -> None:
    params = {**PARAMS, "corner": corner}
    lr = TimestampOverlay(size=0.1).apply(torch.full((1, 3, 90, 250), 0.5), params)
    truth = TimestampOverlay(size=0.1).target(torch.full((1, 3, 90 * zoom, 250 * zoom), 0.5), params, zoom)
    exact = 12 % zoom == 0  # the size at which letters are drawn
    assert torch.allclose(torch.nn.functional.avg_pool2d(truth, zoom), lr, atol=1e-5 if exact else 0.03)
    drawn = (lr != 0.5).any(dim=1)[0]
    rows, columns = torch.nonzero(drawn).float().mean(0).tolist()
    assert (rows > 45) == (corner >= 2) and (columns > 125) == bool(corner % 2)
    assert 0.02 < drawn.float().mean() < 0.2


def test_a_line_that_is_wider_than_the_picture_is_cut() -> None:
    lr = TimestampOverlay(size=0.1).apply(torch.full((2, 3, 9, 20), 0.5), {**PARAMS, "corner": 3})
    assert lr.shape == (2, 3, 9, 20) and (lr != 0.5).any()
