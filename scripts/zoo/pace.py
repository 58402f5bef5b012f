"""What a frame costs: python scripts/zoo/pace.py NAME=KIND[:PATH] ... > results/zoo/judged/pace.md

LR of 320x180 pixels in, seconds of the median frame (of a whole clip over its frames where a network needs the future),
eager, float32, all cores. KIND: a yaml of configs/candidate.
"""

import sys
from collections import deque

import torch
from hydra import compose, initialize_config_dir

from vsr_lab.cli.app import build
from vsr_lab.cli.usage import config_dir
from vsr_lab.evaluation.scoring import Timed

FRAMES = 8


def main(words: list[str]) -> None:
    """Print a row for each candidate, in turn."""
    picture = torch.rand(3, 180, 320, generator=torch.Generator().manual_seed(0))
    clip = [picture.roll(frame, -1) for frame in range(FRAMES)]  # moves, and has no cut
    print(f"LR of 320x180 enlarged x4, float32, eager, {torch.get_num_threads()} threads of this CPU.\n")
    print("| candidate | ms a frame | parameters |\n|---|---|---|")
    for name, what in (word.split("=", 1) for word in words):
        kind, _, path = what.partition(":")
        own = [f"candidate={kind}", *([f"candidate.path={path}"] if path else [])]
        shared = ["suite=folder", "suite.root=x", "protocol=content-x4-bi-y", "run_dir=x"]
        candidate = build(compose("evaluate", [*own, *shared]).candidate)
        timed = Timed(candidate, "clip", clip)
        deque(timed, maxlen=0)
        parameters = (candidate.facts.parameters or 0) / 1e6
        print(f"| {name} | {1000 * timed.pace():.0f} | {parameters:.2f} M |", flush=True)


if __name__ == "__main__":
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        main(sys.argv[1:])
