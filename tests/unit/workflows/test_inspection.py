"""Every kind of file is named, with the key that takes it or the reason why none does."""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.cli.inspect import InspectConfig, run
from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.records import write_record
from vsr_lab.core.records.evaluation import Selection
from vsr_lab.models import Compact, Interpolation, save_network
from vsr_lab.workflows.inspection import inspect

WriteVideo = Callable[..., Path]
PROTOCOL = {"name": "vid4", "fingerprint": "", "scale": 4, "description": ""}


@pytest.fixture
def video(write_video: WriteVideo, frames: Frames) -> Path:
    return write_video("footage/a.mkv", frames)


def test_a_video(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = inspect(video)
    assert (found.kind, found.facts["size"], found.facts["frames"]) == ("a video", "64x32", "8 at 25 a second")
    assert found.use == f"upscale bundle=BUNDLE input={video} output=OUT.mp4" and not found.problem
    run(InspectConfig(input=video))
    assert "is a video" in capsys.readouterr().out


def test_weights(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_network(Interpolation(2), {"name": "double", "content": "animation"}, path)
    found = inspect(path)
    assert (found.kind, found.facts["name"], found.facts["scale"]) == ("weights", "double", "x2")
    assert found.facts["content"] == "animation" and str(path) in found.use


def test_the_command_to_use_a_file_runs_nothing_in_a_shell(write_video: WriteVideo, frames: Frames) -> None:
    video = write_video("footage/$(touch executed);a b.mkv", frames)
    assert shlex.split(inspect(video).use)[2] == f"input={video}"


def test_folders(video: Path, tmp_path: Path) -> None:
    assert inspect(video.parent).kind == "a folder of footage"
    (tmp_path / "empty").mkdir()
    assert "neither a video" in inspect(tmp_path / "empty").problem


def test_tables_and_records(tmp_path: Path) -> None:
    table = tmp_path / "manifest.csv"
    table.write_text("path,split,problem\na.mkv,train,\nb.mkv,eval,is damaged\n")
    found = inspect(table)
    assert (found.kind, found.facts["clips"], found.facts["left out"]) == ("a manifest of footage", "2", "1")
    assert found.facts["split"] == "eval, train"
    table.write_text("name\na\n")
    assert inspect(table).problem.endswith("has no column `path`")
    record = tmp_path / "a.json"
    selection = {
        "protocol": PROTOCOL,
        "baseline": "bicubic",
        "rank_by": ["psnr"],
        "tie_rule": "",
        "front": {"psnr": 1},
        "choices": [],
    }
    write_record(record, Selection.model_validate(selection))
    found = inspect(record)
    assert (found.kind, found.facts["written by"]) == ("a record of vsr_lab: selection", "vsr-lab select")
    assert not found.problem
    for damaged in ({"record": "selection", "schema_version": 2}, {"record": "selection", "schema_version": 99}):
        record.write_text(json.dumps(damaged))
        assert inspect(record).problem.startswith(f"{record}: ")
    record.write_text(json.dumps({"record": ["selection"]}))
    assert inspect(record).problem.endswith("is not a record of vsr_lab")
    record.write_text("[]")
    assert inspect(record).problem.endswith("is not a record of vsr_lab")


def test_runs(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("run_dir: x\n")
    (tmp_path / "check.json").write_text("{}")
    assert inspect(tmp_path).use == f"read {tmp_path}/check.json"
    (tmp_path / ".unfinished").write_text("1\n")
    assert "was stopped before its end" in inspect(tmp_path).problem


def test_a_run_with_an_empty_selection_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("run_dir: x\n")
    (tmp_path / "selection.json").write_text(json.dumps({"record": "selection", "schema_version": 2}))
    assert "protocol" in inspect(tmp_path).problem


def test_a_checkpoint_of_a_training_is_taken_by_init_from(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    state = {f"network.{name}": tensor for name, tensor in Compact(2, 4, 1).state_dict().items()}
    torch.save({"state_dict": state, "global_step": 7}, path)
    found = inspect(path)
    assert (found.kind, found.facts["steps"], found.problem) == ("a checkpoint of a training", "7", "")
    assert found.use == f"train init_from={path}"
    torch.save({"state_dict": {"other": torch.zeros(1)}}, path)
    assert "is not a checkpoint of vsr-lab train" in inspect(path).problem
    torch.save({"params": {"a": torch.zeros(1)}}, path)
    assert "does not describe the network" in inspect(path).problem
    torch.save({"state_dict": Path("of another library")}, path)
    assert "more than tensors and numbers" in inspect(path).problem


@pytest.mark.parametrize("name", ["summary.json", "check.json", "network.safetensors"])
def test_a_run_with_a_damaged_result_has_a_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_text("run_dir: x\n")
    (tmp_path / name).write_text("{")
    assert inspect(tmp_path).problem.startswith(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.pth", "a.onnx", "a.safetensors", "a.json", "a.csv", "a.mp4", "a.txt", "a"])
def test_damaged_and_foreign_files_have_a_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 300, np.uint8).tobytes())
    assert inspect(path).problem.startswith(str(path))
    with pytest.raises(Refusal):
        run(InspectConfig(input=path))


def test_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        inspect(tmp_path / "none")


def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(UserError, match="is not a regular file"):
        inspect(tmp_path / "a.mp4")
