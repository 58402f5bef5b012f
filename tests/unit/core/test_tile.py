"""Tiles give what the whole frame gives, as long as they see as far."""

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.network import Network, State, StreamingNetwork, stream
from vsr_lab.core.tile import Tiled
from vsr_lab.models import Compact, Recurrent


def _random(network: Network) -> Network:
    """With weights everywhere: a network's head begins at zero and would hide the rest."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    return network.eval()


@pytest.mark.parametrize("size", [(8, 8), (20, 29), (33, 17)])
def test_tiles_of_a_frame_network_equal_the_whole(size: tuple[int, int]) -> None:
    network = _random(Compact(2, channels=4, layers=1))  # three 3x3 convolutions: it sees 3 pixels far
    lr = torch.rand(1, 1, 3, *size)
    assert torch.allclose(Tiled(network, 8, 3)(lr), network(lr), atol=1e-6)


def test_too_little_overlap_shows() -> None:
    network = _random(Compact(2, channels=4, layers=1))
    lr = torch.rand(1, 1, 3, 20, 29)
    assert (Tiled(network, 8, 1)(lr) - network(lr)).abs().max() > 1e-4


def test_tiles_of_a_recurrent_network_equal_the_whole() -> None:
    # Entry, one block of two, hidden and head: 5 pixels a frame at most, through two frames.
    network = _random(Recurrent(2, channels=4, blocks=1))
    lr = torch.rand(1, 2, 3, 28, 31)
    assert torch.allclose(Tiled(network, 10, 10)(lr), network(lr), atol=1e-5)


class Counter(StreamingNetwork):
    """Adds up what each pixel has been."""

    scale = 1

    def zero_state(self, lr: Tensor) -> State:
        return torch.zeros_like(lr), torch.zeros_like(lr)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        total, steps = state[0] + lr, state[1] + 1
        return total + 1000 * steps, (total, steps)


def test_every_tile_keeps_a_state_of_its_own() -> None:
    frames = torch.rand(4, 3, 11, 13)
    tiled = list(stream(Tiled(Counter(), 4, 2), frames))
    assert torch.allclose(torch.stack(tiled), torch.stack(list(stream(Counter(), frames))))
    assert torch.allclose(tiled[-1], frames.sum(0) + 4000)


def test_every_tile_warms_up_on_its_own_part_of_the_first_frame() -> None:
    network, frames = Counter(), torch.rand(2, 3, 11, 13)
    network.warm_up = 2
    tiled = torch.stack(list(stream(Tiled(network, 4, 2), frames)))
    assert torch.allclose(tiled, torch.stack(list(stream(network, frames))))
    assert torch.allclose(tiled[0], 3 * frames[0] + 3000)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-8, 0), (8, -1), (6, 0), (8, 2)])
def test_sizes_that_the_network_cannot_take_are_refused(size: int, overlap: int) -> None:
    network = Counter()
    network.size_multiple = 4
    with pytest.raises(ValueError, match="multiples of 4"):
        Tiled(network, size, overlap)


def test_tiled_says_what_the_network_says() -> None:
    network = Compact(3, 4, 1)
    network.size_multiple = 4
    tiled = Tiled(network, 8, 4)
    assert (tiled.scale, tiled.size_multiple, tiled.lookahead) == (3, 4, 0)
