"""Weights between those a training began with, or a sibling's, and those it ended with.

    python scripts/zoo/blend.py OTHER TUNED SHARE RUNS/NAME/network.safetensors

SHARE of TUNED (0 to 1), the rest of OTHER: a published file, or a run's network.safetensors of the same ancestry. What
a short training on narrow footage gains is mostly kept, and what it loses elsewhere mostly not ("Robust fine-tuning of
zero-shot models" and "Model soups", Wortsman et al. 2022).
"""

import sys
from pathlib import Path

import torch

from vsr_lab.models import build_network, init_network, load_network, save_network


def main(other: Path, tuned: Path, share: float, out: Path) -> None:
    """Write the blended weights, with tuned's note and what they were blended of."""
    network, note = load_network(tuned)
    rest = build_network(note["network"])
    init_network(rest, other)
    with torch.no_grad():
        for weight, another in zip(network.parameters(), rest.parameters(), strict=True):
            weight.lerp_(another, 1 - share)
    out.parent.mkdir(parents=True, exist_ok=True)
    about, name = note["about"], other.parent.name if other.suffix == ".safetensors" else other.name
    told = f"{share:.0%} of ({about.get('blend', about['name'])}), the rest {name}"
    save_network(network, note["network"], about | {"name": out.parent.name, "blend": told}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
