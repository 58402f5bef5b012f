"""A training with a discriminator, clips that grow and activations made anew resumes bit for bit and survives NaN."""

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars
import pytest
import torch
from safetensors.torch import load_file

from tests.smoke.conftest import Outcome
from vsr_lab.models import read_note

Cli = Callable[..., Outcome]
TINY = ["content=mixed", "data.size=32", "data.clip_frames=4", "data.batch_size=1", "data.workers=0", "logger=none",
        "model.channels=4", "model.blocks=1", "trainer.max_steps=12", "validation.every=12", "measure_every=1",
        "save_every=4", "data.curriculum=[[0.0,3],[0.7,4]]", "checkpoint_activations=true",
        "loss.terms.adversarial.start=0.3", "loss.terms.adversarial.loss.discriminator.channels=4"]  # fmt: skip
WITHOUT_ST_LPIPS = ["~validation.metrics.st_lpips", "~validation.score.st_lpips"]


def _train(cli: Cli, footage: Path, run_dir: Path, kind: str, *more: str) -> str:
    outcome = cli("train", *TINY, f"data.root={footage}", f"data.store={footage.parent / 'store'}",
                  f"adversarial={kind}", f"run_dir={run_dir}", *more)  # fmt: skip
    assert outcome.code == 0, outcome.error
    return outcome.output


def _last(run_dir: Path) -> dict[str, Any]:
    return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return one == other


def test_a_run_resumed_after_the_discriminator_began_is_bit_equal(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    _train(cli, tiny_footage, whole, "hinge", *WITHOUT_ST_LPIPS)
    shutil.copytree(whole, cut)
    (cut / "network.safetensors").unlink()
    (cut / "checkpoints" / "last.previous.ckpt").replace(cut / "checkpoints" / "last.ckpt")
    assert _last(cut)["global_step"] == 8
    assert cli("train", f"resume={cut}").code == 0

    expected, resumed = _last(whole), _last(cut)
    assert len(expected["optimizer_states"][0]["param_groups"]) == 2  # the network's and the discriminator's
    for kept in ("global_step", "state_dict", "current_model_state", "optimizer_states", "lr_schedulers"):
        assert _equal(expected[kept], resumed[kept]), kept
    weights = load_file(whole / "network.safetensors")
    assert _equal(weights, load_file(cut / "network.safetensors"))
    assert not [name for name in weights if "discriminator" in name]
    assert read_note(whole / "network.safetensors")["about"]["trained_with"] == "adversarial"
    logged = polars.read_csv(whole / "metrics.csv").filter(polars.col("name") == "train/discriminator")
    assert logged["step"].to_list() == list(range(4, 12))  # from the term's start on


def test_a_batch_of_nan_is_passed_over_by_both_sides(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fault = "{_target_: vsr_lab.losses.Term, weight: 1, loss: {_target_: tests.smoke.faults.NanAt, calls: [9]}}"
    installed = find_spec("stlpips_pytorch") is not None
    more = ["validation.frames=3"] if installed else WITHOUT_ST_LPIPS
    said = _train(cli, tiny_footage, run, "relativistic", f"+loss.terms.fault={fault}", "skip_limit=1", *more)
    assert said.count("the loss is nan") == said.count("the loss is nan at step 9") == 1
    for kept in ("state_dict", "current_model_state"):  # averaged, and as trained
        assert all(torch.isfinite(tensor).all() for tensor in _last(run)[kept].values())
    if installed:  # what the best checkpoint is picked by
        values = dict(polars.read_csv(run / "metrics.csv").select("name", "value").iter_rows())
        assert values["val/score"] == pytest.approx(-values["val/st_lpips"] - 0.01 * values["val/flicker"], rel=1e-5)
