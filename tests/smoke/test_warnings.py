"""Faults in the output of another tool are named by `evaluate` and in the report, instead of a low PSNR alone."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import write_moving_clip
from tests.smoke.conftest import Outcome
from vsr_lab.core.clip import to_frames
from vsr_lab.core.resize import imresize
from vsr_lab.degradations import ResizeDown
from vsr_lab.footage.shots import find_shots
from vsr_lab.video import VideoWriter

Cli = Callable[..., Outcome]


@pytest.fixture
def upscaled(tmp_path: Path) -> np.ndarray:
    """Bicubic of the clip in tmp_path/footage, T H W C."""
    (tmp_path / "footage").mkdir()
    write_moving_clip(tmp_path / "footage" / "walk.mkv", 8, 96, 112)
    (shot,) = find_shots(tmp_path / "footage")
    hr = shot.read(0, shot.frames).tensor()
    return to_frames(imresize(ResizeDown(2).apply(hr, {}), 2).clamp(0, 1))


def _write(folder: Path, frames: np.ndarray) -> str:
    folder.mkdir()
    with VideoWriter(folder / "walk.mkv", frames.shape[1:3], Fraction(25)) as writer:
        writer.write(np.ascontiguousarray(frames), np.arange(len(frames)) / 25)
    return f"frames:{folder}"


def _evaluate(cli: Cli, root: Path, candidates: Sequence[str]) -> Outcome:
    lean = [f"~protocol.metrics.{name}" for name in ("ssim", "st_lpips", "st_tlp", "tof", "flicker", "warp_error")]
    footage = ["suite=folder", f"suite.root={root / 'footage'}", "protocol=content-x2-bi-y", *lean]
    return cli("evaluate", f"candidates=[{','.join(candidates)}]", *footage, "run_dir=judged")


def test_what_is_wrong_with_the_frames_of_another_tool_is_said(
    cli: Cli, tmp_path: Path, upscaled: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tinted = np.clip(upscaled + np.array([4, 0, -4]), 0, 255).astype(np.uint8)
    late = np.concatenate([upscaled[:1], upscaled[:-1]])
    made = {"good": upscaled, "tinted": tinted, "late": late}
    outcome = _evaluate(cli, tmp_path, ["bicubic", *(_write(tmp_path / name, made[name]) for name in made)])
    assert outcome.code == 0, outcome.error
    warnings = [line for line in outcome.output.splitlines() if line.startswith("warning: ")]
    assert warnings[-1] == "warning: late: walk is one frame late", outcome.output
    assert warnings[0].startswith("warning: tinted has a color cast, a wrong range or a wrong gamma: color_bias ")
    assert not any("good" in line or "bicubic" in line for line in warnings)
    assert "psnr" in outcome.output and "frame_offset " not in outcome.output, "a gate's metric is no row of the table"
    runs = ",".join(f"judged/{name}" for name in ("bicubic", *made))
    assert cli("compare", f"runs=[{runs}]", "run_dir=compared").code == 0
    page = (tmp_path / "compared" / "report.html").read_text("utf-8")
    top = page[: page.index('id="table"')]
    assert re.search(
        r"<h2[^>]*>Faults in the output of candidates</h2>.*folder: late: walk is one frame late", top, re.DOTALL
    )
