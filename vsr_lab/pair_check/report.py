"""Report of a check of LR/HR pairs: a JSON file, and a picture of each faulty pair."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vsr_lab.core.clip import AnyFrames, Frames, to_eight_bit, to_frames, to_tensor
from vsr_lab.core.files import inside, write_json
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check.families import degrade_picture
from vsr_lab.pair_check.findings import Findings, ShotPair
from vsr_lab.pair_check.identification import Declared

AMPLIFIED = 10
_WIDTH = 480


def write_picture(path: Path, pair: ShotPair, found: Findings, degradation: Degradation | None) -> None:
    """Write an image that shows a fault: an LR frame, the degraded HR frame of the same number, and their difference.

    Args:
        path: the file.
        pair: LR and HR shot.
        found: faults of the pair.
        degradation: degradation that is applied to HR. HR is downscaled by averaging areas instead if this is None, or
            if HR divided by the scale of the degradation does not have the size of LR.
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
    """Number of the first frame that a fault names, such as a dropped frame; `middle` if no fault names frames."""
    lists = (fault.value.get(key) for fault in found.faults for key in ("frames", "lr", "hr"))
    return next((int(frames[0]) for frames in lists if isinstance(frames, list) and frames), middle)


def _degraded(high: AnyFrames, size: tuple[int, ...], degradation: Degradation | None) -> Frames:
    if degradation and high.shape[:2] == (size[0] * degradation.scale, size[1] * degradation.scale):
        return to_frames(degrade_picture(degradation, to_tensor(high)))
    return np.asarray(cv2.resize(to_eight_bit(high), (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)


def write_findings(
    folder: Path,
    pairs: Sequence[ShotPair],
    found: Sequence[Findings],
    *,
    declared: Declared,
    sources: tuple[Path, Path],
    unpaired: Sequence[str],
) -> dict[str, Path]:
    """Write the results of `pair_check`: check.json, and an image NAME.png for each faulty pair.

    Args:
        folder: folder of the files.
        pairs: LR and HR shots.
        found: findings of each pair.
        declared: scale and degradation according to the user.
        sources: the file or folder of LR, and the file or folder of HR.
        unpaired: names of clips that are only in LR or only in HR.

    Returns:
        Path of each file: "check" -> check.json, name of a faulty pair -> its image.
    """
    files = {"check": folder / "check.json"}
    report = {
        "schema": 1,
        "lr": str(sources[0]),
        "hr": str(sources[1]),
        "declared": {"degradation": declared.name, "scale": declared.scale},
        "unpaired": unpaired,
        "clips": {findings.clip: findings.as_json() for findings in found},
    }
    write_json(files["check"], report)
    for pair, findings in zip(pairs, found, strict=True):
        if not findings.clean:
            files[findings.clip] = inside(folder, f"{findings.clip}.png")
            write_picture(files[findings.clip], pair, findings, _degradation(findings, declared))
    return files


def _degradation(findings: Findings, declared: Declared) -> Degradation | None:
    """The declared degradation, or the nearest one that was found."""
    measured = findings.measured.get("degradation")
    return declared.families(measured["scale"]).get(declared.name or measured["nearest"]) if measured else None
