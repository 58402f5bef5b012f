"""Schedules: the rates that they pass through."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsr_lab.core.errors import UserError
from vsr_lab.training import evened, one_cycle


@given(st.integers(1, 500), st.integers(1, 5000))
def test_the_last_validation_comes_at_the_end(every: int, steps: int) -> None:
    interval = evened(every, steps)
    validations = steps // interval
    assert 1 <= interval <= every
    assert steps - validations * interval < max(validations, 1)
    assert validations >= math.ceil(steps / every)


def test_validations_that_divide_the_training_stay_where_they_are() -> None:
    assert evened(300, 1200) == 300
    assert evened(300, 2600) == 288
    assert evened(100, 60) == 60


@pytest.mark.parametrize(("every", "steps"), [(0, 10), (-5, 10), (10, 0)])
def test_no_validation_at_all_is_told(every: int, steps: int) -> None:
    with pytest.raises(UserError, match=r"validation\.every"):
        evened(every, steps)


def test_one_cycle_takes_each_group_up_to_its_own_rate_and_down_again() -> None:
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [weights[0]], "lr": 1e-3}, {"params": [weights[1]], "lr": 1e-4}]
    optimizer = torch.optim.AdamW(groups)
    schedule = one_cycle(optimizer, total_steps=20, pct_start=0.25)
    seen = [schedule.get_last_lr()]
    for _ in range(19):
        optimizer.step()
        schedule.step()
        seen.append(schedule.get_last_lr())
    network, discriminator = zip(*seen, strict=True)
    assert max(network) == pytest.approx(1e-3)
    assert max(discriminator) == pytest.approx(1e-4)
    assert network.index(max(network)) == 4
    assert network[-1] < 1e-6
