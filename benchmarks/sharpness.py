"""How much fine detail footage has: every clip of a folder or manifest.

    python benchmarks/sharpness.py FOLDER_OR_MANIFEST...

x2 round trip: PSNR on luma of bicubic down and up again, mean over at most 8 frames of a clip, evenly spaced; lower
means more detail that only the full resolution has.
"""

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vsr_lab.core.clip import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.metrics.fidelity import psnr

_FRAMES = 8  # of a clip, evenly spaced


def round_trip(shot: Shot) -> float:
    """Decibels; sides are cropped to even ones."""
    scores = list[float]()
    for start in np.unique(np.linspace(0, shot.frames - 1, _FRAMES).astype(int)):
        hr = shot.read(int(start), int(start) + 1).tensor()
        hr = hr[..., : hr.shape[-2] // 2 * 2, : hr.shape[-1] // 2 * 2]
        back = imresize(quantise(imresize(hr, 0.5)), 2)
        scores.append(float(psnr(quantise(back), hr, "y").mean()))
    return float(np.mean(scores))


def main() -> None:
    table = Table("footage", "clips", "x2 round trip, mean", "sharpest", "softest")
    for root in map(Path, sys.argv[1:]):
        found = [round_trip(shot) for shot in track(find_shots(root), f"{root}", transient=True)]
        table.add_row(str(root), str(len(found)), *(f"{x:.1f} dB" for x in (np.mean(found), min(found), max(found))))
    Console().print(table)


if __name__ == "__main__":
    main()
