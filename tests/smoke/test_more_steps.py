"""Runs that are resumed with more steps or another schedule: their learning rates, and what is recorded."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.smoke.conftest import Outcome
from tests.smoke.test_resume import losses, options
from vsr_lab.models import read_note

Cli = Callable[..., Outcome]
TINY = (
    "trainer.max_steps=4",
    "trainer.log_every_n_steps=1",
    "trainer.accelerator=cpu",
    "degradation=bi",
    "save_every=4",
)


def short(footage: Path, run_dir: Path, *more: str) -> list[str]:
    fixed = [*TINY, *more]
    named = {option.partition("=")[0] for option in fixed}
    return [word for word in options(footage, run_dir, 0) if word.partition("=")[0] not in named] + fixed


def rates(run_dir: Path) -> dict[int, float]:
    """Learning rate at each step that metrics.csv names."""
    with (run_dir / "metrics.csv").open() as file:
        return {int(row["step"]): float(row["value"]) for row in csv.DictReader(file) if row["name"].startswith("lr-")}


def last(run_dir: Path) -> dict[str, Any]:
    return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.fixture
def run(cli: Cli, tiny_footage: Path, tmp_path: Path) -> Callable[..., Path]:
    """run(NAME, key=value, ...): folder of a finished run of 4 steps, unless they say otherwise."""

    def make(name: str, *more: str) -> Path:
        done = cli(*short(tiny_footage, tmp_path / name, *more))
        assert done.code == 0, done.error
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    "more",
    [
        ["scheduler=cosine"],  # validated at step 4 of 4, but not at step 4 of 8
        ["scheduler=one_cycle", "validation.every=4"],
        ["scheduler=cosine", "trainer.accumulate_grad_batches=2"],
    ],
)
def test_a_finished_run_goes_on_along_the_longer_schedule(cli: Cli, run: Callable[..., Path], more: list[str]) -> None:
    whole, cut = run("whole", *more, "trainer.max_steps=8"), run("cut", *more)
    done = cli("train", f"resume={cut}", "trainer.max_steps=8")
    assert done.code == 0, done.error
    expected, found = rates(whole), rates(cut)
    assert [*found] == [*expected] == [*range(8)]
    assert [found[step] for step in range(4, 8)] == [expected[step] for step in range(4, 8)]
    assert found[2] != expected[2]
    state, other = last(cut), last(whole)
    assert state["lr_schedulers"] == other["lr_schedulers"]
    assert (
        state["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        == other["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    )
    assert state["optimizer_states"][0]["param_groups"] == other["optimizer_states"][0]["param_groups"]
    assert all(weight.isfinite().all() for weight in load_file(cut / "network.safetensors").values())
    assert read_note(cut / "network.safetensors")["about"]["steps"] == 8
    stored = yaml.safe_load((cut / "config.yaml").read_text())
    assert stored["trainer"]["max_steps"] == 8
    assert 8 in stored["scheduler"].values()
    assert stored["resume"] is None
    assert stored["resumed"] == [{"step": 4, "overrides": ["trainer.max_steps=8"]}]
    assert not (cut / ".unfinished").exists()
    assert yaml.safe_load((cut / "config.previous-1.yaml").read_text())["trainer"]["max_steps"] == 4


def test_at_a_constant_rate_the_longer_run_equals_an_uninterrupted_one(cli: Cli, run: Callable[..., Path]) -> None:
    more = ["scheduler=constant", "loss.terms.flicker.start=0", "validation.every=4", "data.batch_size=1"]
    whole, cut = run("whole", *more, "trainer.max_steps=8"), run("cut", *more)
    assert cli("train", f"resume={cut}", "trainer.max_steps=8").code == 0
    expected, found = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert losses(cut) == losses(whole)


def test_another_scheduler_takes_over_at_the_step(cli: Cli, run: Callable[..., Path]) -> None:
    whole = run("whole", "scheduler=one_cycle", "scheduler.pct_start=0.3", "trainer.max_steps=6")
    cut = run("cut")
    words = ["scheduler.pct_start=0.3", "scheduler=one_cycle", "trainer.max_steps=6"]
    done = cli("train", f"resume={cut}", *words)
    assert done.code == 0, done.error
    assert [rates(cut)[step] for step in (4, 5)] == [rates(whole)[step] for step in (4, 5)]
    stored, other = (yaml.safe_load((path / "config.yaml").read_text()) for path in (cut, whole))
    assert stored["scheduler"] == other["scheduler"]
    assert sorted(stored["resumed"][0]["overrides"]) == sorted(words)


def test_steps_that_are_done_are_refused_and_nothing_changes(cli: Cli, run: Callable[..., Path]) -> None:
    cut = run("cut")
    before = {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()}
    for wrong, said in {
        "trainer.max_steps=4": "trainer.max_steps: must be > 4",
        "trainer.max_steps=3": "trainer.max_steps: must be > 4",
        "resumed=[]": "resumed: cannot be changed",
        "optimizer.lr=1": "optimizer.lr: cannot be changed",
        "scheduler.T_max=0": "scheduler.T_max",
        "scheduler.total_steps=9": "scheduler.total_steps",
    }.items():
        outcome = cli("train", f"resume={cut}", wrong)
        assert outcome.code == 2
        assert said in outcome.error
    outcome = cli("train", f"resume={cut}", "trainer.max_steps=8", "scheduler=one_cycle", "scheduler.total_steps=3")
    assert outcome.code == 2, outcome
    assert {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("key", "part", "problem"),
    [
        ("callbacks", {"_target_": "ModelCheckpoint", "dirpath": "victim"}, "cannot be used in a configuration"),
    ],
)
def test_what_a_run_of_others_may_not_do_is_refused(
    cli: Cli, run: Callable[..., Path], key: str, part: dict[str, Any], problem: str
) -> None:
    handed = run("handed")
    stored = yaml.safe_load((handed / "config.yaml").read_text())
    part["_target_"] = f"pytorch_lightning.{key.rstrip('s')}s.{part['_target_']}"
    stored[key] = {**(stored[key] or {}), "x": part}
    (handed / "config.yaml").write_text(yaml.safe_dump(stored))
    outcome = cli("train", f"resume={handed}")
    assert outcome.code == 2
    assert problem in outcome.error


def test_records_of_a_run_that_cannot_be_read_are_named(cli: Cli, run: Callable[..., Path]) -> None:
    handed = run("handed")
    for name, content, problem in (
        ("config.yaml", "a: " + "[" * 20_000, "config.yaml: has an alias (*NAME) or more than 50 levels"),
        (
            "config.yaml",
            "seed: 0x" + "f" * 20_000,
            "config.yaml: has more than 50000 keys and values, or a number of 30 digits",
        ),
        (
            "config.yaml",
            "seed: 1" + ":59" * 20_000,
            "config.yaml: has more than 50000 keys and values, or a number of 30 digits",
        ),
        (
            "config.yaml",
            "a: 1\n" * 90_000,
            "config.yaml: has more than 50000 keys and values, or a number of 30 digits",
        ),
        (
            "config.yaml",
            "a: " + "9" * 5000,
            "config.yaml: has more than 50000 keys and values, or a number of 30 digits",
        ),
        ("checkpoints/last.ckpt", {"callbacks": {"SaveBest": 5}}, "last.ckpt: cannot be resumed"),
        ("metrics.csv", None, "metrics.csv: is not a regular file"),
    ):
        path = handed / name
        before = path.read_bytes()
        if isinstance(content, str):
            path.write_text(content)
        elif content is None:
            path.unlink()
            os.mkfifo(path)
        else:
            callbacks = dict.fromkeys(last(handed)["callbacks"], 5)
            torch.save({**last(handed), "callbacks": callbacks}, path)
        outcome = cli("train", f"resume={handed}", "trainer.max_steps=8")
        assert (outcome.code, problem in outcome.error) == (2, True), outcome.error
        path.unlink()
        path.write_bytes(before)


@pytest.mark.slow
def test_a_resumed_run_continues_its_run_of_wandb(
    vsr_lab: Callable[..., str], tiny_footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = tmp_path / "run"
    vsr_lab(*short(tiny_footage, run, "logger=wandb"))
    vsr_lab("train", f"resume={run}", "trainer.max_steps=8")
    number = yaml.safe_load((run / "config.yaml").read_text())["logger"]["wandb"]["id"]
    assert number
    assert [path.name.rpartition("-")[2] for path in (run / "wandb").glob("offline-run-*")] == [number] * 2
