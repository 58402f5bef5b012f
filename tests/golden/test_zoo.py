"""The zoo's weights: what lies in results/zoo/weights loads, has its card and does what the card says."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.luma import quantise
from vsr_lab.core.network import Network, StreamingNetwork
from vsr_lab.core.resize import BicubicUpsample, imresize
from vsr_lab.core.stream import stream
from vsr_lab.metrics import psnr
from vsr_lab.models import load_network, read_note
from vsr_lab.synthesis.screen import render_screen

ZOO = Path(__file__).parents[2] / "results/zoo"
WEIGHTS = sorted((ZOO / "weights").glob("*.safetensors"))
SEEDS = (9001, 9004)  # the zoo was trained on others


@cache
def screen(seed: int) -> Tensor:
    """A rendered screen, T 3 H W."""
    frames = np.stack(list(render_screen(seed, 3, 240, 320)))
    return torch.from_numpy(frames).permute(0, 3, 1, 2) / 255


def _enlarged(network: Network | BicubicUpsample, lr: Tensor) -> Tensor:
    """lr and what comes of it, T 3 H W."""
    if isinstance(network, StreamingNetwork):
        return torch.stack(list(stream(network, lr)))
    return network(lr[None])[0] if isinstance(network, Network) else network(lr)


def decibels(network: Network | BicubicUpsample, scale: int) -> float:
    """Mean PSNR-Y on the screens."""
    found = list[float]()
    for seed in SEEDS:
        hr = screen(seed)
        lr = quantise(imresize(hr, 1 / scale))
        with torch.inference_mode():
            sr = _enlarged(network, lr)
        found.append(float(psnr(quantise(sr)[None], hr[None], colour="y").mean()))
    return sum(found) / len(found)


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_weights_are_small_and_have_a_card_and_a_row(path: Path) -> None:
    about = read_note(path)["about"]
    assert path.stat().st_size < 16 * 2**20
    assert not Path(about["footage"]).is_absolute()
    assert f"# {path.stem}" in path.with_suffix(".md").read_text()
    assert f"**{path.stem}**" in (ZOO.parent / "leaderboard.md").read_text()


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_weights_beat_bicubic_even_on_screens_that_no_one_trained_on(path: Path) -> None:
    network, _ = load_network(path)
    assert decibels(network, network.scale) > decibels(BicubicUpsample(network.scale), network.scale) + 0.5
