"""A picture of a faulty pair: LR, HR as LR should have been, and ten times their difference."""

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw

from vsr_lab.core.clip import AnyFrames, Frames, to_eight_bit, to_frames, to_tensor
from vsr_lab.core.files import atomic_path
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check.families import degrade
from vsr_lab.pair_check.findings import Findings
from vsr_lab.pair_check.pairing import ShotPair

AMPLIFIED = 10
_WIDTH, _LINE = 480, 16


def write_picture(path: Path, pair: ShotPair, found: Findings, degradation: Degradation | None) -> None:
    """Write the frame that shows a fault best, paired as a training run would pair it: LR t with HR t."""
    t = min(_telling(found, pair.low.frames // 2), pair.low.frames - 1, pair.high.frames - 1)
    low = to_eight_bit(pair.low.read(t, t + 1).frames)[0]
    made = _as_lr(pair.high.read(t, t + 1).frames[0], low.shape[:2], degradation)
    gap = (low.astype(np.float32) - made) * AMPLIFIED + 128
    panels = [low, made, np.clip(gap, 0, 255).astype(np.uint8)]
    zoom = max(1, round(_WIDTH / low.shape[1]))
    size = (low.shape[1] * zoom, low.shape[0] * zoom)
    row = np.concatenate([cv2.resize(p, size, interpolation=cv2.INTER_NEAREST) for p in panels], 1)
    lines = [f"{found.clip}, frame {t}: LR | HR degraded | their difference x{AMPLIFIED}", *map(str, found.faults)]
    sheet = Image.new("RGB", (row.shape[1], row.shape[0] + _LINE * len(lines) + 8), "white")
    draw = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        draw.text((6, 4 + _LINE * i), line, fill="black" if i == 0 else "#a00000")
    sheet.paste(Image.fromarray(row), (0, _LINE * len(lines) + 8))
    with atomic_path(path) as temporary:
        sheet.save(temporary)


def _telling(found: Findings, middle: int) -> int:
    """An LR frame that is out of its place, where one is known; the middle one otherwise."""
    for fault in found.faults:
        for key in ("frames", "lr", "hr"):
            places = fault.value.get(key)
            if isinstance(places, list) and places:
                return int(places[0])
    return middle


def _as_lr(high: AnyFrames, size: tuple[int, ...], degradation: Degradation | None) -> Frames:
    fitting = degradation and high.shape[:2] == (size[0] * degradation.scale, size[1] * degradation.scale)
    if degradation and fitting:
        return to_frames(degrade(degradation, to_tensor(high)))
    with torch.no_grad():
        return np.asarray(cv2.resize(to_eight_bit(high), (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
