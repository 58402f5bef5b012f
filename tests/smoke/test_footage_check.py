"""vsr-lab footage check as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import write_moving_clip
from tests.parity.planting import cubic_down, levels, write
from tests.smoke.conftest import Outcome
from vsr_lab.video import open_footage


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """Two clips each: `good` is a file of frames shrunk by bi, `late` begins 3 frames later."""
    lr, hr = tmp_path / "lr", tmp_path / "hr"
    for name, late in (("good", 0), ("late", 3)):
        path = write_moving_clip(hr / f"{name}.mkv", 16, 96, 128, seed=late)
        small = cubic_down(open_footage(path).read(0, 16).frames.astype(np.float64), 2)
        write(lr / f"{name}.mkv", small[late:])
    return lr, hr


def test_faults_are_refused_with_a_picture_and_a_line(
    roots: tuple[Path, Path], tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    run = tmp_path / "run"
    (roots[0] / "alone.mkv").write_bytes((roots[0] / "good.mkv").read_bytes())
    outcome = cli("footage check", f"lr={roots[0]}", f"hr={roots[1]}", f"run_dir={run}")
    assert outcome.code == 1
    told = outcome.error
    assert "1 of 2 pairs are faulty (frame count, temporal offset); 1 clips exist on one side only" in told
    report = json.loads((run / "check.json").read_text())
    assert report["unpaired"] == ["alone"]
    assert report["clips"]["good"]["verdict"] == "clean"
    assert report["clips"]["good"]["measured"]["degradation"]["family"] == "bi"
    assert report["clips"]["late"]["faults"][1]["value"]["offset"] == 3
    assert cv2.imread(str(run / "late.png")).shape[1] >= 3 * 64
    assert not (run / "good.png").exists()


def test_a_clean_pair_of_a_file_and_a_folder_passes(
    roots: tuple[Path, Path], tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, frame in enumerate(open_footage(roots[0] / "good.mkv").read(0, 16).frames):
        cv2.imwrite(str(folder / f"{t:03}.png"), levels(frame.astype(np.float64))[..., ::-1])
    pair = [f"lr={folder}", f"hr={roots[1] / 'good.mkv'}"]
    outcome = cli("footage check", *pair, "degradation=bi", "scale=2", f"run_dir={tmp_path / 'run'}")
    assert outcome.code == 0
    assert "clean" in outcome.output and "check.json" in outcome.output


def test_unusable_input_is_told_in_one_line(
    roots: tuple[Path, Path], tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "else.mkv").write_bytes((roots[0] / "good.mkv").read_bytes())
    (tmp_path / "other" / "more.mkv").write_bytes((roots[0] / "good.mkv").read_bytes())
    outcome = cli("footage check", f"lr={tmp_path / 'other'}", f"hr={roots[1]}", f"run_dir={tmp_path / 'run'}")
    assert outcome.code == 2
    assert "shares no clip name" in outcome.error
    assert outcome.error.strip().count("\n") == 0
