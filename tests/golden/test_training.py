"""A training of 20 steps: its losses and scores in float64, as kept in training_curve.csv.

Rewritten by: python -m tests.golden.test_training. In float32 two runs are equal to the bit.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT, write_moving_clip

GOLDEN = Path(__file__).with_name("training_curve.csv")
OPTIONS = [
    "content=mixed",
    "data.workers=0",
    "data.size=32",
    "data.clip_frames=4",
    "data.batch_size=2",
    "model.channels=4",
    "model.blocks=1",
    "degradation=blur_down",
    "loss.terms.flicker.start=0.5",
    "optimizer.lr=5e-3",
    "trainer.accelerator=cpu",
    "trainer.max_steps=20",
    "trainer.log_every_n_steps=1",
    "measure_every=5",
    "validation.every=10",
    "logger=none",
]
DOUBLE = ["callbacks.ema=null"]  # Lightning averages in float32 alone
# The command's own function in double precision, which the command refuses: it is for this comparison alone.
UNCHECKED = """
import sys
from hydra import initialize_config_dir
from vsr_lab.cli.app import composed
from vsr_lab.cli.train import train
from vsr_lab.cli.configuration.usage import config_dir
with initialize_config_dir(str(config_dir()), version_base="1.3"):
    config = composed("train", *sys.argv[1:])
trainer = config.trainer.model_copy(update={"precision": "64-true"})
train(config.model_copy(update={"trainer": trainer}))
"""
Curve = dict[tuple[int, str], float]


def train(folder: Path, name: str, *more: str) -> Path:
    """The run folder of a training on two rendered clips."""
    for seed in range(2):
        if not (path := folder / "footage" / f"clip_{seed}.mkv").exists():
            write_moving_clip(path, seed=seed)
    places = [f"data.root={folder / 'footage'}", f"data.store={folder / 'store'}", f"run_dir={folder / name}"]
    start = ["-c", UNCHECKED] if more == tuple(DOUBLE) else ["-m", "vsr_lab", "train"]
    subprocess.run(
        [sys.executable, *start, *OPTIONS, *places, *more],
        check=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    return folder / name


def curve(path: Path) -> Curve:
    """Step and name -> value of every loss and score in a metrics.csv."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {(int(step), name): float(value) for step, name, value in rows if name.startswith(("train/", "val/"))}


def test_a_double_precision_curve_is_the_golden_one(tmp_path: Path) -> None:
    found = curve(train(tmp_path, "run", *DOUBLE) / "metrics.csv")
    golden = curve(GOLDEN)
    assert sum(name == "train/loss" for _, name in golden) == 20
    assert found.keys() == golden.keys()
    for (step, name), value in golden.items():
        exact = 1e-8 if name.startswith("train/") else 1e-6  # scores are logged in float32
        assert found[step, name] == pytest.approx(value, rel=exact, abs=exact), (step, name)


def test_single_precision_is_the_same_twice(tmp_path: Path) -> None:
    one, other = (train(tmp_path, name) for name in ("one", "other"))
    assert (one / "metrics.csv").read_text() == (other / "metrics.csv").read_text()
    expected, found = (load_file(run / "network.safetensors") for run in (one, other))
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        made = train(Path(temporary), "run", *DOUBLE) / "metrics.csv"
        GOLDEN.write_text(made.read_text())
