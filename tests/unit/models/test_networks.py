"""The network contract, kept by every network on the shelf."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.resize import imresize
from vsr_lab.models import Compact, Interpolation, Recurrent, RecurrentFlow

MAKE: dict[str, Callable[[], StreamingNetwork]] = {
    "compact x2": lambda: Compact(2, channels=4, layers=1),
    "compact x3": lambda: Compact(3, channels=4, layers=1),
    "recurrent x2": lambda: Recurrent(2, channels=4, blocks=1),
    "recurrent x4": lambda: Recurrent(4, channels=4, blocks=2),
    "recurrent with flow": lambda: RecurrentFlow(4, channels=4, blocks=1, flow_channels=4),
    "recurrent warmed up": lambda: Recurrent(2, channels=4, blocks=1, warm_up=2),
}
INTERPOLATE = {name: lambda name=name: Interpolation(2, name) for name in ("nearest", "bilinear", "bicubic", "lanczos")}
trained = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
each = pytest.mark.parametrize("make", [*MAKE.values(), *INTERPOLATE.values()], ids=[*MAKE, *INTERPOLATE])

Make = Callable[[], StreamingNetwork]


def _random(network: StreamingNetwork) -> StreamingNetwork:
    """With weights everywhere: the heads begin at zero and would hide the rest."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    return network


def _clip(*size: int) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(1))


@each
def test_forward_is_the_unrolled_step(make: Make) -> None:
    network = _random(make())
    lr = _clip(2, 4, 3, 9, 11)
    state = network.initial_state(lr[:, 0])
    for t, sr in enumerate(network(lr).unbind(1)):
        stepped, state = network.step(lr[:, t], state)
        assert torch.allclose(sr, stepped, atol=1e-6)


@each
def test_a_stream_gives_what_forward_gives(make: Make) -> None:
    network = _random(make())
    lr = _clip(4, 3, 9, 11)
    assert torch.allclose(torch.stack(list(stream(network, lr))), network(lr[None])[0], atol=1e-6)


@each
@pytest.mark.parametrize("size", [(1, 1, 3, 7, 5), (2, 3, 3, 16, 9)])
def test_any_size_is_enlarged_by_the_scale(make: Make, size: tuple[int, ...]) -> None:
    network = make()
    s = network.scale
    assert network(_clip(*size)).shape == (*size[:3], size[3] * s, size[4] * s)


@trained
def test_training_starts_from_bicubic(make: Make) -> None:
    network = make()
    lr = _clip(1, 3, 3, 8, 10)
    assert torch.allclose(network(lr), imresize(lr, network.scale), atol=1e-6)


@trained
def test_every_parameter_is_reached_by_the_gradient_of_three_frames(make: Make) -> None:
    network = _random(make())
    network(_clip(1, 3, 3, 8, 10)).square().mean().backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert idle == []


@trained
def test_the_first_step_of_training_moves_the_head(make: Make) -> None:
    """It starts at zero: a zero gradient there would keep it so for ever."""
    network = make()
    network(_clip(1, 2, 3, 8, 10)).square().mean().backward()
    gradients = {name: p.grad for name, p in network.named_parameters()}
    assert gradients["head.weight"] is not None
    assert gradients["head.weight"].abs().max() > 0


@each
def test_no_frame_knows_the_future(make: Make) -> None:
    network = _random(make())
    lr = _clip(1, 4, 3, 8, 10)
    other = torch.cat([lr[:, :2], 1 - lr[:, 2:]], 1)
    assert torch.equal(network(lr)[:, :2], network(other)[:, :2])
    assert network.lookahead == 0


@each
def test_clips_of_a_batch_do_not_mix(make: Make) -> None:
    network = _random(make())
    lr = _clip(2, 3, 3, 8, 10)
    alone = torch.cat([network(clip[None]) for clip in lr])
    assert torch.allclose(network(lr), alone, atol=1e-6)


def test_a_recurrent_network_remembers_and_a_compact_one_does_not() -> None:
    lr = _clip(1, 3, 3, 8, 10)
    other = torch.cat([1 - lr[:, :1], lr[:, 1:]], 1)
    recurrent, compact = _random(Recurrent(2, 4, 1)), _random(Compact(2, 4, 1))
    assert (recurrent(lr)[:, 2] - recurrent(other)[:, 2]).abs().max() > 1e-4
    assert torch.equal(compact(lr)[:, 2], compact(other)[:, 2])


@pytest.mark.parametrize("part", range(3), ids=["previous frame", "hidden", "previous residual"])
def test_each_part_of_the_memory_is_kept_and_used(part: int) -> None:
    network = _random(Recurrent(2, 4, 1))
    lr = _clip(1, 2, 3, 8, 10)
    _, state = network.step(lr[:, 0], network.zero_state(lr[:, 0]))
    assert state[part].abs().max() > 1e-3
    without = tuple(torch.zeros_like(s) if i == part else s for i, s in enumerate(state))
    assert (network.step(lr[:, 1], state)[0] - network.step(lr[:, 1], without)[0]).abs().max() > 1e-5


def test_warming_up_is_having_seen_the_first_frame_stand_still() -> None:
    cold, warm = _random(Recurrent(2, 4, 1)), _random(Recurrent(2, 4, 1, warm_up=3))
    lr = _clip(1, 2, 3, 8, 10)
    still = lr[:, :1].expand(-1, 3, -1, -1, -1)
    assert torch.allclose(warm(lr), cold(torch.cat([still, lr], 1))[:, 3:], atol=1e-6)
    assert (warm(lr) - cold(lr)).abs().max() > 1e-4


@pytest.mark.parametrize("method", INTERPOLATE)
def test_interpolation_is_imresize(method: str) -> None:
    lr = _clip(1, 2, 3, 6, 7)
    assert torch.equal(Interpolation(2, method)(lr), imresize(lr, 2, method))


def test_the_bicubic_skip_is_no_weight() -> None:
    assert not any("skip" in name for name in Compact(2, 4, 1).state_dict())
