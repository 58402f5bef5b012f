"""Trainings in several processes: one training shared by two, and several trainings at once."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.smoke.test_resume import VSR_LAB, losses, options, steps_saved

pytestmark = pytest.mark.timeout(1800)


def short(footage: Path, run_dir: Path, *more: str) -> list[str]:
    fixed = ["trainer.max_steps=8", "validation.every=4", "degradation=bi", "trainer.accelerator=cpu", *more]
    named = {option.split("=")[0] for option in fixed}
    return [option for option in options(footage, run_dir, 0) if option.split("=")[0] not in named] + fixed


@pytest.mark.slow
def test_two_processes_make_what_one_makes_with_twice_the_batch(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    plain = ["loss.terms.flicker.weight=0"]  # its mean is over visible pixels, which each process counts for itself
    vsr_lab(*short(tiny_footage, one, *plain, "data.batch_size=4"))
    vsr_lab(*short(tiny_footage, two, *plain, "data.batch_size=2", "trainer=ddp", "trainer.devices=2"))
    expected, found = (load_file(run / "network.safetensors") for run in (one, two))
    for name, tensor in expected.items():
        assert torch.allclose(found[name], tensor, atol=1e-5), name
    # One row a value: only the first process writes. The weights did move.
    assert [row[:2] for row in losses(two)] == [row[:2] for row in losses(one)]
    assert expected["head.weight"].abs().max() > 1e-4


def test_two_devices_need_no_other_setting(tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]) -> None:
    vsr_lab(*short(tiny_footage, tmp_path / "run", "trainer.max_steps=2", "validation.every=2", "trainer.devices=2"))
    assert (tmp_path / "run" / "network.safetensors").is_file()


@pytest.mark.slow
def test_the_strategy_of_many_processes_trains_in_one(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]
) -> None:
    vsr_lab(*short(tiny_footage, tmp_path / "run", "trainer.max_steps=2", "trainer=ddp", "trainer.devices=1"))
    assert (tmp_path / "run" / "network.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("send", [os.kill, os.killpg])  # to the first process alone; to all, as a cluster does
@pytest.mark.parametrize("accumulate", [1, 3])
def test_told_to_stop_two_processes_save_together_and_the_resumed_run_is_bit_equal(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str], send: Callable[..., None], accumulate: int
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    more = ["trainer=ddp", "trainer.devices=2", f"trainer.accumulate_grad_batches={accumulate}", "trainer.max_steps=40"]
    more += ["validation.every=20", "save_every=1000"]
    vsr_lab(*short(tiny_footage, whole, *more))
    process = subprocess.Popen(
        [VSR_LAB, *short(tiny_footage, cut, *more)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    log = cut / "metrics.csv"
    while not (log.is_file() and log.read_text().count("\n") > 2):  # a step is done
        assert process.poll() is None
        time.sleep(0.01)
    send(process.pid, signal.SIGTERM)
    try:
        _, said = process.communicate(timeout=120)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 143, said
    assert 0 < steps_saved(cut) < 40
    vsr_lab("train", f"resume={cut}")
    expected, resumed = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_a_sweep_trains_each_job_in_a_folder_of_its_own(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str], launcher: str
) -> None:
    if launcher != "basic":
        pytest.importorskip(f"hydra_plugins.hydra_{launcher.split('_')[0]}_launcher")
    vsr_lab(*swept(tiny_footage, tmp_path, f"hydra/launcher={launcher}", "seed=0,1"))
    weights = [load_file(tmp_path / str(job) / "network.safetensors") for job in (0, 1)]
    assert not torch.equal(weights[0]["head.weight"], weights[1]["head.weight"])


@pytest.mark.slow
def test_optuna_steers_by_the_score(tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=2", "hydra.sweeper.direction=maximize"]
    vsr_lab(*swept(tiny_footage, tmp_path, *search, "optimizer.lr=tag(log, interval(1e-4, 1e-2))"))
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert found["name"] == "optuna"
    scores = [float(row[2]) for job in (0, 1) for row in losses(tmp_path / str(job)) if row[1] == "val/score"]
    assert min(abs(score - found["best_value"]) for score in scores) < 1e-3


def swept(footage: Path, folder: Path, *more: str) -> list[str]:
    one = [option for option in short(footage, folder) if not option.startswith("run_dir=")]
    return [one[0], "-m", *one[1:], f"hydra.sweep.dir={folder}", *more]
