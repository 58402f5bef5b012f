"""Random resets of what a network remembers: drawn from seed and sample number, and real."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.data.batch import Batch
from vsr_lab.models import Recurrent
from vsr_lab.training import Recipe, VsrModule
from vsr_lab.training.module import resets_of


def _batch(number: int, frames: int = 200) -> Batch:
    return Batch(torch.zeros(1, frames, 3, 4, 4, dtype=torch.uint8), None, [{}], [number], ["x"], [0])


def test_the_same_batch_starts_again_at_the_same_frames_whenever_it_comes() -> None:
    frames = resets_of(_batch(7), 0.1, seed=0)
    assert frames == resets_of(_batch(7), 0.1, seed=0)
    assert 5 < len(frames) < 40
    assert min(frames) >= 1
    assert frames != resets_of(_batch(8), 0.1, seed=0)
    assert frames != resets_of(_batch(7), 0.1, seed=1)
    assert resets_of(_batch(7), 0.0, seed=0) == []
    assert resets_of(_batch(7, 4), 1.0, seed=0) == [1, 2, 3]


def _losses(module: VsrModule, data: pl.LightningDataModule, numbers: list[int]) -> list[float]:
    trainer: Any = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    batch = data.on_after_batch_transfer(next(iter(data.train(first=0, steps=1))), 0)
    module.trainer = trainer
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    return [float(module.training_step(replace(batch, numbers=[n, n + 1]), 0)) for n in numbers]  # type: ignore


def test_a_reset_network_knows_nothing_of_the_frames_before(
    make_module: Callable[..., VsrModule], data: pl.LightningDataModule
) -> None:
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    module = make_module(network)
    plain = _losses(module, data, [0])[0]
    module.recipe = replace(module.recipe, state_reset_prob=1.0)
    seen: list[int] = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[1]))
    assert _losses(module, data, [0])[0] != plain
    assert seen == [1, 1, 1]


def test_a_probability_over_one_is_refused() -> None:
    with pytest.raises(UserError, match=r"state_reset_prob: must be in \[0, 1\], got 2.0"):
        Recipe(state_reset_prob=2.0)
