"""What film leaves on a picture: grain, dust and scratches."""

import math

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vsr_lab.degradations import kernels
from vsr_lab.degradations.base import Degradation, Params, draw_seed, noise_source, uniform
from vsr_lab.degradations.convolution import convolve_round
from vsr_lab.degradations.noise import white_noise


class FilmGrain(Degradation):
    """Grain, new in every frame: strongest in the middle greys, absent in black and white, of a size.

    strength: standard deviation at mid grey, in 8-bit levels; size: of the grain, the sigma of its shape in pixels;
    colour: share of the variance that each dye layer has of its own, 0 for black-and-white stock.
    Source: grains covering u of a spot have a variance of u (1 - u) (Newson et al. 2017, section 3).
    """

    temporal = True

    def __init__(
        self,
        strength_min: float,
        strength_max: float,
        size_min: float = 0.4,
        size_max: float = 1.2,
        colour: float = 0.5,
    ) -> None:
        self.strength_min = strength_min
        self.strength_max = strength_max
        self.size_min = size_min
        self.size_max = size_max
        self.colour = colour

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "strength": uniform(rng, self.strength_min, self.strength_max),
            "size": uniform(rng, self.size_min, self.size_max),
            "colour": uniform(rng, 0, self.colour),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        source = noise_source(params["seed"])
        shared, own = params["colour"], 1 - params["colour"]
        grain = math.sqrt(own) * white_noise(clip, source, 1) + math.sqrt(shared) * white_noise(clip, source)
        shape = torch.from_numpy(kernels.gaussian(params["size"], 1, 0, kernels.reach(params["size"])))
        grain = convolve_round(grain, shape / shape.square().sum().sqrt())
        visible = 2 * (clip * (1 - clip)).clamp(min=0).sqrt()
        return (clip + visible * grain * (params["strength"] / 255)).clamp(0, 1)


class DustAndScratches(Degradation):
    """Specks and hairs, new in every frame; scratches down the film, which stay for many frames and wander.

    dust: specks a frame and megapixel, from [0, dust_max]; scratches: up to scratches_max at a time over the width.
    speck: the largest radius in pixels. Each is lighter or darker than the picture and lets some of it through.
    """

    on_cpu = True
    temporal = True

    def __init__(self, dust_max: float = 120.0, scratches_max: float = 2.0, speck: float = 3.0) -> None:
        self.dust_max = dust_max
        self.scratches_max = scratches_max
        self.speck = speck

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "dust": uniform(rng, 0, self.dust_max),
            "scratches": uniform(rng, 0, self.scratches_max),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        tint = np.zeros((frames, height, width), np.float32)  # towards white above 0, towards black below
        for canvas in tint:
            for _ in range(rng.poisson(params["dust"] * height * width / 1e6)):
                _speck(canvas, rng, self.speck)
        _scratch(tint, rng, params["scratches"])
        soft = torch.from_numpy(np.stack([cv2.GaussianBlur(canvas, (3, 3), 0.6) for canvas in tint])).to(clip)
        opacity = soft.abs().unsqueeze(-3)
        return clip * (1 - opacity) + (soft > 0).to(clip).unsqueeze(-3) * opacity


def _speck(canvas: npt.NDArray[np.float32], rng: np.random.Generator, largest: float) -> None:
    """One speck, or one time in six a hair."""
    height, width = canvas.shape
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    shade = float(rng.uniform(0.4, 0.95) * (1 if rng.random() < 0.5 else -1))
    if rng.random() < 1 / 6:
        heading, bend = rng.uniform(0, 2 * math.pi), rng.uniform(-0.3, 0.3)
        way = [(x, y)]
        for step in range(int(rng.integers(6, 20))):
            heading += bend * math.sin(step)
            way.append((way[-1][0] + 2 * math.cos(heading), way[-1][1] + 2 * math.sin(heading)))
        cv2.polylines(canvas, [np.round(way).astype(np.int32)], False, (shade,), 1)
        return
    corners = int(rng.integers(5, 9))
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    radii = rng.uniform(0.4, 1, corners) * rng.uniform(0.5, largest)
    outline = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1)
    cv2.fillPoly(canvas, [np.round(outline).astype(np.int32)], (shade,))


def _scratch(tint: npt.NDArray[np.float32], rng: np.random.Generator, at_a_time: float) -> None:
    """Draw scratches into all frames, each 10 to 60 frames long, beginning before or within the clip."""
    frames, height, width = tint.shape
    longest = 60
    for _ in range(rng.poisson(at_a_time * (frames + longest) / 35)):
        start, length = int(rng.integers(-longest, frames)), int(rng.integers(10, longest + 1))
        x, shade = rng.uniform(0, width), rng.uniform(0.15, 0.6) * (1 if rng.random() < 0.5 else -1)
        wander = np.cumsum(rng.normal(0, 0.4, length))
        top, bottom = (0, height) if rng.random() < 0.6 else np.sort(rng.integers(0, height + 1, 2))
        thickness = rng.uniform(0.4, 1.2)
        across = np.arange(width)
        for t in range(max(start, 0), min(start + length, frames)):
            profile = np.exp(-((across - x - wander[t - start]) ** 2) / (2 * thickness**2))
            tint[t, top:bottom] = tint[t, top:bottom] * (1 - profile) + shade * profile
