"""A worn cassette: little luma, grain along the lines, dropouts, a torn lower edge, lines that do not stand still."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, draw_seed, noise_source, uniform
from vsr_lab.degradations.filtering import drift, low_pass, shift_lines
from vsr_lab.video.yuv import to_rgb, to_yuv


class LumaBandwidth(Degradation):
    """Luma of little bandwidth, and the deck's peaking that tries to hide it: soft edges with a halo along the line.

    sigma in pixels: 0.6 of 720 is the 3 MHz of VHS. peaking: how much of what was lost is put on top again.
    """

    def __init__(self, sigma_min: float, sigma_max: float, peaking_max: float) -> None:
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.peaking_max = peaking_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "sigma": uniform(rng, self.sigma_min, self.sigma_max),
            "peaking": uniform(rng, 0, self.peaking_max),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        luma, chroma = to_yuv(clip, "bt601").split([1, 2], -3)
        soft = low_pass(luma, params["sigma"])
        soft = soft + params["peaking"] * (soft - low_pass(soft, 2 * params["sigma"]))
        return to_rgb(torch.cat([soft, chroma], -3), "bt601").clamp(0, 1)


class TapeNoise(Degradation):
    """Noise of a tape: fine streaks in luma, long blotches in colour; new in every frame. Strengths are deviations."""

    temporal = True

    def __init__(self, luma_max: float, chroma_max: float) -> None:
        self.luma_max = luma_max
        self.chroma_max = chroma_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "luma": uniform(rng, 0, self.luma_max),
            "chroma": uniform(rng, 0, self.chroma_max),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        source = noise_source(params["seed"])
        noise = torch.randn(clip.shape[-4:], generator=source)
        luma, chroma = noise.split([1, 2], -3)
        streaks = torch.cat(
            [params["luma"] * _even(low_pass(luma, 0.8)), params["chroma"] * _even(_blotches(chroma))], -3
        )
        return to_rgb(to_yuv(clip, "bt601") + streaks.to(clip), "bt601").clamp(0, 1)


def _blotches(noise: Tensor) -> Tensor:
    return low_pass(low_pass(noise, 6).mT, 1).mT


def _even(noise: Tensor) -> Tensor:
    """noise of deviation 1 again."""
    return noise / noise.std().clamp(min=1e-6)


class Dropouts(Degradation):
    """Where the oxide is gone: bright or dark streaks that fade along a line, `rate` a frame on average."""

    temporal = True

    def __init__(self, rate_max: float) -> None:
        self.rate_max = rate_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {"rate": uniform(rng, 0, self.rate_max), "seed": draw_seed(rng)}

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        cover = np.zeros((frames, 1, height, width), np.float32)
        level = np.zeros_like(cover)
        for t in range(frames):
            for _ in range(rng.poisson(params["rate"])):
                y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
                length = uniform(rng, 0.02, 0.15) * width
                cover[t, 0, y, x:] = np.exp(-np.arange(width - x) / length)
                level[t, 0, y, x:] = float(rng.random() < 0.75) * rng.uniform(0.7, 1)
        faded = torch.from_numpy(cover).to(clip)
        return clip * (1 - faded) + torch.from_numpy(level).to(clip) * faded


class HeadSwitching(Degradation):
    """The lowest lines torn sideways and noisy, where the recorder changes heads; they flap a little in time.

    share: of the height, up to which the tear reaches; skew: of the width, the shift of the lowest line.
    """

    temporal = True

    def __init__(self, share_max: float, skew_max: float) -> None:
        self.share_max = share_max
        self.skew_max = skew_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "share": uniform(rng, self.share_max / 2, self.share_max),
            "skew": uniform(rng, -self.skew_max, self.skew_max),
            "seed": draw_seed(rng),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        lines = max(2, round(params["share"] * height))
        flap = 1 + 0.2 * drift(rng, frames, 0.5)
        torn = np.linspace(0, 1, lines + 1)[1:] ** 2
        shift = np.zeros((frames, height))
        shift[:, -lines:] = params["skew"] * width * flap * torn + 0.3 * rng.standard_normal((frames, lines)) * torn
        noise = np.zeros((frames, 1, height, width), np.float32)
        noise[:, 0, -lines:] = 0.15 * rng.standard_normal((frames, lines, width)) * torn[:, None]
        return (shift_lines(clip, torch.from_numpy(shift)) + torch.from_numpy(noise).to(clip)).clamp(0, 1)


class LineJitter(Degradation):
    """Lines that begin too early or too late, which a time-base corrector would mend.

    jitter: every line on its own; wobble: bends that wander over the picture; both deviations in pixels.
    """

    temporal = True

    def __init__(self, jitter_max: float, wobble_max: float) -> None:
        self.jitter_max = jitter_max
        self.wobble_max = wobble_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "jitter": uniform(rng, 0, self.jitter_max),
            "wobble": uniform(rng, 0, self.wobble_max),
            "seed": draw_seed(rng),
        }

    def offsets(self, frames: int, height: int, params: Params) -> np.ndarray:
        """Pixels to the right, (T, H)."""
        rng = np.random.default_rng(params["seed"])
        bends = gaussian_filter1d(drift(rng, frames, 0.9, height), max(height / 16, 1), axis=1)
        each = rng.standard_normal((frames, height))
        return params["wobble"] * bends / max(float(bends.std()), 1e-6) + params["jitter"] * each

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return shift_lines(clip, torch.from_numpy(self.offsets(clip.shape[-4], clip.shape[-2], params)))
