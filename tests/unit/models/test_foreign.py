"""Models of other projects: read out of their weights, run at any size, refused where they do not fit."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from spandrel import SizeRequirements
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from torch import nn

from vsr_lab.core.errors import UserError
from vsr_lab.models import Foreign, load_network, save_network


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    torch.save({"params_ema": Compact(num_feat=8, num_conv=1, upscale=2).state_dict()}, tmp_path / "theirs.pth")
    return tmp_path / "theirs.pth"


def test_it_gives_what_spandrel_gives(theirs: Path) -> None:
    network = Foreign(str(theirs)).eval()
    lr = torch.rand(1, 2, 3, 6, 7)
    assert torch.equal(network(lr)[0], network.model(lr[0]))
    assert (network.scale, network.architecture) == (2, "RealESRGAN Compact")


@pytest.mark.parametrize(
    "model", [Compact(num_feat=8, num_conv=1, upscale=2), ESRGAN(num_filters=8, num_blocks=1, scale=2)]
)
def test_what_was_read_is_read_again_from_what_it_is_saved_to(model: nn.Module, tmp_path: Path) -> None:
    """ESRGAN's own names begin with "model.", as ours do."""
    torch.save(model.state_dict(), tmp_path / "theirs.pth")
    network = Foreign(str(tmp_path / "theirs.pth"))
    save_file(network.state_dict(), tmp_path / "ours.safetensors")
    lr = torch.rand(1, 1, 3, 16, 16)
    assert torch.equal(Foreign(str(tmp_path / "ours.safetensors")).eval()(lr), network.eval()(lr))


def test_it_is_saved_without_the_folder_of_its_source(theirs: Path, tmp_path: Path) -> None:
    save_network(Foreign(str(theirs)), {}, tmp_path / "network.safetensors")
    theirs.unlink()
    network, note = load_network(tmp_path / "network.safetensors")
    assert network.scale == 2
    assert note["network"]["path"] == "theirs.pth"
    assert str(tmp_path).encode() not in (tmp_path / "network.safetensors").read_bytes()


def test_another_scale_is_refused(theirs: Path) -> None:
    with pytest.raises(UserError, match="upscales by 2, not 4; set scale=2"):
        Foreign(str(theirs), scale=4)


@pytest.mark.parametrize(
    ("wants", "size"),
    [
        (SizeRequirements(multiple_of=4), (8, 12)),
        (SizeRequirements(minimum=16), (16, 16)),
        (SizeRequirements(multiple_of=4, square=True), (12, 12)),
    ],
)
def test_frames_are_padded_to_what_the_architecture_wants(
    theirs: Path, wants: SizeRequirements, size: tuple[int, int]
) -> None:
    network = Foreign(str(theirs))
    network._wants = wants
    seen: list[torch.Size] = []
    network.model.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-2:]))
    assert network(torch.rand(1, 1, 3, 7, 9)).shape == (1, 1, 3, 14, 18)
    assert seen == [size]


@pytest.mark.parametrize(
    "change",
    [
        {"body.2000000.weight": torch.zeros(1)},
        {"body.0.weight": torch.zeros(1).expand(10**4, 10**4, 3, 3)},
        {"body.0.weight": torch.zeros(5000, 3, 3, 0), "body.2.weight": torch.zeros(5000, 5000, 3, 0)},
    ],
)
def test_a_small_file_that_describes_a_huge_network_is_refused(
    theirs: Path, tmp_path: Path, change: dict[str, torch.Tensor]
) -> None:
    stored = torch.load(theirs, weights_only=True)["params_ema"]
    torch.save({**stored, **change}, tmp_path / "huge.pth")
    with pytest.raises(
        UserError,
        match=r"huge\.pth: .*(it describes|contains) more",
    ):
        Foreign(str(tmp_path / "huge.pth"))
