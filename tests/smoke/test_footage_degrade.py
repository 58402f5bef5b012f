"""vsr-lab footage degrade, as a user types it."""

from collections.abc import Callable
from pathlib import Path

from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.evaluator import check_clips
from vsr_lab.evaluation.protocol import Protocol, Suite


def test_pairs_are_written_and_fit_a_suite(vsr_lab: Callable[..., str], tiny_footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    said = vsr_lab("footage", "degrade", tiny_footage, "degradation=archival", "scale=2", f"run_dir={out}")
    assert str(out / "lr") in said and "clip_2" in said
    assert {path.name for path in (out / "lr").iterdir()} == {
        *(f"clip_{i}.mkv" for i in range(3)),
        *(f"clip_{i}.degradation.json" for i in range(3)),
    }
    protocol = Protocol("any", "", 2, ResizeDown(2), metrics={})
    for lr_root in (out / "lr", out / "manifest.csv"):
        clips = check_clips([], Suite("pairs", str(out / "hr"), lr_root=str(lr_root)), protocol)
        assert [low.size for _, low in clips if low] == [(32, 40)] * 3
    twice = vsr_lab("footage", "degrade", tiny_footage, "degradation=bi", f"run_dir={out}", code=2)
    assert "already exists" in twice and twice.count("\n") == 1
