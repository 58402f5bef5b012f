"""Noise that is independent in every frame, with the same statistics in all frames of a clip.

Noise is drawn on the CPU, so that it is the same for all devices.
"""

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from vsr_lab.degradations.base import Chance, Degradation, LogRange, Params, Range, generator
from vsr_lab.degradations.color import linear_to_srgb, srgb_to_linear


def white_noise(clip: Tensor, source: torch.Generator, channels: int | None = None) -> Tensor:
    """Normal noise with mean 0 and variance 1, independent for every pixel.

    Args:
        clip: (..., C, H, W); only its shape, dtype and device are used.
        source: Random generator.
        channels: Number of channels; None: C.
    """
    shape = list(clip.shape)
    shape[-3] = channels or shape[-3]
    return torch.randn(shape, generator=source).to(clip)


class GaussianNoise(Degradation, temporal=True, seeded=True):
    """White Gaussian noise.

    Args:
        sigma: Standard deviation in 8-bit levels (0..255), >= 0.
        gray: Probability that R, G and B have the same noise in a clip.
    """

    sigma: Range[NonNegativeFloat] = (1.0, 15.0)
    gray: Chance = 0.4

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        noise = white_noise(clip, generator(params["seed"]), 1 if params["gray"] else None)
        return (clip + noise * (params["sigma"] / 255)).clamp(0, 1)


class PoissonNoise(Degradation, temporal=True, seeded=True):
    """Photon (shot) noise: each value x in [0, 1] is replaced by Poisson(n * x) / n, for n photons at white.

    Args:
        photons: Number n of photons at white, > 0; fewer photons give more noise. From a range, it is drawn uniformly
            on a logarithmic scale.
        gray: Probability that R, G and B have the same noise in a clip. This noise is computed from the mean of R, G
            and B.
    """

    photons: LogRange[PositiveFloat] = (100.0, 5000.0)
    gray: Chance = 0.4

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        seen = clip.mean(-3, keepdim=True) if params["gray"] else clip
        counted = torch.poisson(seen.cpu() * params["photons"], generator(params["seed"])) / params["photons"]
        return (clip + counted.to(clip) - seen).clamp(0, 1)


class SensorNoise(Degradation, temporal=True, seeded=True):
    """Noise of a camera sensor in linear light: shot, read and row noise, white balance and a Bayer mosaic.

    Source: Wei et al. 2020 (ELD), eq. 5, with shot noise approximated by a normal distribution, variance = mean.

    Args:
        electrons: Number of electrons at white, > 0; about 10000 by day, 100 at night. From a range, it is drawn
            uniformly on a logarithmic scale.
        read: Standard deviation of read noise in electrons, >= 0.
        row: Standard deviation of row noise in electrons, >= 0, independent in every frame.
        balance: White-balance gain of red and blue relative to green, > 0. It amplifies the noise of red and blue.
        demosaic: Whether only one colour per pixel is measured (RGGB) and the other two are interpolated, which
            correlates the noise and softens colours.
    """

    electrons: LogRange[PositiveFloat] = (500.0, 20000.0)
    read: Range[NonNegativeFloat] = (1.0, 6.0)
    row: Range[NonNegativeFloat] = (0.0, 1.0)
    balance: PositiveFloat = 1.8
    demosaic: bool = True

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        source = generator(params["seed"])
        gains = clip.new_tensor([self.balance, 1, self.balance]).view(3, 1, 1)
        electrons = srgb_to_linear(clip) * (params["electrons"] / gains)
        deviation = (electrons + params["read"] ** 2).sqrt()
        rows = torch.randn((*clip.shape[:-1], 1), generator=source).to(clip) * params["row"]
        measured = electrons + white_noise(clip, source) * deviation + rows
        light = measured * (gains / params["electrons"])
        return linear_to_srgb((demosaic(light) if self.demosaic else light).clamp(0, 1))


def demosaic(light: Tensor) -> Tensor:
    """Simulate a camera with a Bayer mosaic (RGGB): keep one colour per pixel and interpolate the others bilinearly.

    Args:
        light: RGB (..., 3, H, W).
    """
    mask = torch.zeros_like(light[:1].reshape(-1, *light.shape[-3:])[0])
    mask[0, ::2, ::2] = mask[1, ::2, 1::2] = mask[1, 1::2, ::2] = mask[2, 1::2, 1::2] = 1
    mosaic = F.pad((light * mask).reshape(-1, *light.shape[-3:]), (1,) * 4, mode="reflect")  # keeps the pattern
    down = mosaic[..., 1:-1, :] + (mosaic[..., :-2, :] + mosaic[..., 2:, :]) / 2
    full = down[..., 1:-1] + (down[..., :-2] + down[..., 2:]) / 2  # right for red and blue, one pixel in four
    green = mosaic[:, 1]
    across = green[..., 1:-1, :-2] + green[..., 1:-1, 2:] + green[..., :-2, 1:-1] + green[..., 2:, 1:-1]
    full[:, 1] = green[..., 1:-1, 1:-1] + across / 4
    return full.reshape(light.shape)
