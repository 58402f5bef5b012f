"""vsr-lab footage degrade, as a user types it."""

from collections.abc import Callable
from pathlib import Path

from tests.smoke.conftest import Outcome
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.evaluator import check_clips
from vsr_lab.evaluation.protocol import Protocol, Suite

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
