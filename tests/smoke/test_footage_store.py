"""A data set as it lies on disk to a training and a score, and the store that it leaves behind."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests.smoke.conftest import Outcome
from vsr_lab.degradations import ResizeDown
from vsr_lab.footage.shots import find_shots

Cli = Callable[..., Outcome]


@pytest.fixture
def vid4(tmp_path: Path, tiny_footage: Path) -> Path:
    """The tiny footage, laid out as Vid4 is: GT and BIx2."""
    root = tmp_path / "Vid4"
    for shot in find_shots(tiny_footage):
        hr = shot.read(0, 12).tensor()
        for name, frames in (("GT", hr), ("BIx2", ResizeDown(2).apply(hr, {}))):
            (root / name / shot.name).mkdir(parents=True)
            for t, frame in enumerate(frames.mul(255).round().byte().permute(0, 2, 3, 1).numpy()):
                cv2.imwrite(str(root / name / shot.name / f"{t:08d}.png"), frame[..., ::-1])
    return root


def test_recorded_lr_in_the_data_set_is_trained_and_judged_on(
    cli: Cli, tmp_path: Path, vid4: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = [
        "data.size=32",
        "data.clip_frames=4",
        "data.workers=0",
        "model.channels=4",
        "model.blocks=1",
        "logger=none",
    ]
    steps = ["trainer.max_steps=2", "validation.every=2", "data.strides=[0.5,0.5]", "run_dir=run"]
    assert cli("train", "content=mixed", f"data.root={vid4}", "data.lr_root=auto", *small, *steps).code == 0
    lean = [f"~protocol.metrics.{name}" for name in ("st_lpips", "st_tlp")]
    judged = ["candidate=bicubic", "suite=folder", f"suite.root={vid4}", "protocol=content-x2-bi-y", *lean]
    assert cli("evaluate", *judged, "run_dir=made").code == 0
    assert cli("evaluate", *judged, "suite.lr_root=auto", "run_dir=recorded").code == 0
    made, recorded = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("made", "recorded"))
    assert made["metrics"] == recorded["metrics"]  # BIx2 is what the protocol would have made


def test_the_store_is_checked_and_pruned(cli: Cli, tmp_path: Path, vid4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = [
        "data.size=32",
        "data.clip_frames=4",
        "data.workers=0",
        "model.channels=4",
        "model.blocks=1",
        "logger=none",
    ]
    steps = ["trainer.max_steps=1", "validation.every=1", "run_dir=run", "data.store=store"]
    assert cli("train", "content=mixed", f"data.root={vid4}", *small, *steps).code == 0
    assert cli("footage store", "root=store", "verify=true").code == 0
    clips = sorted((tmp_path / "store").glob("*.npy"))
    assert len(clips) == 3
    with clips[0].open("r+b") as file:
        file.seek(-50_001, os.SEEK_END)
        file.write(b"\x01\x02\x03\x04")
    outcome = cli("footage store", "root=store", "verify=true")
    assert (outcome.code, "1 clips are damaged; set prune=true to remove them" in outcome.error) == (1, True)
    assert cli("footage store", "root=store", "verify=true", "prune=true").code == 0
    assert sorted((tmp_path / "store").glob("*.npy")) == clips[1:]
    outcome = cli("footage store", "root=nowhere")
    assert (outcome.code, "nowhere: not found" in outcome.error) == (2, True)


def test_files_of_others_in_a_store_are_not_touched(cli: Cli, tmp_path: Path) -> None:
    for name in ("mydata.npy", "mydata.json", "x.partial"):
        (tmp_path / name).write_text("precious")
    outcome = cli("footage store", f"root={tmp_path}", "prune=true")
    assert outcome.code == 2
    assert "holds no decoded footage" in outcome.error
    assert len(list(tmp_path.iterdir())) == 3
