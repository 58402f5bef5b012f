"""Tone mapping of HDR (PQ or HLG, BT.2020) to BT.709.

References: SMPTE ST 2084 and ITU-R BT.2100-2 (transfer functions), BT.2390-8 section 5.4.1 (EETF), BT.2408 (reference
white at 203 cd/m2; the EETF is applied to the largest of R, G, B, which keeps hue), BT.2087 (primaries),
BT.1886 (the display's gamma of 2.4).
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import Clip, to_deep_frames, ycbcr_matrix

WHITE = 203.0  # cd/m2 that become white
HLG_PEAK = 1000.0  # cd/m2 of the display for which HLG's system gamma is 1.2
# ST 2084.
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# BT.2100, HLG.
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
# More digits than BT.2087 prints: its four are off by up to four levels of 255 near black.
_2020_TO_709 = (
    (1.660491, -0.587641, -0.072850),
    (-0.124550, 1.132900, -0.008349),
    (-0.018151, -0.100579, 1.118730),
)


def pq_to_light(signal: Tensor) -> Tensor:
    """Convert PQ signal in [0, 1] to cd/m2 (ST 2084, eq. 4.1)."""
    power = signal.clamp(0, 1) ** (1 / _M2)
    return 10_000 * ((power - _C1).clamp(min=0) / (_C2 - _C3 * power)) ** (1 / _M1)


def light_to_pq(light: Tensor) -> Tensor:
    """Convert cd/m2 to PQ signal in [0, 1] (ST 2084, eq. 5.2)."""
    power = (light.clamp(min=0) / 10_000) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def hlg_to_light(signal: Tensor) -> Tensor:
    """Convert HLG R'G'B' (..., 3) in [0, 1] to cd/m2 on a display of 1000 cd/m2 (BT.2100, table 5)."""
    signal = signal.clamp(0, 1)
    scene = torch.where(signal <= 0.5, signal**2 / 3, (torch.exp((signal - _C) / _A) + _B) / 12)
    luminance = scene @ scene.new_tensor(ycbcr_matrix("bt2020")[0])
    return HLG_PEAK * luminance[..., None] ** 0.2 * scene


def roll_off(signal: Tensor, source: float, target: float) -> Tensor:
    """Reduce the peak luminance of a PQ signal by the tone curve (EETF) of BT.2390, section 5.4.1; black stays at 0.

    Args:
        signal: PQ signal in [0, 1], any shape.
        source: peak luminance of the mastering display in cd/m2.
        target: peak luminance of the output display in cd/m2.

    Returns:
        PQ signal in [0, 1], same shape.
    """
    ends = light_to_pq(torch.tensor([source, target], dtype=torch.float64))
    whole, top = float(ends[0]), float(ends[1] / ends[0])
    if top >= 1:
        return signal
    level = (signal / whole).clamp(0, 1)
    knee = 1.5 * top - 0.5
    t = (level - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * top
    return torch.where(level < knee, level, spline) * whole


def to_standard_range(signal: Tensor, hdr: str, peak: float) -> Tensor:
    """Tone map HDR frames (BT.2020, PQ or HLG) to standard dynamic range (BT.709).

    Args:
        signal: R'G'B' (..., 3) in [0, 1].
        hdr: transfer function of the signal, "PQ" or "HLG".
        peak: peak luminance in cd/m2 of the mastering display of a PQ source; brighter pixels become white. HLG: not
            used.

    Returns:
        R'G'B' of BT.709, same shape, in [0, 1].
    """
    light = pq_to_light(signal) if hdr == "PQ" else hlg_to_light(signal)
    brightest = light.amax(-1, keepdim=True).clamp(min=1e-6)
    shown = pq_to_light(roll_off(light_to_pq(brightest), peak if hdr == "PQ" else HLG_PEAK, WHITE))
    standard = (light * (shown / brightest / WHITE)) @ light.new_tensor(_2020_TO_709).T
    return standard.clamp(0, 1) ** (1 / 2.4)


def tone_map(clip: Clip, hdr: str, peak: float) -> Clip:
    """Tone map an HDR clip to standard dynamic range (BT.709), with uint16 frames.

    Args:
        clip: frames with PQ or HLG signal.
        hdr: transfer function, "PQ" or "HLG".
        peak: peak luminance in cd/m2 of the mastering display of a PQ source. HLG: not used.
    """
    mapped = [to_standard_range(picture.movedim(0, -1), hdr, peak).movedim(-1, 0) for picture in clip.tensor()]
    return replace(clip, frames=np.stack([to_deep_frames(picture) for picture in mapped]))
