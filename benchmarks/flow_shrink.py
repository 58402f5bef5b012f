"""How far motion and the flicker loss move where flow is estimated smaller or with fewer updates, and what that saves.

    python benchmarks/flow_shrink.py FOOTAGE RAFT_WEIGHTS [--size 256] [--frames 4] [--clips 8]

One window from the middle of at most --clips clips of FOOTAGE (a folder or a manifest), shown as SR after halving and
enlarging it by bicubic. Each estimator is compared with itself at full size (RAFT: and 12 updates), in the last row
RAFT with Farneback: `distance` is the mean end-point
distance in pixels where the reference sees a pixel in both frames, `loss` the change of the flicker loss.
"""

import argparse
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from vsr_lab.core.flow import Farneback, FlowEstimator
from vsr_lab.core.raft import RaftSmall
from vsr_lab.core.resize import imresize
from vsr_lab.footage.shots import find_shots
from vsr_lab.losses import Flicker


def windows(root: Path, size: int, frames: int, most: int) -> list[Tensor]:
    """1 T 3 size size, from the middle of each clip that is large enough."""
    found = [shot for shot in find_shots(root) if min(shot.size) >= size and len(shot) >= frames]
    taken = list[Tensor]()
    for shot in found[:: max(1, len(found) // most)][:most]:
        start = (len(shot) - frames) // 2
        clip = shot.read(start, start + frames).tensor()
        top, left = ((side - size) // 2 for side in clip.shape[-2:])
        taken.append(clip[None, ..., top : top + size, left : left + size])
    return taken


def compared(clips: list[Tensor], reference: FlowEstimator, other: FlowEstimator) -> tuple[float, float, float]:
    """Mean distance of the flows in pixels, relative change of the flicker loss, seconds saved, as a factor."""
    distances, losses, seconds = list[float](), ([], []), [0.0, 0.0]
    for hr in clips:
        sr = imresize(imresize(hr, 0.5), 2)
        motions = []
        for i, estimator in enumerate((reference, other)):
            start = time.perf_counter()
            motions.append(estimator(hr))
            seconds[i] += time.perf_counter() - start
            losses[i].append(float(Flicker()(sr, hr, motions[-1])))
        full, small = motions
        distance = (full.backward - small.backward).square().sum(2, keepdim=True).sqrt()
        distances.append(float((full.mask * distance).sum() / full.mask.sum()))
    before, after = (sum(values) for values in losses)
    return sum(distances) / len(distances), after / before - 1, seconds[0] / seconds[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=Path)
    parser.add_argument("weights")
    for name, default in (("size", 256), ("frames", 4), ("clips", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(1)
    clips = windows(options.footage, options.size, options.frames, options.clips)
    raft = RaftSmall(options.weights)
    raft(clips[0])  # reads the weights
    rows = {
        "Farneback, shrink 2": (Farneback(), Farneback(shrink=2)),
        "RAFT, shrink 2": (raft, RaftSmall(options.weights, shrink=2)),
        "RAFT, 6 updates": (raft, RaftSmall(options.weights, updates=6)),
        "RAFT, shrink 2, 6 updates": (raft, RaftSmall(options.weights, updates=6, shrink=2)),
        "RAFT against Farneback": (Farneback(), raft),
    }
    table = Table(f"{len(clips)} clips of {options.size} pixels", "distance", "loss", "faster")
    for name, pair in rows.items():
        distance, loss, factor = compared(clips, *pair)
        table.add_row(name, f"{distance:.2f}", f"{100 * loss:+.1f} %", f"{factor:.1f}x")
    Console().print(table)


if __name__ == "__main__":
    main()
