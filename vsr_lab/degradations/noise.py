"""Noise: fresh in every frame, its statistics the clip's. Drawn on the CPU from a seed, so alike on every device."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, draw_seed, noise_source, uniform
from vsr_lab.degradations.srgb import to_display, to_linear


def white_noise(clip: Tensor, source: torch.Generator, channels: int | None = None) -> Tensor:
    """Standard normal numbers of the clip's shape, with `channels` instead of its own where given."""
    shape = list(clip.shape)
    shape[-3] = channels or shape[-3]
    return torch.randn(shape, generator=source).to(clip)


class GaussianNoise(Degradation):
    """White Gaussian noise of sigma 8-bit levels; gray_chance: how many of the clips have it alike in R, G and B."""

    temporal = True

    def __init__(self, sigma_min: float, sigma_max: float, gray_chance: float = 0.4) -> None:
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.gray_chance = gray_chance

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "sigma": uniform(rng, self.sigma_min, self.sigma_max),
            "gray": bool(rng.random() < self.gray_chance),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        noise = white_noise(clip, noise_source(params["seed"]), 1 if params["gray"] else None)
        return (clip + noise * (params["sigma"] / 255)).clamp(0, 1)


class PoissonNoise(Degradation):
    """Counted photons: Poisson(x n) / n, of variance x / n, where white is n photons; few photons, much noise.

    photons from [photons_min, photons_max], spread evenly over the logarithm; gray_chance: how many of the clips have
    the noise of their luma in all channels.
    """

    temporal = True

    def __init__(self, photons_min: float, photons_max: float, gray_chance: float = 0.4) -> None:
        if photons_min <= 0:
            raise ValueError(f"photons must be above 0, not {photons_min}")
        self.photons_min = photons_min
        self.photons_max = photons_max
        self.gray_chance = gray_chance

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "photons": float(np.exp(uniform(rng, np.log(self.photons_min), np.log(self.photons_max)))),
            "gray": bool(rng.random() < self.gray_chance),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        seen = clip.mean(-3, keepdim=True) if params["gray"] else clip
        counted = torch.poisson(seen.cpu() * params["photons"], noise_source(params["seed"])) / params["photons"]
        return (clip + counted.to(clip) - seen).clamp(0, 1)


class SensorNoise(Degradation):
    """A camera's sensor, in linear light: photons (shot noise), read noise, row noise, and its processing.

    electrons: what white holds, from [electrons_min, electrons_max] evenly over the logarithm (10000 by day, 100 at
    night); read, row: standard deviations in electrons, a pixel and a row (fresh each frame). Red and blue are
    amplified by `balance` as a white balance does, and their noise with them. demosaic: one colour a pixel (RGGB) is
    measured and the others interpolated, which correlates the noise and softens colours.
    Source: the noise model of Wei et al. 2020 (ELD), eq. 5, shot noise by its normal limit with variance = mean.
    """

    temporal = True

    def __init__(
        self,
        electrons_min: float,
        electrons_max: float,
        read_min: float = 1.0,
        read_max: float = 6.0,
        row_max: float = 1.0,
        balance: float = 1.8,
        demosaic: bool = True,
    ) -> None:
        self.electrons_min = electrons_min
        self.electrons_max = electrons_max
        self.read_min = read_min
        self.read_max = read_max
        self.row_max = row_max
        self.balance = balance
        self.demosaic = demosaic

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "electrons": float(np.exp(uniform(rng, np.log(self.electrons_min), np.log(self.electrons_max)))),
            "read": uniform(rng, self.read_min, self.read_max),
            "row": uniform(rng, 0, self.row_max),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        source = noise_source(params["seed"])
        gains = clip.new_tensor([self.balance, 1, self.balance]).view(3, 1, 1)
        electrons = to_linear(clip) * (params["electrons"] / gains)
        deviation = (electrons + params["read"] ** 2).sqrt()
        rows = torch.randn((*clip.shape[:-1], 1), generator=source).to(clip) * params["row"]
        measured = electrons + white_noise(clip, source) * deviation + rows
        light = measured * (gains / params["electrons"])
        return to_display((demosaic(light) if self.demosaic else light).clamp(0, 1))


def demosaic(light: Tensor) -> Tensor:
    """What is left of RGB (..., 3, H, W) when each pixel keeps one colour of an RGGB mosaic: bilinear interpolation."""
    mask = torch.zeros_like(light[:1].reshape(-1, *light.shape[-3:])[0])
    mask[0, ::2, ::2] = mask[1, ::2, 1::2] = mask[1, 1::2, ::2] = mask[2, 1::2, 1::2] = 1
    mosaic = F.pad((light * mask).reshape(-1, *light.shape[-3:]), (1,) * 4, mode="reflect")  # keeps the pattern
    down = mosaic[..., 1:-1, :] + (mosaic[..., :-2, :] + mosaic[..., 2:, :]) / 2
    full = down[..., 1:-1] + (down[..., :-2] + down[..., 2:]) / 2  # right for red and blue, one pixel in four
    green = mosaic[:, 1]
    across = green[..., 1:-1, :-2] + green[..., 1:-1, 2:] + green[..., :-2, 1:-1] + green[..., 2:, 1:-1]
    full[:, 1] = green[..., 1:-1, 1:-1] + across / 4
    return full.reshape(light.shape)
