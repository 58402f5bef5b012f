"""Averaged weights follow a short training, and settle in a long one."""

import pytest
import torch

from vsr_lab.training import AveragedWeights


@pytest.mark.parametrize(("steps", "lowest", "highest"), [(30, 0.8, 1.0), (1, 0.8, 1.0)])
def test_few_steps_are_not_lost_in_a_slow_average(steps: int, lowest: float, highest: float) -> None:
    averaging = AveragedWeights(decay=0.999)
    averaged = [torch.zeros(3)]
    for step in range(steps):
        assert averaging.should_update(step_idx=step)
        averaging._average(averaged, [torch.ones(3)], None)
    assert lowest < averaged[0][0] <= highest


def test_after_many_steps_the_decay_is_the_one_that_was_asked_for() -> None:
    averaging = AveragedWeights(decay=0.9)
    averaging.should_update(step_idx=10_000)
    averaged = [torch.zeros(1)]
    averaging._average(averaged, [torch.ones(1)], None)
    torch.testing.assert_close(averaged[0], torch.tensor([0.1]))


def test_an_epoch_that_ends_averages_nothing() -> None:
    assert not AveragedWeights(decay=0.9).should_update(epoch_idx=3)
