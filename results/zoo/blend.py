"""Weights between a published network's and those it was trained on to.

    python results/zoo/blend.py BasicVSR_Vimeo90K_BIx4.pth TUNED.safetensors SHARE OUT.safetensors

SHARE of TUNED (0 to 1), the rest of the published one ("Robust fine-tuning of zero-shot models", Wortsman et al. 2022):
what a short training on narrow footage gains there is mostly kept, and what it loses elsewhere mostly not.
"""

import sys
from pathlib import Path

import torch

from vsr_lab.core.network import Network
from vsr_lab.models import init_network, load_network, save_network


def blend(published: Path, tuned: Path, share: float) -> tuple[Network, dict[str, object]]:
    """The network between the two, and the note of the tuned one with the share in it."""
    network, note = load_network(tuned)
    begun, _ = load_network(tuned)
    init_network(begun.float(), published)
    with torch.no_grad():
        for weight, first in zip(network.float().parameters(), begun.parameters(), strict=True):
            weight.lerp_(first, 1 - share)
    return network, note | {"about": note["about"] | {"share": share}}


def main(published: str, tuned: str, share: str, out: str) -> None:
    """Write the blended weights, with how to build their network inside."""
    network, note = blend(Path(published), Path(tuned), float(share))
    save_network(network, note["network"], note["about"], Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
