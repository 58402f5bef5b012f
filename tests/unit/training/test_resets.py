"""Random resets of what a network remembers: drawn from seed and sample number, and real."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer

from vsr_lab.core.errors import UserError
from vsr_lab.data.batch import Batch
from vsr_lab.data.datamodule import Feed
from vsr_lab.models import Recurrent
from vsr_lab.training import VsrModule
from vsr_lab.training.module import resets_of


def _batch(number: int, frames: int = 200) -> Batch:
    return Batch(torch.zeros(1, frames, 3, 4, 4, dtype=torch.uint8), None, [{}], [number], ["x"], [0])


def test_the_same_batch_begins_anew_at_the_same_frames_whenever_it_comes() -> None:
    frames = resets_of(_batch(7), 0.1, seed=0)
    assert frames == resets_of(_batch(7), 0.1, seed=0)
    assert 5 < len(frames) < 40
    assert min(frames) >= 1
    assert frames != resets_of(_batch(8), 0.1, seed=0)
    assert frames != resets_of(_batch(7), 0.1, seed=1)
    assert resets_of(_batch(7), 0.0, seed=0) == []
    assert resets_of(_batch(7, 4), 1.0, seed=0) == [1, 2, 3]


def _losses(module: VsrModule, feed: Feed, numbers: list[int]) -> list[float]:
    batch = next(iter(feed.train(first=0, steps=1, rank=0, world=1)))
    trainer: Any = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    module.trainer = trainer
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    return [float(module.training_step(replace(batch, numbers=[n, n + 1]), 0)) for n in numbers]  # type: ignore


def test_a_reset_network_knows_nothing_of_the_frames_before(make_module: Callable[..., VsrModule], feed: Feed) -> None:
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    module = make_module(network)
    plain = _losses(module, feed, [0])[0]
    module.state_reset_prob = 1.0
    seen: list[int] = []
    network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[1]))
    assert _losses(module, feed, [0])[0] != plain
    assert seen == [1, 1, 1]


def test_a_chance_over_one_is_refused(make_module: Callable[..., VsrModule]) -> None:
    module = make_module(Recurrent(2, channels=4, blocks=1))
    with pytest.raises(UserError, match="is no chance"):
        VsrModule(
            module.network, module.objective, module.degradation, module.make_optimizer, module.make_scheduler, {}, {},
            measure_every=1, state_reset_prob=2.0,
        )  # fmt: skip
