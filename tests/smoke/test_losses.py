"""Every loss recipe trains, with what it needs, and one that lacks it says so before anything is written."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import polars
import pytest

from tests.smoke.conftest import Outcome

Cli = Callable[..., Outcome]
TINY = ["content=mixed", "data.size=32", "data.clip_frames=3", "data.batch_size=1", "data.workers=0", "logger=none",
        "model.channels=8", "model.blocks=1", "trainer.max_steps=3", "validation.every=3", "measure_every=1",
        "callbacks.ema=null", "loss.terms.flicker.start=0"]  # fmt: skip


def _train(cli: Cli, footage: Path, run_dir: Path, *more: str) -> dict[str, float]:
    outcome = cli(
        "train", *TINY, f"data.root={footage}", f"data.store={footage.parent / 'store'}", f"run_dir={run_dir}", *more
    )
    assert outcome.code == 0, outcome.error
    table = polars.read_csv(run_dir / "metrics.csv")
    return dict(table.filter(polars.col("step") == 2).select("name", "value").iter_rows())


@pytest.mark.parametrize(
    ("loss", "model", "term"),
    [
        ("aligned", "recurrent_flow", "flow_alignment"),
        ("text", "recurrent", "edges"),
        ("text", "recurrent", "focal_frequency"),
        ("ping_pong", "recurrent", "ping_pong"),
        pytest.param("perceptual", "recurrent", "st_lpips", marks=pytest.mark.skipif(
            find_spec("stlpips_pytorch") is None, reason="the extra metrics is not installed")),
    ],
)  # fmt: skip
def test_recipe_trains_and_logs_its_term(
    cli: Cli, tiny_footage: Path, tmp_path: Path, loss: str, model: str, term: str
) -> None:
    logged = _train(
        cli, tiny_footage, tmp_path / "run", f"loss={loss}", f"model={model}", f"++loss.terms.{term}.start=0"
    )
    assert logged[f"train/{term}"] > 0


def test_a_student_learns_from_a_teacher(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    _train(cli, tiny_footage, tmp_path / "teacher")
    teacher = ["candidate@teacher=checkpoint", f"teacher.path={tmp_path / 'teacher' / 'network.safetensors'}"]
    logged = _train(cli, tiny_footage, tmp_path / "student", "loss=distillation", *teacher)
    assert "train/distillation" in logged


def test_what_a_loss_lacks_is_told_before_anything_is_written(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    asked = {"loss=distillation": "teacher_sr", "loss=aligned": "lr_flow"}
    for loss, need in asked.items():
        outcome = cli("train", *TINY, f"data.root={tiny_footage}", f"run_dir={run_dir}", loss)
        assert outcome.code == 2
        assert f"needs {need}" in outcome.error
        assert not run_dir.exists()
    outcome = cli("train", *TINY, f"data.root={tiny_footage}", f"run_dir={run_dir}", "flow@loss.estimator=raft")
    assert outcome.code == 2
    assert "loss.estimator.weights" in outcome.error
