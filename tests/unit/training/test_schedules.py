"""Schedules: the rates that they pass through."""

import pytest
import torch

from vsr_lab.training import one_cycle


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
