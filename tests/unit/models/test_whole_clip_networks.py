"""Networks that need the future: how far each looks, and published weights taken in whole or not at all."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import backward_warp
from vsr_lab.core.network import Network
from vsr_lab.core.resize import imresize
from vsr_lab.models import AnimeSr, BasicVsr, BasicVsrPp, load_animesr, load_basicvsr
from vsr_lab.models.flow import FlowNet, SpyNet


def _clip(frames: int = 5, height: int = 12, width: int = 16) -> Tensor:
    return torch.rand(1, frames, 3, height, width, generator=torch.Generator().manual_seed(0))


def _awake(network: Network) -> Network:
    torch.manual_seed(0)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, 0, 0.02)
    return network.eval()


def _reach(network: Network, frames: int) -> Tensor:
    """[t, s]: whether changing frame s changes the output at t."""
    lr = _clip(frames)
    with torch.no_grad():
        before = network(lr)
        rows: list[Tensor] = []
        for s in range(frames):
            other = lr.clone()
            other[:, s] = 1 - other[:, s]
            rows.append((network(other) - before).abs().amax((0, 2, 3, 4)) > 0)
    return torch.stack(rows, 1)


@pytest.mark.parametrize(
    "network", [BasicVsr(2, 8, 1, width=8), BasicVsrPp(2, 32, 1, width=8)], ids=["first", "second"]
)
def test_features_travel_through_the_whole_clip_both_ways(network: Network) -> None:
    assert network.lookahead is None
    assert _reach(_awake(network), 4).all()


def test_animesr_sees_the_past_and_one_frame_ahead() -> None:
    network = _awake(AnimeSr(channels=4))
    assert torch.equal(_reach(network, 5), torch.ones(5, 5, dtype=torch.bool).tril(1))


@pytest.mark.parametrize(("make", "millions"), [(BasicVsr, 6.29), (BasicVsrPp, 7.32)])
def test_default_sizes_are_the_papers(make: type[Network], millions: float) -> None:
    assert sum(p.numel() for p in make().parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_the_shared_flow_network_is_small() -> None:
    assert sum(p.numel() for p in FlowNet(32).parameters()) < 0.3e6


def test_the_shared_flow_network_learns_to_see_a_shift() -> None:
    torch.manual_seed(0)
    network = FlowNet(16)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    texture = imresize(torch.rand(1, 3, 16, 16), 4)
    here, there = texture[..., 8:56, 8:56], texture[..., 8:56, 6:54]  # what is at x here is at x + 2 there
    for _ in range(80):
        optimizer.zero_grad()
        (backward_warp(there, network(here, there)) - here).abs().mean().backward()
        optimizer.step()
    flow = network(here, there)[..., 8:-8, 8:-8].mean((0, 2, 3))
    assert flow[0].item() == pytest.approx(2, abs=0.3)
    assert flow[1].item() == pytest.approx(0, abs=0.3)


def test_spynet_flow_is_scaled_with_the_picture() -> None:
    """Sizes that are no multiple of 32 are stretched to one, and the flow is measured in the caller's pixels."""
    network = SpyNet().eval()
    for level in network.levels:
        last = list(level.children())[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    list(network.levels[-1].children())[-1].bias.data.fill_(1.0)
    flow = network(torch.rand(1, 3, 48, 80), torch.rand(1, 3, 48, 80))
    assert torch.allclose(flow[:, 0], torch.tensor(80 / 96))
    assert torch.allclose(flow[:, 1], torch.tensor(48 / 64))


def test_flows_of_a_clip_are_those_of_its_pairs() -> None:
    torch.manual_seed(0)
    network = SpyNet(levels=2).eval()
    clip = torch.rand(2, 18, 3, 6, 9)
    to_earlier, to_later = network.both_ways(clip)
    assert len(to_earlier) == len(to_later) == 17
    for t in (1, 16, 17):
        assert torch.allclose(to_earlier[t - 1], network(clip[:, t], clip[:, t - 1]), atol=1e-5)
        assert torch.allclose(to_later[t - 1], network(clip[:, t - 1], clip[:, t]), atol=1e-5)
    assert network.both_ways(clip[:, :1]) == ([], [])


@pytest.mark.parametrize("load", [load_basicvsr, load_animesr])
def test_published_weights_that_do_not_fit_are_refused(load, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(UserError, match="not found"):
        load(path)
    torch.save({"params": {"conv_last.weight": torch.zeros(3, 64, 3, 3)}}, path)
    with pytest.raises(UserError, match="another architecture"):
        load(path)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match="is damaged, compressed, or contains more than tensors and numbers"):
        load(path)
    torch.save({"params": {"network": nn.Linear(1, 1)}}, path)  # a pickle that could run code
    with pytest.raises(UserError, match="is damaged, compressed, or contains more than tensors and numbers"):
        load(path)
    torch.save([1, 2], path)
    with pytest.raises(UserError, match="contains no weights"):
        load(path)
