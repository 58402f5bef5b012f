"""Parameters are frozen, or trained at rates of their own, by the patterns that their names match."""

import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.models import Compact
from vsr_lab.training import ParameterGroup, freeze, with_rates
from vsr_lab.training.optimization import one_cycle


def _adam(parts: list[dict[str, object]]) -> torch.optim.Optimizer:
    return torch.optim.Adam(parts, lr=1e-2)  # pyright: ignore[reportArgumentType]


def test_each_parameter_moves_at_the_rate_of_the_first_group_it_matches() -> None:
    network = Compact(2, 4, 1)
    groups = [ParameterGroup(match="body.0.*", rate=0.0), ParameterGroup(match="body.*", rate=0.1)]
    freeze(network, groups)
    trained = [p for p in network.parameters() if p.requires_grad]
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = with_rates(_adam, network, groups)([{"params": trained}])
    for parameter in trained:
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()  # the first of Adam moves by the rate
    moved = {name: (p - before[name]).abs().max().item() for name, p in network.named_parameters()}
    assert moved["body.0.weight"] == moved["body.0.bias"] == 0
    assert moved["body.2.weight"] == pytest.approx(1e-3, rel=1e-3)
    assert moved["head.weight"] == pytest.approx(1e-2, rel=1e-3)


def test_a_schedule_keeps_the_rates_apart() -> None:
    network = Compact(2, 4, 1)
    groups = [ParameterGroup(match="body.*", rate=0.1)]
    optimizer = with_rates(_adam, network, groups)([{"params": list(network.parameters())}])
    schedule = one_cycle(optimizer, 10, 0.3)
    for _ in range(5):
        slow, fast = sorted(group["lr"] for group in optimizer.param_groups)
        assert slow == pytest.approx(0.1 * fast)
        optimizer.step()
        schedule.step()


def test_no_groups_train_everything_as_it_was() -> None:
    network = Compact(2, 4, 1)
    freeze(network, [])
    assert all(p.requires_grad for p in network.parameters())
    assert with_rates(_adam, network, []) is _adam


def test_patterns_without_a_match_and_rates_under_0_are_errors() -> None:
    with pytest.raises(UserError, match="bodi"):
        freeze(Compact(2, 4, 1), [ParameterGroup(match="bodi.*", rate=0.0)])
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        ParameterGroup(match="body.*", rate=-0.1)
