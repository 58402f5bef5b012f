"""The kit for a machine with a GPU and little else: what is packed comes back exactly, and a stage trains on it."""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.models import SpanStream, load_network, save_network

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"
MISSING = ("hydra", "omegaconf", "av", "decord", "kornia", "polars", "wandb", "torchvision", "pytorch_lightning")
SPEC = {"_target_": "vsr_lab.models.SpanStream", "scale": 4, "channels": 4, "memory": 4}


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Two clips of one type, one of them for validation, and small.safetensors."""
    from pack import _add, encode

    torch.manual_seed(0)
    save_network(SpanStream(4, 4, 4), {}, tmp_path / "small.safetensors")
    index: list[dict[str, str]] = []
    with tarfile.open(tmp_path / "pack.tar", "w") as tar:
        tar.add(tmp_path / "small.safetensors", "small.safetensors")
        for split in ("train", "validation"):
            frames = np.random.default_rng(len(split)).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
            _add(tar, f"{split}.mkv", encode(frames))
            checksum = hashlib.sha256(frames.tobytes()).hexdigest()
            index.append(
                {"file": f"{split}.mkv", "content": "any", "split": split, "source": "noise", "sha256": checksum}
            )
        _add(tar, "index.json", json.dumps({"clips": index}).encode())
    return tmp_path / "pack.tar"


def test_clips_come_back_exactly_or_not_at_all(pack: Path, tmp_path: Path) -> None:
    from packed import read_pack

    clips, _ = read_pack(pack)
    expected = np.random.default_rng(len("train")).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    assert np.array_equal(clips[0].hr.permute(0, 2, 3, 1).numpy(), expected)
    assert [clip.split for clip in clips] == ["train", "validation"]
    folder = tmp_path / "spoilt"
    with tarfile.open(pack) as tar:
        tar.extractall(folder, filter="data")
    text = (folder / "index.json").read_text()
    (folder / "index.json").write_text(text.replace('"sha256": "', '"sha256": "0'))
    with tarfile.open(tmp_path / "spoilt.tar", "w") as tar:
        tar.add(folder, "")
    with pytest.raises(ValueError, match="not decoded exactly"):
        read_pack(tmp_path / "spoilt.tar")


def test_stages_train_are_kept_where_better_and_are_gone_on_with(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gpu

    small = {"batch": 1, "frames": 3, "size": 12}
    stages = [
        gpu.Stage("memory", "small", 0.5, None, 1e-2, 0.0, **small),
        gpu.Stage("ruined", "memory", 0.5, "any", 1e3, 1.0, **small),
    ]
    monkeypatch.setattr(gpu, "STAGES", stages)
    gpu.main([pack, tmp_path / "first.tar"], ["memory"], steps=2)
    gpu.main([pack, tmp_path / "second.tar", tmp_path / "first.tar"], [], steps=2)
    with tarfile.open(tmp_path / "second.tar") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [*report] == ["memory", "ruined"]
    assert report["memory"]["steps"] == 2
    assert not report["ruined"]["kept"]
    memory, ruined = (load_network(tmp_path / f"out/{name}.safetensors")[0].state_dict() for name in report)
    assert all(torch.equal(memory[name], ruined[name]) for name in memory), "its start in its place"


def test_it_runs_where_little_is_installed() -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({MISSING}))"
    code = f"{blocked}; sys.path.insert(0, {str(SCRIPTS)!r}); import gpu"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_last_layer_is_fitted_to_the_least_squared_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import last_layer
    from packed import Clip

    from vsr_lab.models import Span

    torch.manual_seed(0)
    teacher, start = Span(2, 4), Span(2, 4)
    start.load_state_dict(teacher.state_dict())
    torch.nn.init.normal_(teacher.upsampler[0].weight, std=0.05)  # pyright: ignore[reportArgumentType]
    torch.nn.init.constant_(teacher.upsampler[0].bias, 0.5)  # pyright: ignore[reportArgumentType]
    lr = torch.rand(4, 3, 24, 24)
    hr = teacher.frame(lr).detach()
    monkeypatch.setattr(last_layer, "pair", lambda clip, scale, frames: (lr, hr))
    clip = Clip(torch.empty(0), "any", "train", "noise")
    made = last_layer.fitted(start, *last_layer.normal_equations(start, [clip], 4), ridge=1e-9)
    assert (made.frame(lr) - hr).abs().max() < 1e-3
    assert (start.frame(lr) - hr).abs().max() > 0.1
    still = last_layer.fitted(start, *last_layer.normal_equations(start, [clip], 4), ridge=1e9)
    assert (still.frame(lr) - start.frame(lr)).abs().max() < 1e-6
