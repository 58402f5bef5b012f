"""What is seen of a resumed run, and what validation measures."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from vsr_lab.core.flow import Farneback
from vsr_lab.data.batch import Batch
from vsr_lab.losses import Flicker, Objective, Term
from vsr_lab.metrics import reference_motion
from vsr_lab.models import Compact
from vsr_lab.training import Recipe, TrainingBar, Validation, VsrModule


def test_the_bar_counts_to_the_end_of_the_whole_training() -> None:
    bar = TrainingBar()
    bar._trainer = SimpleNamespace(num_training_batches=64, max_epochs=-1, max_steps=64, global_step=16)  # type: ignore[assignment]
    assert bar.total_train_batches == 64


@pytest.mark.slow
def test_training_imports_no_wandb() -> None:
    code = "import sys, vsr_lab.cli.train; sys.exit('wandb' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("shrink", [1, 2])
def test_flicker_is_measured_along_one_motion_whatever_the_loss_uses(shrink: int) -> None:
    objective = Objective({"flicker": Term(Flicker(), 1.0)}, Farneback(shrink))
    module = VsrModule(Compact(2, 4, 1), objective, Recipe(), validation=Validation())
    hr = torch.rand(1, 3, 3, 32, 32)
    batch = Batch(hr, None, [{}], [5], ["a"], [0])
    expected = reference_motion(hr)
    for part, other in zip(module._motion(batch), expected, strict=True):
        assert torch.equal(part, other)
    batch.hr = torch.zeros_like(hr)  # the same clip comes again: its motion is kept
    assert torch.equal(module._motion(batch).backward, expected.backward)
