"""Two sides learn from one backward pass, and neither sees the other's gradients."""

import copy

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.flow import Farneback
from vsr_lab.losses import L1, Hinge, Objective, SpatioTemporal, Term
from vsr_lab.models import Recurrent
from vsr_lab.training import AdversarialModule, Recipe, Validation


@pytest.fixture
def module() -> AdversarialModule:
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1)
    nn.init.normal_(network.head.weight, std=0.1)
    term = Term(Hinge(SpatioTemporal(channels=4), 3e-4), weight=0.5, start=0.4)
    objective = Objective({"l1": Term(L1(), 1.0), "adversarial": term}, Farneback())
    return AdversarialModule(network, objective, Recipe(), validation=Validation())


def _grads(module: nn.Module) -> list[Tensor | None]:
    return [p.grad for p in module.parameters()]


def test_each_side_gets_the_gradients_of_its_own_loss(module: AdversarialModule) -> None:
    alone = copy.deepcopy(module)
    hr = torch.rand(1, 4, 3, 32, 32)
    lr = nn.functional.avg_pool3d(hr, (1, 2, 2))
    total, parts = module.losses(module.network(lr), hr, lr, progress=0.5, measured=False)
    total.backward()
    assert list(parts) == ["l1", "adversarial", "discriminator"]

    *_, loss = alone.objective.adversarial_term()
    sr, motion = alone.network(lr), Farneback()(hr)
    (L1()(sr, hr) + 0.5 * loss(sr, hr, lr, motion)).backward()
    for ours, theirs in zip(_grads(module.network), _grads(alone.network), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-9)
    loss.zero_grad()
    loss.discriminator_loss(sr, hr, lr, motion).backward()
    # Spectral norm goes one step of its iteration with every clip seen, the same steps on both ways.
    for ours, theirs in zip(_grads(module.objective), _grads(alone.objective), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-9)


def test_before_its_start_neither_side_takes_part(module: AdversarialModule) -> None:
    hr = torch.rand(1, 4, 3, 32, 32)
    lr = nn.functional.avg_pool3d(hr, (1, 2, 2))
    total, parts = module.losses(module.network(lr), hr, lr, progress=0.3, measured=False)
    total.backward()
    assert list(parts) == ["l1"]
    assert all(grad is None for grad in _grads(module.objective))


def test_two_groups_of_weights_with_rates_of_their_own_and_clipped_apart(module: AdversarialModule) -> None:
    network, discriminator = module.parameter_groups()
    optimizer = torch.optim.AdamW([network, discriminator], lr=1e-3)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 3e-4]
    for size, group in zip((0.01, 100.0), optimizer.param_groups, strict=True):
        for parameter in group["params"]:
            parameter.grad = torch.full_like(parameter, size)
    module.configure_gradient_clipping(optimizer, 5.0, "norm")
    assert module.network.head.bias.grad[0].item() == pytest.approx(0.01)  # small as it was
    norm = torch.cat([p.grad.flatten() for p in module.objective.parameters()]).norm().item()
    assert norm == pytest.approx(5.0, rel=1e-4)
