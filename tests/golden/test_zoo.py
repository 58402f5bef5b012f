"""The zoo's weights: what lies in its folders loads, has its card and does what the card says."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import quantise
from vsr_lab.core.network import Network, StreamingNetwork, stream
from vsr_lab.core.resize import BicubicUpsample, imresize
from vsr_lab.metrics import psnr
from vsr_lab.models import load_network, read_note
from vsr_lab.synthesis.screen import render_screen

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "results/zoo"
WEIGHTS = sorted((ZOO / "weights").glob("*.safetensors"))
ROBUST = sorted((ZOO / "robust").glob("*.safetensors"))
PERCEPTUAL = sorted((ZOO / "perceptual").glob("*.safetensors"))
SEEDS = (9001, 9004)  # the zoo was trained on others


@cache
def screen(seed: int) -> Tensor:
    """A rendered screen, T 3 H W."""
    frames = np.stack(list(render_screen(seed, 3, height=240, width=320)))
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


@pytest.mark.parametrize("path", [*WEIGHTS, *ROBUST, *PERCEPTUAL], ids=lambda path: path.stem)
def test_the_card_is_that_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts/zoo"))
    from publish import NAME, STARTS, page

    found = NAME.fullmatch(path.stem)
    about = read_note(path)["about"]
    assert found is not None
    assert (about["content"], about["scale"]) == (found["content"], int(found["scale"]))
    assert bool(found["kind"]) == (path not in WEIGHTS)
    assert (path in ROBUST) == bool(about["card"].get("degraded"))
    assert (path in PERCEPTUAL) == (found["kind"] == "perceptual") == bool(about["card"].get("perceptual"))
    trained_with = "adversarial" if path in PERCEPTUAL else "fidelity"
    assert about["trained_with"] == about["card"]["trained_with"] == trained_with
    assert path.stat().st_size < 2 * 2**20
    text = path.with_suffix(".md").read_text()
    assert text == page(path), "python scripts/zoo/publish.py cards"
    card = about["card"]
    for fact in (
        STARTS[card["start"]],
        card["machine"],
        f"seed {card['seed']}",
        " parameters",
        " ms a frame",
        *card["data"],
    ):
        assert fact in text
    assert all(line in text for line in card["command"].splitlines())


def test_every_file_has_a_card_and_every_card_a_file() -> None:
    for folder, files in (("weights", WEIGHTS), ("robust", ROBUST), ("perceptual", PERCEPTUAL)):
        assert {path.with_suffix(".md") for path in files} == set((ZOO / folder).glob("*.md"))


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda path: path.stem)
def test_weights_beat_bicubic_even_on_screens_that_no_one_trained_on(path: Path) -> None:
    network, _ = load_network(path)
    assert decibels(network, network.scale) > decibels(BicubicUpsample(network.scale), network.scale) + 0.5
