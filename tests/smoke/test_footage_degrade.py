"""vsr-lab footage degrade, as a user types it."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.smoke.conftest import Outcome
from vsr_lab.cli.footage import degrade
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.evaluator import check_clips
from vsr_lab.evaluation.protocol import Protocol, Suite
from vsr_lab.video import VideoWriter, open_footage

Cli = Callable[..., Outcome]


def test_pairs_are_written_and_fit_a_suite(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    outcome = cli("footage degrade", f"root={tiny_footage}", "degradation=archival", "scale=2", f"run_dir={out}")
    assert outcome.code == 0, outcome.error
    assert str(out / "lr") in outcome.output.replace("\n", "") and "clip_2" in outcome.output
    assert {path.name for path in (out / "lr").iterdir()} == {
        *(f"clip_{i}.mkv" for i in range(3)),
        *(f"clip_{i}.degradation.json" for i in range(3)),
    }
    protocol = Protocol("any", "", 2, ResizeDown(2), metrics={})
    for lr_root in (out / "lr", out / "manifest.csv"):
        clips = check_clips([], Suite("pairs", str(out / "hr"), lr_root=str(lr_root)), protocol)
        assert [low.size for _, low in clips if low] == [(32, 40)] * 3
    twice = cli("footage degrade", f"root={tiny_footage}", "degradation=bi", f"run_dir={out}")
    assert twice.code == 2 and "already exists" in twice.error and twice.error.count("\n") == 1


def test_a_clip_of_8x8_is_degraded_and_too_small_to_be_scored(cli: Cli, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    (tmp_path / "hr").mkdir()
    with VideoWriter(tmp_path / "hr" / "a.mkv", (8, 8), Fraction(10)) as writer:
        writer.write(frames, [t / 10 for t in range(4)])
    root, out = tmp_path / "hr", tmp_path / "out"
    outcome = cli("footage degrade", f"root={root}", "degradation=bi", "scale=2", f"run_dir={out}")
    assert outcome.code == 0, outcome.error
    assert open_footage(out / "lr" / "a.mkv").size == (4, 4)
    suite = ("suite=folder", f"suite.root={root}", "protocol=content-x2-bi-y", "candidate=bicubic")
    outcome = cli("evaluate", *suite, f"run_dir={tmp_path / 'scores'}")
    assert outcome.code == 2 and "8x8" in outcome.error and outcome.error.count("\n") == 1
    assert not (tmp_path / "scores").exists()


def test_a_defect_is_told_in_a_sentence_and_its_traceback_stays_in_the_run_folder(
    cli: Cli, tiny_footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("some\nreason")

    monkeypatch.setattr(degrade, "write_pairs", broken)
    run = tmp_path / "run"
    outcome = cli("footage degrade", f"root={tiny_footage}", "degradation=bi", f"run_dir={run}")
    file = run / f"traceback-{os.getpid()}.txt"
    told = f"this is a defect of vsr-lab (ZeroDivisionError: some reason); report it and attach {file}\n"
    assert (outcome.code, outcome.error) == (70, f"vsr-lab footage degrade: {told}")
    assert "in broken" in file.read_text() and (run / "config.yaml").is_file()
