"""Degradations: the same parameters, the same LR. Their kernels are held against scipy in tests/parity."""

import json

import numpy as np
import pytest
import torch

from vsr_lab.core.clip import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.degradations import BlurDown, Degradation, ResizeDown, apply_batch

ALL: list[Degradation] = [
    ResizeDown(2),
    ResizeDown(4, "bilinear"),
    BlurDown(4, (1.2, 2.0), 13, phase=0, border="reflect"),
    BlurDown(2, 1.6, 7, phase=1, border="replicate"),
]
each = pytest.mark.parametrize("degradation", ALL, ids=lambda d: f"{type(d).__name__} {d.scale}")


@each
def test_lr_is_smaller_by_the_scale(degradation: Degradation) -> None:
    params = degradation.sample(np.random.default_rng(0))
    assert degradation.apply(torch.rand(2, 5, 3, 24, 32), params).shape == (
        *(2, 5, 3),
        24 // degradation.scale,
        32 // degradation.scale,
    )


@each
def test_lr_is_what_an_eight_bit_file_would_hold(degradation: Degradation) -> None:
    lr = degradation.apply(torch.rand(3, 24, 32), degradation.sample(np.random.default_rng(0)))
    assert torch.equal(lr, quantise(lr))


@each
def test_parameters_survive_json_and_give_the_same_lr(degradation: Degradation) -> None:
    params = degradation.sample(np.random.default_rng(3))
    hr = torch.rand(3, 24, 32)
    again = json.loads(json.dumps(params))
    assert torch.equal(degradation.apply(hr, params), degradation.apply(hr, again))


@each
def test_parameters_are_a_function_of_the_generator(degradation: Degradation) -> None:
    assert degradation.sample(np.random.default_rng(3)) == degradation.sample(np.random.default_rng(3))


def test_sigma_is_drawn_from_its_range() -> None:
    degradation = BlurDown(2, (0.5, 1.5), 7, phase=0, border="reflect")
    sigmas = [degradation.sample(np.random.default_rng(seed))["sigma"] for seed in range(50)]
    assert 0.5 <= min(sigmas) < 0.7
    assert 1.3 < max(sigmas) <= 1.5


def test_a_wider_blur_leaves_less_detail() -> None:
    degradation = BlurDown(2, (0.5, 3), 13, phase=0, border="reflect")
    hr = torch.rand(3, 24, 32)
    assert degradation.apply(hr, {"sigma": 2}).std() < degradation.apply(hr, {"sigma": 0.7}).std()


def test_the_phase_says_which_pixel_is_kept() -> None:
    hr = torch.zeros(3, 16, 16)
    hr[..., 4, 6] = 1
    brightest = {
        phase: BlurDown(2, 0.4, 3, phase=phase, border="reflect").apply(hr, {"sigma": 0.4}).max() for phase in (0, 1)
    }
    assert brightest[0] > 4 * brightest[1]


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        BlurDown(4, 1.6, 12, phase=0, border="replicate")


@pytest.mark.parametrize("phase", [-1, 4])
def test_a_phase_outside_the_scale_is_refused(phase: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.3"):
        BlurDown(4, 1.6, 13, phase=phase, border="reflect")


def test_bicubic_is_imresize_rounded() -> None:
    hr = torch.rand(3, 24, 32)
    assert torch.equal(ResizeDown(4).apply(hr, {}), quantise(imresize(hr, 1 / 4)))


def test_a_batch_is_its_samples_each_with_its_own_parameters() -> None:
    degradation = BlurDown(2, (0.5, 2), 7, phase=0, border="reflect")
    hr = torch.rand(2, 3, 3, 12, 16)
    params = [{"sigma": 0.6}, {"sigma": 1.8}]
    apart = torch.stack([degradation.apply(clip, p) for clip, p in zip(hr, params, strict=True)])
    assert torch.equal(apply_batch(degradation, hr, params), apart)


def test_a_batch_of_equal_parameters_is_the_same_in_one_go() -> None:
    degradation = BlurDown(2, (0.5, 2), 7, phase=0, border="reflect")
    hr = torch.rand(2, 3, 3, 12, 16)
    apart = torch.stack([degradation.apply(clip, {"sigma": 1.0}) for clip in hr])
    assert torch.allclose(apply_batch(degradation, hr, [{"sigma": 1.0}] * 2), apart, atol=1.5 / 255)
