"""Every network of configs/model/ keeps the contract: size, step, weights, gradients, precision, no more future."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from spandrel.architectures.Compact import Compact
from torch import Tensor, nn

from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.core.network import Network, StreamingNetwork
from vsr_lab.models import load_network, save_network

FILES = sorted((config_dir() / "model").glob("*.yaml"))
SIZES = [file.stem for file in FILES]
CLASSES = [file.stem for file in FILES if "_target_" in OmegaConf.load(file)]  # the others are these in another size
SMALL = {"channels": 8, "blocks": 1, "width": 8, "layers": 1, "flow_channels": 8}

Spec = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    """spec(option, scale, small): what configs/model/OPTION.yaml composes to, in sizes for a test where small."""

    def make(option: str, scale: int = 2, small: bool = True) -> dict[str, Any]:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            cfg = compose("train", ["content=mixed", "data.root=x", f"model={option}", f"scale={scale}"])
        if "path" in list(cfg.model.keys()):  # somebody's model, as Real-ESRGAN saves its own
            cfg.model.path = str(tmp_path / "theirs.pth")
            torch.save({"params": Compact(num_feat=8, num_conv=1, upscale=scale).state_dict()}, cfg.model.path)
        found = OmegaConf.to_container(cfg.model, resolve=True)
        assert isinstance(found, dict)
        return {**found, **{k: v for k, v in SMALL.items() if small and k in found}}  # pyright: ignore

    return make


def awake(network: Network) -> Network:
    """With random numbers where weights start at zero: heads do, and would hide all that comes before."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return network


def clip(*size: int) -> Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("option", CLASSES)
def test_odd_sizes_are_enlarged_by_every_scale(spec: Spec, option: str, scale: int) -> None:
    network = instantiate(spec(option, scale))
    assert network.scale == scale
    assert network(clip(2, 3, 3, 13, 9)).shape == (2, 3, 3, 13 * scale, 9 * scale)


@pytest.mark.parametrize("option", SIZES)
def test_every_size_runs(spec: Spec, option: str) -> None:
    with torch.inference_mode():
        assert instantiate(spec(option, 4, small=False))(clip(1, 2, 3, 6, 7)).isfinite().all()


@pytest.mark.parametrize("option", CLASSES)
def test_forward_is_the_unrolled_step(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option))).eval()
    if not isinstance(network, StreamingNetwork):
        pytest.skip(f"{option} does not stream")
    lr = clip(2, 4, 3, 10, 12)
    whole = network(lr)
    state = network.initial_state(lr[:, 0])
    for t in range(4):
        sr, state = network.step(lr[:, t], state)
        assert (sr - whole[:, t]).abs().max() <= 1e-6


@pytest.mark.parametrize("option", CLASSES)
def test_no_frame_sees_further_than_lookahead(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option))).eval()
    if network.lookahead is None:
        pytest.skip(f"{option} needs the whole clip")
    lr = clip(1, 7, 3, 8, 8)
    other = torch.cat([lr[:, : 2 + network.lookahead], 1 - lr[:, 2 + network.lookahead :]], 1)
    assert torch.allclose(network(lr)[:, :2], network(other)[:, :2], atol=1e-6)


@pytest.mark.parametrize("option", CLASSES)
def test_weights_come_back_whole(spec: Spec, option: str, tmp_path: Path) -> None:
    found = spec(option)
    network = awake(instantiate(found)).eval()
    save_network(network, {"content": "any"}, tmp_path / "network.safetensors")
    (tmp_path / "theirs.pth").unlink(missing_ok=True)  # what it was made from is needed no more
    loaded, note = load_network(tmp_path / "network.safetensors")
    lr = clip(1, 3, 3, 8, 8)
    assert torch.equal(loaded(lr), network(lr))
    assert note["network"] == {**found, **({"path": "theirs.pth"} if "path" in found else {})}, "no folder is saved"


@pytest.mark.parametrize("option", CLASSES)
def test_gradient_reaches_every_parameter(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option)))
    network(clip(1, 3, 3, 8, 8)).square().sum().backward()
    untouched = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched


@pytest.mark.parametrize("option", CLASSES)
def test_activations_made_anew_give_the_same_gradients(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option)))
    kept: list[list[Tensor]] = []
    for network.checkpoint_activations in (False, True):
        network.zero_grad()
        (network(clip(1, 3, 3, 8, 8)) - 0.5).square().sum().backward()
        kept.append([p.grad for p in network.parameters() if p.grad is not None])
    for plain, remade in zip(*kept, strict=True):
        assert (plain - remade).abs().max() <= 1e-5 * plain.abs().max() + 1e-8


@pytest.mark.parametrize("option", CLASSES)
def test_bf16_stays_close_to_fp32(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option))).eval()
    lr = clip(1, 3, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(lr)
    assert (half.float() - network(lr)).abs().max() < 0.05


@pytest.mark.parametrize("option", CLASSES)
def test_channels_last_changes_no_number(spec: Spec, option: str) -> None:
    network = awake(instantiate(spec(option))).eval()
    lr = clip(1, 3, 3, 8, 8)
    before = network(lr)
    assert torch.allclose(network.to(memory_format=torch.channels_last)(lr), before, atol=1e-5)


@pytest.mark.parametrize("option", [option for option in CLASSES if option != "spandrel"])
def test_bf16_leaves_the_skip_alone(spec: Spec, option: str) -> None:
    """Untrained networks are their skip, to the last bit: that is the picture, of which bf16 would keep 256 levels."""
    network = instantiate(spec(option)).eval()
    lr = clip(1, 2, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(lr)
    assert half.dtype == torch.float32
    assert (half - network(lr)).abs().max() <= 1e-6
