"""A picture of a faulty pair: LR, degraded HR, and their difference times ten."""

from pathlib import Path

import cv2
import numpy as np

from vsr_lab.core.clip import AnyFrames, Frames, to_eight_bit, to_frames, to_tensor
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check.families import degrade_picture
from vsr_lab.pair_check.findings import Findings
from vsr_lab.pair_check.pairing import ShotPair

AMPLIFIED = 10
_WIDTH = 480


def write_picture(path: Path, pair: ShotPair, found: Findings, degradation: Degradation | None) -> None:
    """Write an image that shows a fault: an LR frame, the degraded HR frame of the same number, and their difference.

    Args:
        path: the file.
        pair: LR and HR shot.
        found: faults of the pair.
        degradation: applied to HR; None: HR is downscaled by area.
    """
    t = min(_faulty_frame(found, pair.low.frames // 2), pair.low.frames - 1, pair.high.frames - 1)
    low = to_eight_bit(pair.low.read(t, t + 1).frames)[0]
    degraded = _degraded(pair.high.read(t, t + 1).frames[0], low.shape[:2], degradation)
    difference = (low.astype(np.float32) - degraded) * AMPLIFIED + 128
    panels = [low, degraded, np.clip(difference, 0, 255).astype(np.uint8)]
    height, width = (side * max(1, round(_WIDTH / low.shape[1])) for side in low.shape[:2])
    title = "\n".join([f"{found.clip}, frame {t}", *map(str, found.faults)])
    captions = ["LR", "HR degraded", f"their difference x{AMPLIFIED}"]
    write_contact_sheet(path, [SheetRow(panels, captions, title)], (width, height))


def _faulty_frame(found: Findings, middle: int) -> int:
    """Number of an LR frame that is out of order, or else of the middle one."""
    lists = (fault.value.get(key) for fault in found.faults for key in ("frames", "lr", "hr"))
    return next((int(frames[0]) for frames in lists if isinstance(frames, list) and frames), middle)


def _degraded(high: AnyFrames, size: tuple[int, ...], degradation: Degradation | None) -> Frames:
    if degradation and high.shape[:2] == (size[0] * degradation.scale, size[1] * degradation.scale):
        return to_frames(degrade_picture(degradation, to_tensor(high)))
    return np.asarray(cv2.resize(to_eight_bit(high), (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
