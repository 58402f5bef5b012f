"""Weights on disk: whole, finite, of the right network, and unable to run code."""

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from vsr_lab.core.errors import UserError
from vsr_lab.models import Compact, Recurrent, build_network, load_network, load_weights, read_note, save_network

SPEC = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}
Rewrite = Callable[..., Path]


@pytest.fixture
def network() -> Compact:
    """Compact with weights everywhere."""
    network = Compact(2, channels=4, layers=1)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.1)
    return network


@pytest.fixture
def saved(tmp_path: Path, network: Compact) -> Path:
    save_network(network, {"content": "animation", "step": 7}, tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors"


@pytest.fixture
def rewrite(saved: Path) -> Rewrite:
    """rewrite(spec, **note): the saved weights with another note."""

    def write(spec: Any = SPEC, **note: Any) -> Path:
        text = json.dumps({"schema": 1, "network": spec, "about": {}, **note})
        save_file(load_file(saved), saved, metadata={"vsr_lab": text})
        return saved

    return write


def test_a_network_comes_back_as_it_was_saved(saved: Path, network: Compact) -> None:
    loaded, note = load_network(saved)
    lr = torch.rand(1, 2, 3, 6, 7)
    assert torch.equal(loaded(lr), network(lr))
    assert not loaded.training
    assert note == {"schema": 1, "network": SPEC, "about": {"content": "animation", "step": 7}}


def test_saving_half_way_leaves_the_old_weights(saved: Path, network: Compact, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def interrupted(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_network(network, {}, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_weights_can_be_read_by_whoever_may_read_other_files(saved: Path) -> None:
    other = saved.with_name("other")
    other.touch()
    assert saved.stat().st_mode == other.stat().st_mode


# What may not be loaded


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("went_off"),)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".pkl", ".safetensors"])
def test_a_pickle_is_refused_and_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="is a pickle" if suffix != ".safetensors" else "is not a safetensors file"):
        load_network(path)
    assert not (tmp_path / "went_off").exists()


def test_a_class_from_elsewhere_is_refused_and_never_imported(
    tmp_path: Path, rewrite: Rewrite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vsr_lab_trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    for target in ("vsr_lab_trap.Network", "os.system", "vsr_lab.models_trap.Network", "vsr_lab.cli.main.main"):
        path = rewrite({"_target_": target})
        with pytest.raises(UserError, match="is not a network of"):
            load_network(path)
    assert "vsr_lab_trap" not in sys.modules


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"_target_": "vsr_lab.models.NoSuch"},
        {"_target_": "vsr_lab.models.no_such.Compact"},
        {"_target_": "vsr_lab.models.files.Path"},
        {"_target_": "vsr_lab.models.files.read_note", "path": "a"},
        {"_target_": "vsr_lab.models.recurrent.StreamingNetwork"},
        {**SPEC, "colour": "blue"},
        {"_target_": SPEC["_target_"], "scale": 2},
        {**SPEC, "scale": "two"},
        {**SPEC, "channels": -4},
        {**SPEC, "channels": 10**8},
        {**SPEC, "layers": 10**8},
    ],
    ids=lambda spec: " ".join(f"{k}={v}" for k, v in spec.items()),
)
def test_a_spec_that_describes_no_network_is_refused(rewrite: Rewrite, spec: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="network"):
        build_network(spec)
    path = rewrite(spec)
    with pytest.raises(UserError, match=r"network\.safetensors: its metadata: "):
        load_network(path)


@pytest.mark.parametrize(
    "text",
    [
        *("no json", "[]", "{}", '{"network": []}'),
        *(json.dumps({"network": SPEC, **more}) for more in ({"schema": 9}, {"about": []}, {"about": {"name": 5}})),
        json.dumps({"network": SPEC, "about": {"score": float("nan")}}),
    ],
)
def test_a_note_that_makes_no_sense_is_refused(saved: Path, text: str) -> None:
    save_file(load_file(saved), saved, metadata={"vsr_lab": text})
    with pytest.raises(UserError, match=r"network\.safetensors"):
        load_network(saved)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, network: Compact, value: float) -> None:
    with torch.no_grad():
        network.head.weight[0, 0, 0, 0] = value
    save_network(network, {}, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match=r"NaN or infinity in head\.weight"):
        load_network(tmp_path / "a.safetensors")


def test_integers_in_place_of_weights_are_refused(saved: Path) -> None:
    tensors = {name: tensor.int() for name, tensor in load_file(saved).items()}
    save_file(tensors, saved, metadata={"vsr_lab": json.dumps({"network": SPEC})})
    with pytest.raises(UserError, match="int32 in "):
        load_network(saved)


def test_weights_of_another_architecture_are_refused(saved: Path) -> None:
    for other in (Recurrent(2, channels=4, blocks=1), Compact(2, channels=8, layers=1), Compact(4, 4, 1)):
        with pytest.raises(UserError, match="another architecture"):
            load_weights(other, saved)


def test_a_missing_tensor_is_refused(saved: Path) -> None:
    tensors = load_file(saved)
    del tensors["head.bias"]
    save_file(tensors, saved, metadata={"vsr_lab": json.dumps({"network": SPEC})})
    with pytest.raises(UserError, match="another architecture"):
        load_network(saved)


def test_weights_that_say_nothing_of_themselves_are_refused(saved: Path) -> None:
    save_file(load_file(saved), saved)
    with pytest.raises(UserError, match="does not describe the network"):
        read_note(saved)


def test_a_file_cut_short_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-40])
    with pytest.raises(UserError, match="is not a safetensors file"):
        load_network(saved)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        load_network(tmp_path / "network.safetensors")
