"""Whether the confidence map of evidence mode shows where a prediction is wrong, on clips of which the truth is known.

    python benchmarks/confidence.py FOOTAGE

FOOTAGE: a folder with folders animation, screen_capture and others (live action), or a manifest with such names. For
each clip: Spearman's rank correlation of the uncertainty with the absolute error, per pixel and per block of 8x8
pixels, and that of its two parts; mean of the last frames of a window in the middle of the clip. LR by MATLAB's
bicubic, rounded, x2; the zoo's networks.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.network import FrameStream
from vsr_lab.core.resize import imresize
from vsr_lab.deployment.pipeline.evidence import FlipEnsemble, uncertainty
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.models import load_network

WEIGHTS = Path(__file__).parents[1] / "results" / "zoo" / "weights"
NETWORKS = {"animation": "animation_stream_nano_x2", "screen_capture": "screen_capture_nano_x2"}
LIVE_ACTION = "live_action_stream_nano_x2"
_FRAMES, _SKIPPED = 12, 4
_SIDES = (256, 320)
_BLOCK = 8


def correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation of two maps."""
    return float(spearmanr(one.flatten().numpy(), other.flatten().numpy()).statistic)


def measure(shot: Shot, name: str) -> list[float]:
    """Rank correlations with the error: per pixel, per block, of the spread and of the contradiction per block."""
    network, _ = load_network(WEIGHTS / f"{name}.safetensors")
    ensemble = FlipEnsemble(network.eval())
    middle, (height, width) = max(0, (shot.frames - _FRAMES) // 2), shot.size
    rows, columns = (
        slice((side - size) // 2, (side - size) // 2 + size)
        for side, size in ((height, min(height // 2 * 2, _SIDES[0])), (width, min(width // 2 * 2, _SIDES[1])))
    )
    hr = shot.read(middle, min(middle + _FRAMES, shot.frames)).tensor()[..., rows, columns]
    process, found = FrameStream(ensemble), list[list[float]]()
    for number, truth in enumerate(hr):
        lr = quantise(imresize(truth, 1 / network.scale))
        sr = process(lr).clamp(0, 1)
        if number < _SKIPPED:
            continue
        error, spread = (sr - truth).abs().mean(0), ensemble.spread
        doubt = uncertainty(lr, sr, spread)
        blocks, spreads, contradictions, errors = (
            F.avg_pool2d(plane[None, None], _BLOCK) for plane in (doubt, spread, doubt - spread, error)
        )
        pairs = [(doubt, error), (blocks, errors), (spreads, errors), (contradictions, errors)]
        found.append([correlation(*pair) for pair in pairs])
    return np.mean(found, 0).tolist()


def main() -> None:
    """Print a row for every clip."""
    torch.set_num_threads(1)
    table = Table("clip", "network", "per pixel", "per block", "block, spread alone", "block, contradiction alone")
    every = list[list[float]]()
    for shot in track(find_shots(Path(sys.argv[1])), "measuring", transient=True):
        name = NETWORKS.get(shot.name.partition("/")[0], LIVE_ACTION)
        every.append(measure(shot, name))
        table.add_row(shot.name, name, *(f"{value:.2f}" for value in every[-1]))
    table.add_row("mean", "", *(f"{value:.2f}" for value in np.mean(every, 0)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
