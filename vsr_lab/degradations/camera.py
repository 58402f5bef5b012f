"""Cheap cameras: rows read one after another, lenses that bend, glass that is dirty, too little light."""

import numpy as np
import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d, guided_blur
from torch import Tensor

from vsr_lab.core.flow import Farneback
from vsr_lab.degradations.base import Degradation, Params, draw_seed, noise_source, uniform
from vsr_lab.degradations.filtering import displaced, low_pass
from vsr_lab.degradations.srgb import to_display, to_linear


class RollingShutter(Degradation):
    """Rows read from top to bottom: what moves sideways leans. The middle row is of the frame's own time.

    readout: parts of a frame's time between the first and the last row, drawn from a range. Between frames the picture
    is moved along its optical flow. The truth leans too: which verticals should be upright, one frame cannot say.
    """

    on_cpu = True
    temporal = True
    modifies_target = True

    def __init__(self, readout_min: float, readout_max: float) -> None:
        self.readout_min = readout_min
        self.readout_max = readout_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"readout": uniform(rng, self.readout_min, self.readout_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        if hr.shape[-4] < 2:
            return hr
        clips = hr.reshape(-1, *hr.shape[-4:])
        motion = Farneback()(clips)
        # From the next frame to this one and from the one before; at the ends what there is, the other way round.
        following = torch.cat([motion.backward, -motion.forward[:, -1:]], 1)
        preceding = torch.cat([-motion.backward[:, :1], motion.forward], 1)
        time = params["readout"] * torch.linspace(-0.5, 0.5, hr.shape[-2], device=hr.device)[:, None]
        flow = time.clamp(min=0) * following - time.clamp(max=0) * preceding
        return displaced(clips, flow * _changing(clips)).reshape(hr.shape)


def _changing(clips: Tensor) -> Tensor:
    """1 near what differs from the frame before or after, B T 1 H W: flow is not quite 0 where nothing moves."""
    steps = clips.diff(dim=1).abs().amax(2, keepdim=True)
    most = torch.maximum(torch.cat([steps[:, :1], steps], 1), torch.cat([steps, steps[:, -1:]], 1))
    near = F.max_pool2d(most.flatten(0, 1), 9, stride=1, padding=4)
    return (near > 0.5 / 255).to(clips).reshape(most.shape)


class LensDistortion(Degradation):
    """A wide lens: straight lines bend outwards (barrel). strength: how far it pulls, as a part of the diagonal.

    The truth is bent too: how much a lens bends, a picture of unknown things cannot say.
    """

    modifies_target = True

    def __init__(self, strength_max: float) -> None:
        self.strength_max = strength_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"strength": uniform(rng, 0, self.strength_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        height, width = hr.shape[-2:]
        y = torch.arange(height, device=hr.device, dtype=hr.dtype)[:, None] - (height - 1) / 2
        x = torch.arange(width, device=hr.device, dtype=hr.dtype) - (width - 1) / 2
        square = (y**2 + x**2) / ((height / 2) ** 2 + (width / 2) ** 2)
        pull = params["strength"] * (square - 1)  # nothing from outside the picture is asked for
        return displaced(hr, torch.stack([x * pull, y * pull])[None])


class DomeHaze(Degradation):
    """A dusty dome: a veil that is thicker in places and blurs what it covers. haze: how thick it is at most."""

    def __init__(self, haze_min: float, haze_max: float) -> None:
        self.haze_min = haze_min
        self.haze_max = haze_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"haze": uniform(rng, self.haze_min, self.haze_max), "seed": draw_seed(rng)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        height, width = clip.shape[-2:]
        dirt = torch.rand(1, 1, 5, 7, generator=noise_source(params["seed"]), dtype=torch.float64)
        dirt = F.interpolate(dirt, (height, width), mode="bicubic", align_corners=True)[0, 0]
        thick = (params["haze"] * (0.35 + 0.65 * dirt)).clamp(0, 1).to(clip)
        pictures = to_linear(clip).reshape(-1, *clip.shape[-3:])
        sigma = max(height, width) / 40
        size = 2 * round(2 * sigma) + 1
        soft = gaussian_blur2d(pictures, (size, size), (sigma, sigma), "replicate")
        glow = pictures.mean((-3, -2, -1), keepdim=True) * 0.5 + 0.15  # light that the dirt scatters
        return to_display(torch.lerp(pictures, (soft + glow) / 2, thick).clamp(0, 1)).reshape(clip.shape)


class Infrared(Degradation):
    """A night camera: gray, of the red more than of the blue. The truth is gray too, as colour cannot be known."""

    modifies_target = True

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return self.target(clip, params)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        weights = hr.new_tensor([0.55, 0.3, 0.15]).view(3, 1, 1)
        return to_display((to_linear(hr) * weights).sum(-3, keepdim=True).clamp(0, 1)).expand_as(hr)


class Underexposure(Degradation):
    """Less light by a number of stops drawn from a range: what comes before the noise of a sensor in the dark."""

    def __init__(self, stops_min: float, stops_max: float) -> None:
        self.stops_min = stops_min
        self.stops_max = stops_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"stops": uniform(rng, self.stops_min, self.stops_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return to_display(to_linear(clip) / 2 ** params["stops"])


class DenoiseSmear(Degradation):
    """A camera's own noise reduction, set too strong: still parts are averaged over time, moving ones trail.

    strength in [0, 1], drawn from a range: how much of the frame before stays where nothing moves (up to 0.9), and how
    much contrast counts as noise (up to 0.1).
    """

    temporal = True

    def __init__(self, strength_min: float, strength_max: float) -> None:
        self.strength_min = strength_min
        self.strength_max = strength_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"strength": uniform(rng, self.strength_min, self.strength_max)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        strength = params["strength"]
        before = clip.select(-4, 0)
        frames = [before]
        for frame in clip.unbind(-4)[1:]:
            change = low_pass(low_pass((frame - before).abs().mean(-3, keepdim=True), 1.5).mT, 1.5).mT
            still = (1.5 - change / (0.04 + 0.08 * strength)).clamp(0, 1)
            before = torch.lerp(frame, before, 0.9 * strength * still)
            frames.append(before)
        steady = torch.stack(frames, -4).reshape(-1, *clip.shape[-3:])
        return (
            guided_blur(steady.mean(-3, keepdim=True), steady, 5, (0.1 * strength) ** 2).clamp(0, 1).reshape(clip.shape)
        )
