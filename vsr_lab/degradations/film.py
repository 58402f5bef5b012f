"""Film and its projection: grain, dust, scratches, gate weave, flicker, faded dyes, vignetting."""

import math
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from vsr_lab.degradations import kernels
from vsr_lab.degradations.base import AppliedToTarget, Degradation, Params, Probability, Range, generator
from vsr_lab.degradations.color import linear_to_srgb, srgb_to_linear
from vsr_lab.degradations.filtering import ar1_noise, centred_axes, filter2d_periodic, warp_bicubic
from vsr_lab.degradations.noise import white_noise

Mask = npt.NDArray[np.float32]


class FilmGrain(Degradation, temporal=True, seeded=True):
    """Film grain: noise that is independent in every frame, strongest at mid grey and absent in black and white.

    The variance is proportional to u (1 - u), where u is the fraction of the area that grains cover (Newson et al.
    2017, section 3).

    Args:
        strength: Standard deviation at mid grey, in 8-bit levels (0..255), >= 0.
        size: Size of a grain, as the standard deviation of a Gaussian, in pixels, > 0.
        color: Fraction of the variance that is independent in R, G and B, in [0, 1]; 0 for black-and-white film.
    """

    strength: Range[NonNegativeFloat] = (1.0, 9.0)
    size: Range[PositiveFloat] = (0.4, 1.2)
    color: Range[Probability] = (0.0, 0.5)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        source = generator(params["seed"])
        shared = math.sqrt(1 - params["color"]) * white_noise(clip, source, 1)
        noise = shared + math.sqrt(params["color"]) * white_noise(clip, source)
        shape = torch.from_numpy(kernels.gaussian(params["size"], 1, 0, kernels.gaussian_size(params["size"])))
        grain = filter2d_periodic(noise, shape / shape.square().sum().sqrt())
        visible = 2 * (clip * (1 - clip)).clamp(min=0).sqrt()
        return (clip + visible * grain * (params["strength"] / 255)).clamp(0, 1)


class DustAndScratches(Degradation, on_cpu=True, temporal=True, seeded=True):
    """Dust on film: specks and hairs, different in every frame, and vertical scratches, which last 10 to 60 frames.

    Each speck, hair or scratch is lighter or darker than the picture and partly transparent. Scratches move slowly.

    Args:
        dust: Mean number of specks and hairs per frame and megapixel, >= 0.
        scratches: Mean number of scratches in a frame, >= 0.
        speck: Largest radius of a speck, in pixels, >= 0.5.
    """

    dust: Range[NonNegativeFloat] = (0.0, 120.0)
    scratches: Range[NonNegativeFloat] = (0.0, 2.0)
    speck: Annotated[float, Field(ge=0.5)] = 3.0

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        tint = np.zeros((frames, height, width), np.float32)  # towards white above 0, towards black below
        for canvas in tint:
            for _ in range(rng.poisson(params["dust"] * height * width / 1e6)):
                _draw_speck(canvas, rng, self.speck)
        _draw_scratches(tint, rng, params["scratches"])
        soft = torch.from_numpy(np.stack([cv2.GaussianBlur(canvas, (3, 3), 0.6) for canvas in tint])).to(clip)
        opacity = soft.abs().unsqueeze(-3)
        return clip * (1 - opacity) + (soft > 0).to(clip).unsqueeze(-3) * opacity


def _draw_speck(canvas: Mask, rng: np.random.Generator, largest: float) -> None:
    """One speck, or one time in six a hair."""
    height, width = canvas.shape
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    shade = float(rng.uniform(0.4, 0.95) * (1 if rng.random() < 0.5 else -1))
    if rng.random() < 1 / 6:
        heading, bend = rng.uniform(0, 2 * math.pi), rng.uniform(-0.3, 0.3)
        path = [(x, y)]
        for step in range(int(rng.integers(6, 20))):
            heading += bend * math.sin(step)
            path.append((path[-1][0] + 2 * math.cos(heading), path[-1][1] + 2 * math.sin(heading)))
        cv2.polylines(canvas, [np.round(path).astype(np.int32)], False, (shade,), 1)
        return
    corners = int(rng.integers(5, 9))
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    radii = rng.uniform(0.4, 1, corners) * rng.uniform(0.5, largest)
    outline = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1)
    cv2.fillPoly(canvas, [np.round(outline).astype(np.int32)], (shade,))


def _draw_scratches(tint: Mask, rng: np.random.Generator, mean_number: float) -> None:
    """Scratches of 10 to 60 frames, which start before or within the clip."""
    frames, height, width = tint.shape
    longest = 60
    for _ in range(rng.poisson(mean_number * (frames + longest) / 35)):
        start, length = int(rng.integers(-longest, frames)), int(rng.integers(10, longest + 1))
        x, shade = rng.uniform(0, width), rng.uniform(0.15, 0.6) * (1 if rng.random() < 0.5 else -1)
        wander = np.cumsum(rng.normal(0, 0.4, length))
        top, bottom = (0, height) if rng.random() < 0.6 else np.sort(rng.integers(0, height + 1, 2))
        thickness = rng.uniform(0.4, 1.2)
        across = np.arange(width)
        for t in range(max(start, 0), min(start + length, frames)):
            profile = np.exp(-((across - x - wander[t - start]) ** 2) / (2 * thickness**2))
            tint[t, top:bottom] = tint[t, top:bottom] * (1 - profile) + shade * profile


class GateWeave(AppliedToTarget, temporal=True, seeded=True):
    """Gate weave of film: the whole picture moves around its position, by less than one pixel in x and in y.

    Vertical movement is larger than horizontal movement. The target is shifted as well: a network cannot determine the
    shift from a frame. If it is trained to undo the shift, it learns to blur.

    Args:
        amplitude: Standard deviation of the vertical movement, in pixels of the clip that `apply` gets, >= 0; that of
            the horizontal movement is 0.6 times as large.
    """

    amplitude: Range[NonNegativeFloat] = (0.2, 0.6)

    def offsets(self, frames: int, params: Params) -> np.ndarray:
        """Shift (x, y) of every frame in pixels, (T, 2): smooth over time, with mean 0 and less than 1 pixel."""
        path = ar1_noise(np.random.default_rng(params["seed"]), frames, 0.7, 2)
        path = (path - path.mean(0)) * params["amplitude"] * (0.6, 1.0)
        return path / max(1.0, float(np.abs(path).max(initial=0)) / 0.99)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        path = torch.from_numpy(zoom * self.offsets(hr.shape[-4], params))
        return warp_bicubic(hr, path[:, :, None, None])


class ExposureFlicker(Degradation, temporal=True, seeded=True):
    """Flicker of old film: the exposure differs from frame to frame.

    Args:
        strength: Standard deviation in stops, >= 0.
    """

    strength: Range[NonNegativeFloat] = (0.0, 0.15)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        stops = params["strength"] * ar1_noise(np.random.default_rng(params["seed"]), clip.shape[-4], 0.3)
        light = srgb_to_linear(clip) * torch.from_numpy(2.0**stops).to(clip)[:, :, None, None]
        return linear_to_srgb(light.clamp(0, 1))


class Fading(Degradation):
    """Faded film: cyan fades most, so that prints turn pink and blacks turn brown.

    Source: dark fading of chromogenic film in Wilhelm, "The Permanence and Care of Color Photographs".

    Args:
        strength: In [0, 1]; at 1 cyan keeps 45 %, magenta 80 % and yellow 65 % of its density.
    """

    strength: Range[Probability] = (0.1, 0.7)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        lost = clip.new_tensor([0.55, 0.2, 0.35]).view(3, 1, 1) * params["strength"]
        stain = clip.new_tensor([0.0, 0.01, 0.04]).view(3, 1, 1) * params["strength"]
        density = -srgb_to_linear(clip).clamp(min=10**-2.4).log10()  # the largest density of a print
        return linear_to_srgb(10 ** -(density * (1 - lost) + stain))


class Vignette(Degradation):
    """Vignetting: corners are darker than the centre, by the cos^4 law.

    Args:
        strength: Exposure lost in the corners, in stops, >= 0.
    """

    strength: Range[NonNegativeFloat] = (0.0, 0.8)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        _, _, square = centred_axes(clip)
        slope = 2 ** (params["strength"] / 2) - 1  # cos^4 = 1 / (1 + tan^2)^2
        return linear_to_srgb(srgb_to_linear(clip) / (1 + slope * square) ** 2)
