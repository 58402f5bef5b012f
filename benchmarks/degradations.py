"""Degradations: milliseconds to degrade 15 x 256 x 256, of every yaml and of every step that one of them names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from timing import show, side_by_side

from vsr_lab.core.clip import quantise
from vsr_lab.degradations import (
    BlurDown,
    Compose,
    Degradation,
    GaussianBlur,
    MotionBlur,
    RandomApply,
    RandomChoice,
    apply_batch,
)
from vsr_lab.deployment.export import rollout_clip

CONFIGS = Path(__file__).parents[1] / "configs" / "degradation"
FRAMES, SIZE, SCALE, BATCH = 15, 256, 2, 4
ROUNDS = 5


def yamls() -> dict[str, Any]:
    """Every degradation's configuration, at x2."""
    every = {}
    for file in sorted(CONFIGS.glob("*.yaml")):
        node = OmegaConf.merge({"scale": SCALE}, OmegaConf.load(file))
        node.scale = SCALE
        plain = OmegaConf.to_container(node, resolve=True)
        assert isinstance(plain, dict)
        if plain["_target_"].endswith(("Compose", "RandomChoice")):
            del plain["scale"]
        every[file.stem] = plain
    return every


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every node with a `_target_`, at any depth."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for child in node.values():
            yield from nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from nodes(child)


def title(node: dict[str, Any]) -> str:
    """The class, and the word that makes it another one: a codec, a shape."""
    words = [node[key] for key in ("codec", "shape", "method") if key in node]
    return " ".join([node["_target_"].rpartition(".")[2], *words])


def work(degradation: Degradation, clip: torch.Tensor) -> None:
    """Three draws, since many steps cost what their parameters ask for."""
    for seed in range(3):
        degradation.apply(clip, degradation.sample(np.random.default_rng(seed)))


def table(name: str, degradations: dict[str, Degradation], clip: torch.Tensor) -> None:
    """Milliseconds a sample, the slowest first."""
    jobs = {key: lambda d=d: work(d, clip) for key, d in degradations.items()}
    seconds = side_by_side(jobs, rounds=ROUNDS)
    slow_first = dict(sorted(seconds.items(), key=lambda pair: -pair[1]))
    show(name, slow_first, next(key for key in ("bi", "ResizeDown bicubic") if key in seconds), 3, "sample")


def main() -> None:
    """Print two tables on one thread, as a worker has it, and what batching is worth."""
    torch.set_num_threads(1)
    clip = quantise(rollout_clip(FRAMES, SIZE, SIZE))
    every = yamls()
    table(
        f"whole degradations at x{SCALE}, {FRAMES}x{SIZE}x{SIZE}", {k: instantiate(v) for k, v in every.items()}, clip
    )
    steps: dict[str, Degradation] = {}
    for node in (found for config in every.values() for found in nodes(config)):
        step = instantiate(node)
        if not isinstance(step, (Compose, RandomChoice, RandomApply)):
            steps.setdefault(title(node), step)
    table(f"single steps, {FRAMES}x{SIZE}x{SIZE}", steps, clip)

    batch = torch.stack([clip] * BATCH)
    for step in (
        BlurDown(4, (0.8, 2), 13, phase=0, border="reflect"),
        GaussianBlur((0.5, 2), (1, 3)),
        MotionBlur((3, 12), curvature=(-0.5, 0.5)),
    ):
        drawn = [step.sample(np.random.default_rng(seed)) for seed in range(BATCH)]
        seconds = side_by_side(
            {
                "sample by sample": lambda s=step, d=drawn: apply_batch(s, batch, d),
                "all at once": lambda s=step, d=drawn: s.apply_each(batch, d),
            },
            rounds=ROUNDS,
        )
        show(f"{type(step).__name__}, a batch of {BATCH} on the CPU", seconds, "sample by sample", BATCH, "sample")


if __name__ == "__main__":
    main()
