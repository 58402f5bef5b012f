"""What a training is asked for and cannot give is told before it starts."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.losses import Distillation, PingPong, Term
from vsr_lab.metrics import lr_consistency
from vsr_lab.models import AnimeSr, Compact, Recurrent, add_branches
from vsr_lab.training import Validation, VsrModule


def test_a_metric_that_validation_cannot_measure_is_told() -> None:
    with pytest.raises(UserError, match=r"validation\.metrics\.lr_consistency: needs degraded"):
        Validation({"lr_consistency": lr_consistency}, {"lr_consistency": 1.0})


def test_a_way_back_that_is_the_way_there_is_told(make_module: Callable[..., VsrModule]) -> None:
    with pytest.raises(UserError, match=r"loss\.terms\.ping_pong: needs sr_backward"):
        make_module(Compact(2, 4, 1), ping_pong=PingPong())


def test_a_teacher_takes_crops_of_any_size(make_module: Callable[..., VsrModule]) -> None:
    """15 pixels of LR, where AnimeSR wants a multiple of 4."""
    module = make_module(Compact(2, 4, 1))
    module.objective.terms["distillation"] = Term(Distillation(), 1.0)
    module.recipe = replace(module.recipe, teacher=AnimeSr(2, 4))
    module.trainer = pl.Trainer(max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False)
    lr = torch.rand(1, 2, 3, 15, 18)
    assert module.extra_inputs(lr)["teacher_sr"]().shape == (1, 2, 3, 30, 36)


@pytest.mark.parametrize("again", [False, True])
def test_branches_get_the_same_gradients_merged_once_or_at_every_frame(
    make_module: Callable[..., VsrModule], again: bool
) -> None:
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1)
    add_branches(network)
    network.checkpoint_activations = again
    module = make_module(network)
    module.trainer = pl.Trainer(max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False)
    lr = torch.rand(1, 3, 3, 8, 8)
    module._run(network, lr).square().sum().backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    network.checkpoint_activations = False
    network(lr).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert torch.allclose(found[name], parameter.grad, rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("broken", [False, True])
def test_a_clip_without_flicker_does_not_hide_the_score_of_the_others(
    make_module: Callable[..., VsrModule], data: pl.LightningDataModule, broken: bool
) -> None:
    """Where nothing stays visible, flicker has no value; a network without values still gets no score."""
    module = make_module(Compact(2, 4, 1))
    module.validation = Validation()
    if broken:
        torch.nn.init.constant_(next(module.network.parameters()), float("nan"))
    data.validation = data.train(first=0, steps=2)  # type: ignore[attr-defined]
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    both = trainer.validate(module, data, verbose=False)[0]
    numbers, motion = next(iter(module._motions.items()))
    module._motions[numbers] = motion._replace(mask=torch.zeros_like(motion.mask))
    other = trainer.validate(module, data, verbose=False)[0]
    assert math.isnan(other["val/score"]) == math.isnan(other["val/flicker"]) == broken
    if not broken:
        assert other["val/psnr"] == both["val/psnr"]
        assert other["val/flicker"] != both["val/flicker"]
