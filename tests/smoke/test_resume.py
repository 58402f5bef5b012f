"""A run killed with SIGKILL in mid-epoch and resumed ends with the weights of the uninterrupted run, bit for bit."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.smoke.conftest import Outcome

VSR_LAB = Path(sys.executable).parent / "vsr-lab"
STEPS = 40
SAVE_EVERY = 8


def options(footage: Path, run_dir: Path, workers: int) -> list[str]:
    return [
        "train",
        "content=mixed",
        f"data.root={footage}",
        f"data.store={footage.parent / 'store'}",
        f"data.workers={workers}",
        "data.size=32",
        "data.clip_frames=4",
        "data.batch_size=2",
        "model.channels=4",
        "model.blocks=1",
        "degradation=blur_down",  # draws parameters, which have to be the same too
        "loss.terms.flicker.start=0.3",
        f"trainer.max_steps={STEPS}",
        "validation.every=20",
        f"save_every={SAVE_EVERY}",
        "logger=none",
        f"run_dir={run_dir}",
    ]


def steps_saved(run_dir: Path) -> int:
    try:
        return torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["global_step"]
    except FileNotFoundError:  # none yet, or just being replaced
        return 0


def kill_after(arguments: list[str], run_dir: Path, step: int) -> None:
    """Start vsr-lab and SIGKILL it, with its workers, once a checkpoint of `step` or later is there."""
    process = subprocess.Popen(
        [VSR_LAB, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while steps_saved(run_dir) < step:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_killed_and_resumed_is_bit_equal(
    cli: Callable[..., Outcome], tiny_footage: Path, tmp_path: Path, workers: int
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert cli(*options(tiny_footage, whole, workers)).code == 0
    kill_after(options(tiny_footage, cut, workers), cut, 2 * SAVE_EVERY)
    assert not (cut / "network.safetensors").exists()
    outcome = cli("train", f"resume={cut}")
    assert outcome.code == 0, outcome.error

    expected, resumed = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)
    last = [torch.load(d / "checkpoints" / "last.ckpt", weights_only=True) for d in (whole, cut)]
    assert last[0]["global_step"] == last[1]["global_step"] == STEPS
    for name, tensor in last[0]["state_dict"].items():
        assert torch.equal(tensor, last[1]["state_dict"][name]), name
    assert losses(whole) == losses(cut)


def losses(run_dir: Path) -> list[tuple[str, str, str]]:
    with (run_dir / "metrics.csv").open() as file:
        return [tuple(row) for row in csv.reader(file)]
