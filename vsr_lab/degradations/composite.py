"""Colour and luma on one wire: composite video, and what a receiver makes of it."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.degradations.base import Degradation, Params, uniform
from vsr_lab.degradations.filtering import low_pass
from vsr_lab.video.yuv import to_rgb, to_yuv

# Subcarrier cycles a line, lines a frame, and after how many lines of a field a comb finds it reversed.
_STANDARDS = {"ntsc": (227.5, 525, 1), "pal": (283.7516, 625, 2)}
# From chroma of +-0.5 to the U and V that go on the wire, 0.493 (B - Y) and 0.877 (R - Y).
_U, _V = 0.493 * 2 * (1 - 0.114), 0.877 * 2 * (1 - 0.299)


class ChromaBleed(Degradation):
    """Colour of little bandwidth and late: U and V blurred along the lines and moved to the right; luma stays.

    sigma and delay in pixels, each drawn from a range. Recorders keep 0.4 MHz of colour (sigma 4 of 720 pixels).
    """

    def __init__(self, sigma_min: float, sigma_max: float, delay_max: float) -> None:
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max
        self.delay_max = delay_max

    def sample(self, rng: np.random.Generator) -> Params:
        return {
            "sigma": uniform(rng, self.sigma_min, self.sigma_max),
            "delay": uniform(rng, 0, self.delay_max),
        }

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        luma, chroma = to_yuv(clip, "bt601").split([1, 2], -3)
        late = _late(low_pass(chroma, params["sigma"]), params["delay"])
        return to_rgb(torch.cat([luma, late], -3), "bt601").clamp(0, 1)


def _late(x: Tensor, delay: float) -> Tensor:
    """x moved right by delay pixels, linear between them, its left end repeated."""
    whole = int(delay)
    padded = torch.cat([x[..., :1].expand(*x.shape[:-1], whole + 1), x], -1)[..., : x.shape[-1] + 1]
    return torch.lerp(padded[..., 1:], padded[..., :-1], delay - whole)


class Composite(Degradation):
    """Colour modulated onto a subcarrier and taken off again: dots crawl along colour edges, fine luma is a rainbow.

    standard: "ntsc" or "pal"; separation: "notch" (one line at a time) or "comb" (against an earlier line of the field:
    keeps fine luma, hangs dots under coloured edges). The picture is taken as sampled at four times the subcarrier, an
    active line of NTSC being 768 pixels. Phases are the standards' own: a cycle a line advances by
    227.5 (283.7516), fields of 262.5 (312.5) lines, so that NTSC's dots reverse from frame to frame and PAL's turn by a
    quarter. params: phase, in cycles, of the first pixel.
    Source: ITU-R BT.470; Poynton, "Digital Video and HD", chapters 28 and 29.
    """

    temporal = True

    def __init__(self, standard: str, separation: str, chroma_sigma: float = 1.5) -> None:
        if standard not in _STANDARDS or separation not in {"notch", "comb"}:
            raise ValueError(f"no composite video of {standard!r} by {separation!r}; say ntsc or pal, notch or comb")
        self.standard = standard
        self.separation = separation
        self.chroma_sigma = chroma_sigma

    def sample(self, rng: np.random.Generator) -> Params:
        return {"phase": uniform(rng, 0, 1)}

    def carrier(self, frames: int, height: int, width: int, phase: float) -> tuple[Tensor, Tensor]:
        """Phase of the subcarrier in radians (T 1 H W), and the sign of V at each line (T 1 H 1)."""
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
        wire = luma + low_pass(_U * u, self.chroma_sigma) * sine + low_pass(_V * v, self.chroma_sigma) * cosine
        chroma = self._chroma(wire)
        u, v = (low_pass(2 * chroma * wave, self.chroma_sigma) for wave in (sine, cosine))
        return to_rgb(torch.cat([wire - chroma, u / _U, v / _V], -3), "bt601").clamp(0, 1)

    def _chroma(self, wire: Tensor) -> Tensor:
        """What the receiver takes for colour."""
        back = 2 * _STANDARDS[self.standard][2]  # lines of the field are two apart in the frame
        if self.separation == "comb" and wire.shape[-2] > back:
            top, rest = wire[..., :back, :], (wire[..., back:, :] - wire[..., :-back, :]) / 2
            wire = torch.cat([top, rest], -2)
        lines = F.pad(wire.reshape(-1, 1, wire.shape[-1]), (2, 2), mode="replicate")
        taps = wire.new_tensor([-0.25, 0, 0.5, 0, -0.25])  # 1 at the subcarrier, 0 at rest
        return F.conv1d(lines, taps.view(1, 1, -1)).reshape(wire.shape)
