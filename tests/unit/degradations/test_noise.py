"""Noise is what it says: its measured deviation, its dependence on the signal, its grain; fresh in every frame."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.degradations import DustAndScratches, FilmGrain, GaussianNoise, PoissonNoise, SensorNoise
from vsr_lab.degradations.color import linear_to_srgb, srgb_to_linear
from vsr_lab.degradations.noise import demosaic


def flat(level: float, frames: int = 6, size: int = 96) -> Tensor:
    return torch.full((frames, 3, size, size), level)


@pytest.mark.parametrize("sigma", [2.0, 10.0])
@pytest.mark.parametrize("gray", [False, True])
def test_gaussian_noise_has_its_sigma(sigma: float, gray: bool) -> None:
    noise = GaussianNoise((1, 20)).apply(flat(0.5), {"sigma": sigma, "gray": gray, "seed": 3}) - 0.5
    assert float(noise.std() * 255) == pytest.approx(sigma, rel=0.05)
    assert abs(float(noise.mean() * 255)) < 0.1 * sigma
    assert torch.equal(noise[:, 0], noise[:, 2]) is gray


@pytest.mark.parametrize("photons", [30.0, 400.0])
@pytest.mark.parametrize("level", [0.1, 0.6])
def test_poisson_noise_has_the_variance_of_its_signal(photons: float, level: float) -> None:
    noisy = PoissonNoise((1, 2)).apply(flat(level), {"photons": photons, "gray": False, "seed": 1})
    assert float(noisy.var()) == pytest.approx(level / photons, rel=0.05)
    assert float(noisy.mean()) == pytest.approx(level, rel=0.01)


def test_gray_poisson_noise_is_alike_in_all_channels() -> None:
    clip = torch.stack([flat(0.3)[:, 0], flat(0.5)[:, 0], flat(0.7)[:, 0]], 1)
    noise = PoissonNoise((1, 2)).apply(clip, {"photons": 200.0, "gray": True, "seed": 1}) - clip
    assert (noise[:, 0] - noise[:, 2]).abs().max() < 1e-6
    assert float(noise.var()) == pytest.approx(0.5 / 200, rel=0.05)


@pytest.mark.parametrize("level", [0.2, 0.5])
def test_sensor_noise_is_shot_read_and_row_noise_in_linear_light(level: float) -> None:
    electrons, read, row, balance = 2000.0, 8.0, 5.0, 1.8
    sensor = SensorNoise((100, 1000), balance=balance, demosaic=False)
    drawn = {"electrons": electrons, "read": read, "row": row, "seed": 2}
    light = srgb_to_linear(sensor.apply(flat(level), drawn))
    signal = float(srgb_to_linear(torch.tensor(level))) * electrons
    for channel, gain in enumerate((balance, 1, balance)):
        noise = light[:, channel] * electrons / gain
        variance = signal / gain + read**2 + row**2
        assert float(noise.var()) == pytest.approx(variance, rel=0.06)
        assert float(noise.mean(-1).var()) == pytest.approx(row**2 + (variance - row**2) / 96, rel=0.2)


def test_demosaicing_keeps_flat_colours_and_softens_fine_ones() -> None:
    colour = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1).expand(1, 3, 9, 11)
    assert torch.allclose(demosaic(colour), colour, atol=1e-6)
    fine = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    seen = demosaic(fine)
    assert torch.equal(seen[0, 0, ::2, ::2], fine[0, 0, ::2, ::2])  # red where red is measured
    assert torch.equal(seen[0, 1, ::2, 1::2], fine[0, 1, ::2, 1::2])
    assert torch.equal(seen[0, 2, 1::2, 1::2], fine[0, 2, 1::2, 1::2])
    assert seen[0, 0, 2, 3] == pytest.approx(float((fine[0, 0, 2, 2] + fine[0, 0, 2, 4]) / 2))
    assert seen[0, 2, 2, 2] == pytest.approx(float(fine[0, 2, 1:4:2, 1:4:2].mean()))


def test_the_transfer_curve_is_srgbs_and_comes_back() -> None:
    display = torch.linspace(0, 1, 1001, dtype=torch.float64)
    light = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
    assert np.abs(srgb_to_linear(display).numpy() - light).max() < 1e-12
    assert (linear_to_srgb(srgb_to_linear(display)) - display).abs().max() < 1e-7


@pytest.mark.parametrize("size", [0.5, 1.2])
def test_grain_has_its_strength_at_mid_grey_and_its_size(size: float) -> None:
    drawn = {"strength": 8.0, "size": size, "color": 0.4, "seed": 4}
    grain = FilmGrain((1, 9)).apply(flat(0.5), drawn)[:, 0] - 0.5
    assert float(grain.std() * 255) == pytest.approx(8, rel=0.05)
    neighbours = float((grain[..., 1:] * grain[..., :-1]).mean() / grain.var())
    taps = np.exp(-(np.arange(-9, 10) ** 2) / (2 * size**2))
    assert neighbours == pytest.approx((taps[1:] * taps[:-1]).sum() / (taps**2).sum(), abs=0.02)


def test_grain_fades_towards_black_and_white() -> None:
    drawn = {"strength": 6.0, "size": 0.8, "color": 0.0, "seed": 4}
    for level in (0.05, 0.2, 0.8):
        noise = FilmGrain((1, 9)).apply(flat(level), drawn) - level
        assert float(noise.std() * 255) == pytest.approx(6 * 2 * (level * (1 - level)) ** 0.5, rel=0.06)
        assert torch.allclose(noise[:, 0], noise[:, 1], atol=1e-6)  # black-and-white stock


def test_colour_grain_shares_what_it_says() -> None:
    noise = FilmGrain((1, 9)).apply(flat(0.5), {"strength": 6.0, "size": 0.8, "color": 0.3, "seed": 4}) - 0.5
    assert float((noise[:, 0] * noise[:, 1]).mean() / noise.var()) == pytest.approx(0.7, abs=0.04)


@pytest.mark.parametrize(
    ("step", "drawn"),
    [
        (GaussianNoise((1, 9)), {"sigma": 5.0, "gray": False, "seed": 1}),
        (PoissonNoise((1, 9)), {"photons": 100.0, "gray": False, "seed": 1}),
        (SensorNoise((1, 9)), {"electrons": 500.0, "read": 3.0, "row": 1.0, "seed": 1}),
        (FilmGrain((1, 9)), {"strength": 6.0, "size": 0.8, "color": 0.3, "seed": 1}),
    ],
    ids=["gaussian", "poisson", "sensor", "grain"],
)
def test_noise_is_fresh_in_every_frame(step: GaussianNoise, drawn: dict) -> None:
    noise = (step.apply(flat(0.5), drawn) - 0.5).flatten(1)
    noise = noise - noise.mean(1, keepdim=True)
    alike = torch.corrcoef(noise) - torch.eye(len(noise))
    assert alike.abs().max() < 0.06
    assert noise.std(1).std() < 0.05 * noise.std()  # and its statistics are the clip's
    assert not torch.equal(step.apply(flat(0.5), drawn), step.apply(flat(0.5), {**drawn, "seed": 2}))


def test_dust_is_fresh_and_scratches_stay() -> None:
    gray = flat(0.5, frames=12, size=160)
    dust = DustAndScratches().apply(gray, {"dust": 400.0, "scratches": 0.0, "seed": 5}) - 0.5
    share = (dust.abs() > 0.02).float().mean()
    assert 0.0005 < share < 0.05
    both = ((dust[1:].abs() > 0.1) & (dust[:-1].abs() > 0.1)).float().mean()
    assert both < share / 10
    lines = DustAndScratches().apply(gray, {"dust": 0.0, "scratches": 3.0, "seed": 5}) - 0.5
    columns = lines[:, 0].abs().mean(1)  # T W
    assert columns.max() > 0.05
    assert torch.corrcoef(columns).min(1).values.median() > 0.3  # the same places, frame after frame
    clean = DustAndScratches().apply(gray, {"dust": 0.0, "scratches": 0.0, "seed": 5})
    assert torch.equal(clean, gray)
