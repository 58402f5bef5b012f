"""How many frames a streaming network needs to come close to its result in the middle of a video.

    python benchmarks/lead_in.py FOOTAGE

FOOTAGE: a folder or manifest. For each clip, a network of the zoo runs from the first frame, and again from K frames
before a segment: PSNR between the two results, of the worst frame of the segment.
"""

import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from vsr_lab.core.network import FrameStream, StreamingNetwork
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.models import load_network

WEIGHTS = Path(__file__).parents[1] / "results" / "zoo" / "weights"
NETWORKS = ("live_action_stream_nano_x2", "animation_stream_nano_x2")
COUNTS = (0, 1, 2, 4, 8, 16, 32)
_FRAMES, _SEGMENT = 72, 4
_SIDES = (128, 160)


def decibels(one: Tensor, other: Tensor) -> float:
    """PSNR of two frames in 8 bits; 100 for equal ones."""
    one, other = (frame.clamp(0, 1).mul(255).round() for frame in (one, other))
    return min(100.0, float(20 * torch.log10(255 / (one - other).square().mean().sqrt())))


def measure(shot: Shot, network: StreamingNetwork) -> list[float]:
    """PSNR of the worst frame of the segment, for each of COUNTS that the clip is long enough for."""
    y, x = ((side - least) // 2 if side > least else 0 for side, least in zip(shot.size, _SIDES, strict=True))
    lr = shot.read(0, min(shot.frames, _FRAMES)).tensor()[..., y : y + _SIDES[0], x : x + _SIDES[1]]
    first = len(lr) - _SEGMENT
    process = FrameStream(network)
    serial = [process(frame) for frame in lr][first:]
    found = list[float]()
    for count in (count for count in COUNTS if count <= first):
        process = FrameStream(network)
        results = [process(frame) for frame in lr[first - count :]][count:]
        found.append(min(decibels(one, other) for one, other in zip(serial, results, strict=True)))
    return found


def main() -> None:
    """Print a row for every clip and network."""
    torch.set_num_threads(1)
    table = Table("clip", "network", *map(str, COUNTS))
    for name in NETWORKS:
        network, _ = load_network(WEIGHTS / f"{name}.safetensors")
        assert isinstance(network, StreamingNetwork)
        for shot in track(find_shots(Path(sys.argv[1])), name, transient=True):
            row = [f"{value:.1f}" for value in measure(shot, network.eval())]
            table.add_row(shot.name, name, *row, *[""] * (len(COUNTS) - len(row)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
