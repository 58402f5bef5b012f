"""The measuring run of the zoo goes on where an earlier one ended."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_moving_clip
from vsr_lab.core.errors import UserError
from vsr_lab.footage.tables import read_rows, write_rows

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs judge.py with bicubic alone on one clip."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    write_moving_clip(tmp_path / "a.mkv", 5, 64, 96, 0)
    row = {"name": "a", "path": "a.mkv", "split": "eval", "content_type": "animation"}
    write_rows(tmp_path / "eval.csv", [row])

    def judge(*words: str) -> None:
        import judge

        folders = ["--runs", str(tmp_path / "runs"), "--tables", str(tmp_path / "tables")]
        monkeypatch.setattr(
            sys, "argv", ["judge.py", str(tmp_path / "eval.csv"), str(tmp_path), "--only", "bicubic", *folders, *words]
        )
        judge.main()

    return judge


def test_what_is_measured_is_not_measured_again(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import judge

    run("--no-cost", "--frames", "0:3")
    first = read_rows(tmp_path / "tables/scores.csv")
    assert [row["suite"] for row in first] == ["animation_x4", "animation_x2"]
    assert float(first[1]["psnr"]) > float(first[0]["psnr"])
    monkeypatch.setattr(judge, "evaluate", lambda *_: pytest.fail("it was evaluated again"))
    run("--no-cost", "--frames", "0:3")
    assert read_rows(tmp_path / "tables/scores.csv") == first
    assert "| bicubic |" in (tmp_path / "tables/leaderboard.md").read_text()


def test_frame_times_are_taken_once_and_on_a_quiet_machine_only(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import judge

    monkeypatch.setattr(judge, "TIMED", 2)
    monkeypatch.setattr(judge.os, "getloadavg", lambda: (1e3, 0, 0))
    run("--frames", "0:2")
    assert "the machine is busy" in capsys.readouterr().out
    assert not (tmp_path / "tables/cost.csv").exists()
    monkeypatch.setattr(judge.os, "getloadavg", lambda: (0, 0, 0))
    run("--frames", "0:2")
    costs = read_rows(tmp_path / "tables/cost.csv")
    assert [(row["candidate"], row["scale"]) for row in costs] == [("bicubic", "4"), ("bicubic", "2")]
    monkeypatch.setattr(judge, "cost", lambda entry: pytest.fail(f"{entry.name} was timed again"))
    run("--frames", "0:2")


def test_missing_published_files_are_named(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--no-cost", "--frames", "0:2")
    assert f"{tmp_path / 'basicvsr.pth'} is missing: left out" in capsys.readouterr().out


def test_a_clip_that_is_not_there_is_an_error(run: Any, tmp_path: Path) -> None:
    (tmp_path / "a.mkv").unlink()
    with pytest.raises(UserError):
        run("--no-cost")
