"""A training begins with weights from whatever holds them, all of them or none."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.models import AnimeSr, BasicVsr, Recurrent, init_network, save_network

SPEC = {"_target_": "vsr_lab.models.Recurrent", "scale": 2, "channels": 4, "blocks": 1}


def _network(seed: int) -> Recurrent:
    torch.manual_seed(seed)
    network = Recurrent(2, channels=4, blocks=1)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    return network


def _safetensors(network: Network, folder: Path) -> Path:
    save_network(network, {}, folder / "network.safetensors")
    return folder / "network.safetensors"


def _bundle_or_run(network: Network, folder: Path) -> Path:
    return _safetensors(network, folder).parent


def _checkpoint(network: Network, folder: Path) -> Path:
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"global_step": 7, "state_dict": {**state, "skipped": torch.tensor(0)}}, folder / "last.ckpt")
    return folder / "last.ckpt"


@pytest.mark.parametrize("write", [_safetensors, _bundle_or_run, _checkpoint])
def test_weights_come_from_every_file_of_ours(write: Callable[[Network, Path], Path], tmp_path: Path) -> None:
    theirs, ours = _network(1), _network(2)
    init_network(ours, write(theirs, tmp_path))
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)
    assert ours.training


# BasicVSR's names here, and its authors'.
_THEIRS = {
    r"flow\.levels\.(\d)": r"spynet.basic_module.\1.basic_module",
    r"flow\.(mean|std)": r"spynet.\1",
    r"(\w+_trunk)\.entry": r"\1.main.0",
    r"(\w+_trunk)\.blocks\.(\d+)\.first": r"\1.main.2.\2.conv1",
    r"(\w+_trunk)\.blocks\.(\d+)\.second": r"\1.main.2.\2.conv2",
    r"enlarger\.up\.0": "upconv1",
    r"enlarger\.up\.1": "upconv2",
    r"enlarger\.high": "conv_hr",
    r"enlarger\.last": "conv_last",
}


def _theirs(name: str) -> str:
    for ours, theirs in _THEIRS.items():
        name = re.sub(f"^{ours}", theirs, name)
    return name


def test_published_weights_fill_the_network_they_were_published_for(tmp_path: Path) -> None:
    theirs, ours = BasicVsr(4, 8, 2, width=8), BasicVsr(4, 8, 2, width=8)
    torch.save({"params": {_theirs(n): t for n, t in theirs.state_dict().items()}}, tmp_path / "weights.pth")
    init_network(ours, tmp_path / "weights.pth")
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


@pytest.mark.parametrize("name", ["none.safetensors", "none.ckpt", "none.pth", "none"])
def test_a_missing_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"{name}: not found"):
        init_network(_network(0), tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"folder/network\.safetensors: not found"):
        init_network(_network(0), tmp_path / "folder")


def test_what_holds_no_weights_or_others_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    told = {
        "is damaged, compressed, or contains more than tensors and numbers": {"state_dict": nn.Linear(1, 1)},
        "contains no weights": [1, 2],
        "not a checkpoint of vsr-lab train": {"state_dict": {"weight": torch.zeros(1)}},
        "only the networks BasicVsr, AnimeSr, Span, SpanStream can load": {"params": {"weight": torch.zeros(1)}},
        "another architecture": {"state_dict": {"network.weight": torch.zeros(1)}},
        "NaN or infinity in weight": {"state_dict": {"network.weight": torch.full((1,), torch.nan)}},
    }
    for said, content in told.items():
        torch.save(content, path)
        with pytest.raises(UserError, match=said):
            init_network(_network(0), path)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match="is damaged, compressed, or contains more than tensors and numbers"):
        init_network(_network(0), path)
    (tmp_path / "a.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="is not a safetensors file"):
        init_network(_network(0), tmp_path / "a.safetensors")
    torch.save({"params": {"conv_last.weight": torch.zeros(1)}}, path)
    with pytest.raises(UserError, match="choose the matching model= and scale="):
        init_network(AnimeSr(channels=4), path)
