"""Low-cost cameras: rolling shutter, lens distortion, dirty glass, infrared, low light, noise reduction."""

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from vsr_lab.core.flow import Farneback
from vsr_lab.degradations.base import AppliedToTarget, Degradation, Params, Probability, Range, generator
from vsr_lab.degradations.color import linear_to_srgb, srgb_to_linear
from vsr_lab.degradations.filtering import centred_axes, gaussian_filter1d, warp_bicubic


class RollingShutter(AppliedToTarget, on_cpu=True, temporal=True):
    """Rolling shutter: rows are exposed one after the other, so objects that move sideways look slanted.

    The middle row is unchanged; the other rows are moved along the optical flow to the time at which they are exposed.
    The target has the same distortion, since a network cannot tell from the frames which lines should be vertical.

    Args:
        readout: Time between the first and the last row, as a fraction of the frame period, >= 0.
    """

    readout: Range[NonNegativeFloat] = (0.2, 0.8)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        if hr.shape[-4] < 2:
            return hr
        clips = hr.reshape(-1, *hr.shape[-4:])
        motion = Farneback()(clips)
        # From the next frame to this one and from the previous one; at the ends the other direction, reversed.
        following = torch.cat([motion.backward, -motion.forward[:, -1:]], 1)
        preceding = torch.cat([-motion.backward[:, :1], motion.forward], 1)
        time = params["readout"] * torch.linspace(-0.5, 0.5, hr.shape[-2], device=hr.device)[:, None]
        flow = time.clamp(min=0) * following - time.clamp(max=0) * preceding
        return warp_bicubic(clips, flow * _changing(clips)).reshape(hr.shape)


def _changing(clips: Tensor) -> Tensor:
    """Mask (B, T, 1, H, W), 1 near pixels that differ from the previous or next frame.

    Still areas must be excluded by the mask, because the estimated flow is not exactly 0 there.
    """
    steps = clips.diff(dim=1).abs().amax(2, keepdim=True)
    most = torch.maximum(torch.cat([steps[:, :1], steps], 1), torch.cat([steps, steps[:, -1:]], 1))
    near = F.max_pool2d(most.flatten(0, 1), 9, stride=1, padding=4)
    return (near > 0.5 / 255).to(clips).reshape(most.shape)


class LensDistortion(AppliedToTarget):
    """Barrel distortion of a wide-angle lens.

    The target is distorted too, since a network cannot tell the strength of the distortion from the frames.

    Args:
        strength: Strength k, >= 0. A pixel at the distance r from the centre shows the point at the distance
            r (1 - k (1 - r^2)), where r is 1 in the corners, which do not move.
    """

    strength: Range[NonNegativeFloat] = (0.0, 0.12)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        y, x, square = centred_axes(hr)
        pull = params["strength"] * (square - 1)  # samples nothing outside the frame
        return warp_bicubic(hr, torch.stack([x * pull, y * pull])[None])


class DomeHaze(Degradation, seeded=True):
    """Haze of a dusty camera dome, which blurs and lowers the contrast; it differs over the frame, but not over time.

    Args:
        haze: Opacity of the haze where it is densest, in [0, 1].
    """

    haze: Range[Probability] = (0.1, 0.5)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        from kornia.filters import gaussian_blur2d  # slow to import

        height, width = clip.shape[-2:]
        dirt = torch.rand(1, 1, 5, 7, generator=generator(params["seed"]), dtype=torch.float64)
        dirt = F.interpolate(dirt, (height, width), mode="bicubic", align_corners=True)[0, 0]
        opacity = (params["haze"] * (0.35 + 0.65 * dirt)).clamp(0, 1).to(clip)
        frames = srgb_to_linear(clip).reshape(-1, *clip.shape[-3:])
        sigma = max(height, width) / 40
        size = 2 * round(2 * sigma) + 1
        soft = gaussian_blur2d(frames, (size, size), (sigma, sigma), "replicate")
        glow = frames.mean((-3, -2, -1), keepdim=True) * 0.5 + 0.15  # light scattered by the dirt
        return linear_to_srgb(torch.lerp(frames, (soft + glow) / 2, opacity).clamp(0, 1)).reshape(clip.shape)


class Infrared(AppliedToTarget):
    """Night mode of a surveillance camera: gray frames, mostly from the red channel.

    The target is gray as well, since a network would have to invent the colour.
    """

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        weights = hr.new_tensor([0.55, 0.3, 0.15]).view(3, 1, 1)
        return linear_to_srgb((srgb_to_linear(hr) * weights).sum(-3, keepdim=True).clamp(0, 1)).expand_as(hr)


class Underexposure(AppliedToTarget):
    """Darken the clip. Followed by `SensorNoise`, it models a camera in low light.

    The target is as dark as LR, since a network cannot tell from the frames how bright the scene was.

    Args:
        stops: Reduction of the exposure in stops, >= 0; 1 stop halves the light.
    """

    stops: Range[NonNegativeFloat] = (0.0, 1.0)

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return linear_to_srgb(srgb_to_linear(hr) / 2 ** params["stops"])


class DenoiseSmear(Degradation, temporal=True):
    """Excessive noise reduction of a camera: averaging of frames, which leaves trails, and smoothing of detail.

    Args:
        strength: In [0, 1]. At 1, the weight of the previous output frame is 0.9 in static areas, and differences of up
            to 0.1 between neighbouring pixels (with values in [0, 1]) are smoothed as if they were noise.
    """

    strength: Range[Annotated[float, Field(ge=0, le=1)]] = (0.4, 0.9)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        from kornia.filters import guided_blur  # slow to import

        strength = params["strength"]
        before = clip.select(-4, 0)
        frames = [before]
        for frame in clip.unbind(-4)[1:]:
            difference = (frame - before).abs().mean(-3, keepdim=True)
            change = gaussian_filter1d(gaussian_filter1d(difference, 1.5).mT, 1.5).mT
            still = (1.5 - change / (0.04 + 0.08 * strength)).clamp(0, 1)
            before = torch.lerp(frame, before, 0.9 * strength * still)
            frames.append(before)
        steady = torch.stack(frames, -4).reshape(-1, *clip.shape[-3:])
        smooth = guided_blur(steady.mean(-3, keepdim=True), steady, 5, (0.1 * strength) ** 2)
        return smooth.clamp(0, 1).reshape(clip.shape)
