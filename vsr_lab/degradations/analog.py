"""Analogue video: composite colour, and artefacts of worn VHS tapes."""

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from scipy.ndimage import gaussian_filter1d as filter1d
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, Probability, Range, Signed, generator, uniform
from vsr_lab.degradations.color import to_rgb, to_yuv
from vsr_lab.degradations.filtering import ar1_noise, gaussian_filter1d, shift_rows

# Subcarrier cycles per line, lines per frame, and after how many lines of a field a comb filter finds it reversed.
_STANDARDS = {"ntsc": (227.5, 525, 1), "pal": (283.7516, 625, 2)}
# From chroma of +-0.5 to the U and V that are modulated, 0.493 (B - Y) and 0.877 (R - Y).
_U, _V = 0.493 * 2 * (1 - 0.114), 0.877 * 2 * (1 - 0.299)


def _split(clip: Tensor) -> tuple[Tensor, Tensor]:
    """Luma and chroma."""
    luma, chroma = to_yuv(clip, "bt601").split([1, 2], -3)
    return luma, chroma


def _join(*planes: Tensor) -> Tensor:
    return to_rgb(torch.cat(planes, -3), "bt601").clamp(0, 1)


class ChromaBleed(Degradation):
    """Chroma bleeding of analog video: chroma is blurred along the rows and delayed (shifted right), luma is unchanged.

    Args:
        sigma: Standard deviation of the blur, in pixels, >= 0. 4 pixels at a width of 720 correspond to the chroma
            bandwidth of VHS, 0.4 MHz.
        delay: Shift to the right, in pixels, >= 0.
    """

    sigma: Range[NonNegativeFloat] = (1.5, 4.0)
    delay: Range[NonNegativeFloat] = (0.0, 2.0)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        luma, chroma = _split(clip)
        return _join(luma, _delayed(gaussian_filter1d(chroma, params["sigma"]), params["delay"]))


def _delayed(x: Tensor, delay: float) -> Tensor:
    """Shift x to the right by `delay` pixels, with linear interpolation; the left border is replicated."""
    whole = int(delay)
    padded = torch.cat([x[..., :1].expand(*x.shape[:-1], whole + 1), x], -1)[..., : x.shape[-1] + 1]
    return torch.lerp(padded[..., 1:], padded[..., :-1], delay - whole)


class Composite(Degradation, temporal=True):
    """Composite video, in which chroma is modulated onto a subcarrier: causes dot crawl and cross-colour.

    The pixels of the clip are treated as samples at four times the subcarrier frequency (768 pixels per visible line of
    NTSC). As in the standards, a line lasts 227.5 (PAL: 283.7516) cycles of the subcarrier and a field has 262.5
    (312.5) lines. So the dots of dot crawl invert from frame to frame with NTSC, and move by a quarter of a cycle with
    PAL.
    Source: ITU-R BT.470; Poynton, "Digital Video and HD", chapters 28 and 29.

    Args:
        standard: "ntsc" or "pal".
        separation: How luma and chroma are separated: "notch" (a filter along each line) or "comb" (comparison with an
            earlier line of the field, which keeps fine luma detail but leaves dots below coloured edges).
        phase: Phase of the subcarrier at the first pixel, in cycles, in [0, 1].
        chroma_sigma: Standard deviation of the chroma low-pass, in pixels, >= 0.
    """

    standard: Literal["ntsc", "pal"]
    separation: Literal["notch", "comb"]
    phase: Range[Probability] = (0.0, 1.0)
    chroma_sigma: NonNegativeFloat = 1.5

    def carrier(self, frames: int, height: int, width: int, phase: float) -> tuple[Tensor, Tensor]:
        """Compute the subcarrier of every pixel of a clip.

        Args:
            frames, height, width: size of the clip.
            phase: phase at the first pixel, in cycles.

        Returns:
            Phase in radians, (T, 1, H, W), and the sign of V on each line, (T, 1, H, 1).
        """
        advance, lines, _ = _STANDARDS[self.standard]
        row = torch.arange(height)
        line = row // 2 + row % 2 * (lines // 2 + 1) + torch.arange(frames)[:, None] * lines  # in order of broadcast
        start = (line.double() * advance + phase) % 1
        cycles = start[:, None, :, None] + torch.arange(width, dtype=torch.float64) / 4
        sign = 1 - 2 * (line % 2) if self.standard == "pal" else torch.ones_like(line)
        return 2 * torch.pi * (cycles % 1), sign[:, None, :, None]

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        frames, _, height, width = clip.shape[-4:]
        angle, sign = self.carrier(frames, height, width, params["phase"])
        sine, cosine = angle.sin().to(clip), (angle.cos() * sign).to(clip)
        luma, u, v = to_yuv(clip, "bt601").split(1, -3)
        u, v = (gaussian_filter1d(gain * plane, self.chroma_sigma) for gain, plane in ((_U, u), (_V, v)))
        signal = luma + u * sine + v * cosine
        chroma = self._chroma(signal)
        u, v = (gaussian_filter1d(2 * chroma * wave, self.chroma_sigma) for wave in (sine, cosine))
        return _join(signal - chroma, u / _U, v / _V)

    def _chroma(self, signal: Tensor) -> Tensor:
        """The part of the signal that the receiver decodes as chroma."""
        back = 2 * _STANDARDS[self.standard][2]  # lines of a field are two apart in the frame
        if self.separation == "comb" and signal.shape[-2] > back:
            top, rest = signal[..., :back, :], (signal[..., back:, :] - signal[..., :-back, :]) / 2
            signal = torch.cat([top, rest], -2)
        lines = F.pad(signal.reshape(-1, 1, signal.shape[-1]), (2, 2), mode="replicate")
        taps = signal.new_tensor([-0.25, 0, 0.5, 0, -0.25])  # gain 1 at the subcarrier, 0 at frequency 0
        return F.conv1d(lines, taps.view(1, 1, -1)).reshape(signal.shape)


class LumaBandwidth(Degradation):
    """Low bandwidth of analog luma and sharpening that compensates for it: edges are soft, with a halo along the rows.

    Args:
        sigma: Standard deviation of the blur, in pixels, >= 0. 0.6 pixels at a width of 720 correspond to the luma
            bandwidth of VHS, 3 MHz.
        peaking: Strength of the unsharp mask that is applied after the blur, >= 0.
    """

    sigma: Range[NonNegativeFloat] = (0.4, 1.0)
    peaking: Range[NonNegativeFloat] = (0.0, 0.8)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        luma, chroma = _split(clip)
        soft = gaussian_filter1d(luma, params["sigma"])
        return _join(soft + params["peaking"] * (soft - gaussian_filter1d(soft, 2 * params["sigma"])), chroma)


class TapeNoise(Degradation, temporal=True, seeded=True):
    """Noise of video tape, different in every frame: short streaks in luma, long blotches in chroma.

    Args:
        luma: Standard deviation of the noise in luma, >= 0; luma is in [0, 1].
        chroma: Standard deviation of the noise in chroma, >= 0; chroma is in [-0.5, 0.5].
    """

    luma: Range[NonNegativeFloat] = (0.0, 0.025)
    chroma: Range[NonNegativeFloat] = (0.0, 0.03)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        noise = torch.randn(clip.shape[-4:], generator=generator(params["seed"]))
        streaks = gaussian_filter1d(noise[:, :1], 0.8)
        blotches = gaussian_filter1d(gaussian_filter1d(noise[:, 1:], 6).mT, 1).mT
        planes = [params["luma"] * _normalize(streaks), params["chroma"] * _normalize(blotches)]
        return to_rgb(to_yuv(clip, "bt601") + torch.cat(planes, -3).to(clip), "bt601").clamp(0, 1)


def _normalize(noise: Tensor) -> Tensor:
    """Scale noise to standard deviation 1."""
    return noise / noise.std().clamp(min=1e-6)


class Dropouts(Degradation, temporal=True, seeded=True):
    """Tape dropouts: bright or dark streaks that fade along a row.

    Args:
        rate: Mean number of streaks per frame, >= 0.
    """

    rate: Range[NonNegativeFloat] = (0.0, 1.0)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        opacity = np.zeros((frames, 1, height, width), np.float32)
        level = np.zeros_like(opacity)
        for t in range(frames):
            for _ in range(rng.poisson(params["rate"])):
                y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
                length = uniform((0.02, 0.15), rng) * width
                opacity[t, 0, y, x:] = np.exp(-np.arange(width - x) / length)
                level[t, 0, y, x:] = float(rng.random() < 0.75) * rng.uniform(0.7, 1)
        faded = torch.from_numpy(opacity).to(clip)
        return clip * (1 - faded) + torch.from_numpy(level).to(clip) * faded


class HeadSwitching(Degradation, temporal=True, seeded=True):
    """Head switching noise of video tape: the lowest rows are noisy and shifted sideways, differently in every frame.

    Args:
        share: Height of the disturbed rows, as a fraction of the frame height, in [0, 1].
        skew: Shift of the lowest row, as a fraction of the frame width, in [-1, 1]; positive is to the right.
    """

    share: Range[Probability] = (0.015, 0.03)
    skew: Range[Signed] = (-0.08, 0.08)

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        rng = np.random.default_rng(params["seed"])
        frames, _, height, width = clip.shape[-4:]
        rows = max(2, round(params["share"] * height))
        variation = 1 + 0.2 * ar1_noise(rng, frames, 0.5)
        torn = np.linspace(0, 1, rows + 1)[1:] ** 2
        shift = np.zeros((frames, height))
        shift[:, -rows:] = params["skew"] * width * variation * torn + 0.3 * rng.standard_normal((frames, rows)) * torn
        noise = np.zeros((frames, 1, height, width), np.float32)
        noise[:, 0, -rows:] = 0.15 * rng.standard_normal((frames, rows, width)) * torn[:, None]
        return (shift_rows(clip, shift) + torch.from_numpy(noise).to(clip)).clamp(0, 1)


class LineJitter(Degradation, temporal=True, seeded=True):
    """Line jitter of video tape (time base errors): every row is shifted horizontally.

    Args:
        jitter: Standard deviation of the independent shift of every row, in pixels, >= 0.
        wobble: Standard deviation of the smooth shift, which varies over rows and frames, in pixels, >= 0.
    """

    jitter: Range[NonNegativeFloat] = (0.0, 0.2)
    wobble: Range[NonNegativeFloat] = (0.0, 0.6)

    def offsets(self, frames: int, height: int, params: Params) -> np.ndarray:
        """Shift of every row to the right in pixels, (T, H)."""
        rng = np.random.default_rng(params["seed"])
        bends = filter1d(ar1_noise(rng, frames, 0.9, height), max(height / 16, 1), axis=1)
        each = rng.standard_normal((frames, height))
        return params["wobble"] * bends / max(float(bends.std()), 1e-6) + params["jitter"] * each

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return shift_rows(clip, self.offsets(clip.shape[-4], clip.shape[-2], params))
