"""What a training is asked for and cannot give is told before it starts."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import pytorch_lightning as pl
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.losses import Distillation, PingPong, Term
from vsr_lab.metrics import lr_consistency
from vsr_lab.models import AnimeSr, Compact
from vsr_lab.training import Validation, VsrModule


def test_a_metric_that_validation_cannot_measure_is_told() -> None:
    with pytest.raises(UserError, match=r"validation\.metrics\.lr_consistency: asks for degraded"):
        Validation({"lr_consistency": lr_consistency}, {"lr_consistency": 1.0})


def test_a_way_back_that_is_the_way_there_is_told(make_module: Callable[..., VsrModule]) -> None:
    with pytest.raises(UserError, match=r"loss\.terms\.ping_pong: asks for sr_backward"):
        make_module(Compact(2, 4, 1), ping_pong=PingPong())


def test_a_teacher_takes_crops_of_any_size(make_module: Callable[..., VsrModule]) -> None:
    """15 pixels of LR, where AnimeSR wants a multiple of 4."""
    module = make_module(Compact(2, 4, 1))
    module.objective.terms["distillation"] = Term(Distillation(), 1.0)
    module.recipe = replace(module.recipe, teacher=AnimeSr(2, 4))
    module.trainer = pl.Trainer(max_steps=1, accelerator="cpu", logger=False, enable_checkpointing=False)
    lr = torch.rand(1, 2, 3, 15, 18)
    assert module.extra_inputs(lr)["teacher_sr"]().shape == (1, 2, 3, 30, 36)
