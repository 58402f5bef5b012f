"""Faults of colour, found by comparison of the colours of LR with those of degraded HR."""

import re
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vsr_lab.alignment import ColorTransform, FramePair
from vsr_lab.alignment.color_transform import fit_colors
from vsr_lab.pair_check.families import DISPLAY_GAMMA
from vsr_lab.pair_check.findings import Findings
from vsr_lab.pair_check.identification import Identification

_EXACT_TOLERANCE = 0.3  # levels, where HR was degraded in the same way as LR
_REMEDIES = {
    "range: RGB squeezed": "stretch LR to 0..255",
    "range: RGB stretched": "squeeze LR to 16..235",
    "channels": "swap LR's channels back",
    "colour lost": "regenerate LR in colour",
    "levels": "undo it, or regenerate LR",
}


def fit_exactly(named: Identification) -> ColorTransform:
    """Estimate the colour transform from HR, degraded by the identified degradation, to LR, from pixels of all windows.

    The degraded HR has the same sharpness as LR, so that small differences of colour can be measured.
    """
    inner = (slice(None), slice(4, -4), slice(4, -4))
    highs = [lr[inner].reshape(3, -1).mT.double().numpy() for lr in named.best.raw]
    lows = [window.lr[inner].reshape(3, -1).mT.double().numpy() for window in named.windows]
    return fit_colors(np.concatenate(highs), np.concatenate(lows), _EXACT_TOLERANCE)


def judge_color(found: Findings, color: ColorTransform, linear: bool) -> None:
    """Test for colour differences between LR and HR, and add the faults to the findings.

    Args:
        found: findings to which the faults are added.
        color: transform from the colours of HR to those of LR.
        linear: whether LR was downscaled in linear light.
    """
    if linear:
        remedy = "shrink the coded values, as the known degradations do"
        found.add("gamma", "LR was shrunk in linear light", remedy, {"power": DISPLAY_GAMMA})
    if color.name:
        kind, _, rest = color.name.partition(": ")
        size = f"{rest or kind} ({color.shift:.1f} levels off; {color.residual:.2f} with that undone)"
        found.add(kind, size, _remedy(color), color.parameters)
    found.measured["colour"] = {
        "moved_levels": round(color.shift, 3),
        "left_levels": round(color.residual, 3),
        "saturation_levels": round(color.saturation, 2),
    }
    if color.saturation < 3:
        found.unjudged.append("matrix, channel order and saturation: cannot be judged (no colour)")


def _remedy(color: ColorTransform) -> str:
    name = color.name or ""
    if "gamma" in color.parameters:
        return f"raise LR to the power {1 / float(str(color.parameters['gamma'])):.3f}"
    if stored := re.findall(r"(\w+) taken for", name):
        return "read LR as " + ", ".join(f"BT.{word}" if word.isdecimal() else f"{word} range" for word in stored)
    return next(remedy for start, remedy in _REMEDIES.items() if name.startswith(start))


def recolor(color: ColorTransform, picture: Tensor) -> Tensor:
    """Convert a picture (3, h, w) in [0, 1] from the colours of HR to those of LR. The result is rounded to 8 bits."""
    if color.name is None:
        return picture
    colors = picture.movedim(0, -1).double().numpy()
    return torch.from_numpy(color.apply(colors)).movedim(-1, 0).float().mul(255).round().div(255)


def recolor_frames(color: ColorTransform, frames: list[FramePair]) -> list[FramePair]:
    """Copy of frame pairs whose HR frames are converted to the colours of LR by the transform `color`."""
    peak = np.iinfo(frames[0].high.dtype).max
    return [
        replace(frame, high=(color.apply(frame.high / peak) * peak).round().astype(frame.high.dtype))
        for frame in frames
    ]
