"""Metrics on clips whose numbers are known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from skimage.transform import warp
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.flow import Farneback, Motion
from vsr_lab.core.inputs import required_inputs
from vsr_lab.core.resize import imresize
from vsr_lab.degradations import ResizeDown
from vsr_lab.metrics import flicker, lr_consistency, psnr, self_flicker, ssim, tof, true_warp_error, warp_error

Moving = Callable[..., Tensor]


@pytest.fixture
def hr(moving: Moving) -> Tensor:
    """A textured clip that moves, 1 4 3 48 64, on 8-bit levels."""
    return quantise(moving()[None])


@pytest.fixture
def motion(hr: Tensor) -> Motion:
    return Farneback()(hr)


@pytest.fixture
def poor(hr: Tensor) -> Tensor:
    """hr, shrunk and enlarged."""
    return quantise(imresize(imresize(hr, 1 / 4), 4))


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_identical_frames_have_100_db_and_an_ssim_of_one(hr: Tensor, colour: str) -> None:
    assert psnr(hr, hr, colour).tolist() == [[100.0] * 4]
    assert ssim(hr, hr, colour)[0].tolist() == pytest.approx([1.0] * 4)


def test_an_error_of_one_level_is_48_db() -> None:
    hr = torch.full((1, 2, 3, 16, 16), 100 / 255)
    assert psnr(hr + 1 / 255, hr, "rgb")[0].tolist() == pytest.approx([20 * math.log10(255)] * 2, abs=1e-4)


def test_every_frame_has_its_own_number(hr: Tensor, poor: Tensor) -> None:
    mixed = torch.stack([hr[0, 0], poor[0, 1], hr[0, 2], poor[0, 3]])[None]
    for metric in (psnr, ssim):
        value = metric(mixed, hr, "y")[0]
        assert value.dtype == torch.float64
        assert min(value[0], value[2]) > max(value[1], value[3])


def test_clips_of_a_batch_are_scored_apart(hr: Tensor, poor: Tensor) -> None:
    batch = torch.cat([hr, poor])
    truth = torch.cat([hr, hr])
    for metric in (psnr, ssim):
        alone = torch.cat([metric(hr, hr, "y"), metric(poor, hr, "y")])
        assert torch.allclose(metric(batch, truth, "y"), alone, atol=1e-6)


def test_ssim_sees_structure_that_psnr_does_not(hr: Tensor) -> None:
    brighter = (hr + 8 / 255).clamp(0, 1)
    noisy = hr + 8 / 255 * torch.randn(hr.shape, generator=torch.Generator().manual_seed(0)).sign()
    assert (ssim(brighter, hr, "y") > ssim(noisy.clamp(0, 1), hr, "y")).all()


# Time


@pytest.mark.parametrize("metric", [warp_error, flicker, tof])
def test_the_first_frame_has_no_temporal_number(
    hr: Tensor, poor: Tensor, motion: Motion, metric: Callable[..., Tensor]
) -> None:
    value = flicker(poor, hr, motion) if metric is flicker else metric(poor, motion)
    assert value.shape == (1, 4)
    assert value.isnan().tolist() == [[True, False, False, False]]


def test_the_truth_does_not_flicker(hr: Tensor, motion: Motion) -> None:
    assert flicker(hr, hr, motion)[0, 1:].tolist() == [0, 0, 0]


def test_a_still_clip_made_stilly_does_not_flicker(moving: Moving) -> None:
    hr = moving(4, x=0, y=0)[None]
    poor = imresize(imresize(hr, 1 / 4), 4)
    # Farneback strays by hundredths of a pixel in flat places, even between equal frames.
    assert flicker(poor, hr, Farneback()(hr))[0, 1:].tolist() == pytest.approx([0, 0, 0], abs=0.05)


def test_alternating_noise_flickers_by_its_swing(moving: Moving) -> None:
    hr = moving(4, x=0, y=0)[None] * 0.5
    sr = hr + torch.tensor([0.0, 10.0, 0.0, 10.0]).view(4, 1, 1, 1) / 255
    assert flicker(sr, hr, Farneback()(hr))[0, 1:].tolist() == pytest.approx([10, 10, 10], abs=1e-3)


def test_flicker_without_a_reference_is_what_motion_leaves(moving: Moving) -> None:
    """Nothing of a still clip, the swing of an alternating one; of a moving one what scikit-image's warping leaves."""
    still = quantise(moving()[None])[:, :1].expand(1, 4, -1, -1, -1)
    assert self_flicker(still)[0, 1:].max() < 0.1
    signs = torch.tensor([1, -1, 1, -1])[None, :, None, None, None]
    assert self_flicker((still + signs * 5 / 255).clamp(0, 1))[0, 1:].mean() == pytest.approx(10, abs=1.5)
    sr = quantise(moving()[None])
    flow = Farneback()(sr)
    rows, columns = np.meshgrid(*map(np.arange, sr.shape[-2:]), indexing="ij")
    across, down = flow.backward[0, 0].double().numpy()
    place = np.stack([rows + down, columns + across])
    moved = [warp(plane, place, order=1, mode="edge") for plane in sr[0, 0].double().numpy()]
    visible = flow.mask[0, 0, 0].bool().numpy()
    left = np.abs(sr[0, 1].double().numpy() - np.stack(moved))[:, visible]
    assert float(self_flicker(sr)[0, 1]) == pytest.approx(255 * left.mean(), rel=1e-3)


@pytest.mark.parametrize("metric", [flicker, warp_error, true_warp_error])
def test_a_frame_of_which_nothing_was_visible_before_has_no_number(
    hr: Tensor, poor: Tensor, motion: Motion, metric: Callable[..., Tensor]
) -> None:
    mask = motion.mask.clone()
    mask[:, 1] = 0
    inputs = {"sr": poor, "hr": hr, "motion": motion._replace(mask=mask)}
    values = metric(**{name: inputs[name] for name in required_inputs(metric)})
    assert values.isnan().tolist() == [[True, False, True] + [False] * (hr.shape[1] - 3)] * len(hr)


def test_warp_error_prefers_blur_to_the_truth_and_flicker_does_not(sliding: tuple[Tensor, Motion]) -> None:
    hr, motion = sliding
    poor = imresize(imresize(hr, 1 / 4), 4)
    assert (warp_error(poor, motion) < 0.5 * true_warp_error(hr, motion))[0, 1:].all()
    assert (flicker(poor, hr, motion) > flicker(hr, hr, motion))[0, 1:].all()


def test_the_truths_warp_error_is_its_own(hr: Tensor, motion: Motion) -> None:
    assert torch.equal(true_warp_error(hr, motion)[0, 1:], warp_error(hr, motion)[0, 1:])


def test_tof_of_the_truth_is_zero(hr: Tensor, motion: Motion) -> None:
    assert tof(hr, motion)[0, 1:].tolist() == [0, 0, 0]


def test_tof_is_the_distance_in_pixels_between_two_motions(moving: Moving) -> None:
    hr, sr = moving(3, 96, 128, y=0, x=2)[None], moving(3, 96, 128, y=0, x=0)[None]
    assert tof(sr, Farneback()(hr))[0, 1:].tolist() == pytest.approx([2, 2], abs=0.15)


@pytest.mark.parametrize("metric", [warp_error, flicker, tof])
def test_a_clip_of_one_frame_has_no_temporal_number(hr: Tensor, metric: Callable[..., Tensor]) -> None:
    one = hr[:, :1]
    motion = Farneback()(one)
    value = flicker(one, one, motion) if metric is flicker else metric(one, motion)
    assert value.shape == (1, 1)
    assert value.isnan().all()


# Against what was recorded


def test_what_degrades_to_the_input_is_consistent_with_it(hr: Tensor) -> None:
    degradation = ResizeDown(2)
    lr = degradation.apply(hr, {})
    assert lr_consistency(degradation.apply(hr, {}), lr).tolist() == [[100.0] * 4]


def test_what_contradicts_the_input_is_told(hr: Tensor) -> None:
    lr = ResizeDown(2).apply(hr, {})
    assert lr_consistency(lr + 1 / 255, lr)[0].tolist() == pytest.approx([20 * math.log10(255)] * 4, abs=1e-3)
