"""Nothing loses a run: losses of NaN, a stop signal, no memory, a full disk, a broken checkpoint."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.smoke.conftest import Outcome
from tests.smoke.test_resume import VSR_LAB, kill_after, options, steps_saved

Cli = Callable[..., Outcome]
TERM = "+loss.terms.fault={_target_: vsr_lab.losses.Term, weight: 1, loss: {_target_: tests.smoke.faults.%s}}"
MEMORY = TERM % "OutOfMemory"


def nan_at(*calls: int) -> str:
    return TERM % f"NanAt, calls: {list(calls)}"


def quick(footage: Path, run_dir: Path, *more: str) -> list[str]:
    short = ["trainer.max_steps=12", "validation.every=12", "save_every=4", *more]
    kept = [o for o in options(footage, run_dir, 0) if o.split("=")[0] not in {s.split("=")[0] for s in short}]
    return [o for o in kept if o != "train"] + short


def test_a_batch_of_nan_is_named_and_training_goes_on(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cli("train", *quick(tiny_footage, run, nan_at(3, 7), "skip_limit=2"))
    assert outcome.code == 0, outcome.error
    weights = load_file(run / "network.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    said = outcome.output.replace("\n", "")
    for step, samples in ((3, "[6, 7]"), (7, "[14, 15]")):  # two samples a step
        assert f"the loss is nan at step {step}, samples {samples} (clip_" in said, said


def test_one_batch_of_nan_too_many_ends_the_run_and_is_named(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cli("train", *quick(tiny_footage, run, nan_at(5, 6, 7), "skip_limit=2"))
    assert outcome.code == 1
    for said in ("nan at step 7", "samples [14, 15]", "clip_", "skip_limit=2"):
        assert said in outcome.error, outcome.error
    assert steps_saved(run) == 4  # the last good one


def test_gradients_of_nan_spoil_no_weights(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = cli("train", *quick(tiny_footage, run, TERM % "Steep", "+loss.terms.fault.start=0.5", "skip_limit=3"))
    assert outcome.code == 1
    assert "the gradients of the loss at step 9 are NaN or infinite (batches with NaN or infinity: 4" in outcome.error
    weights = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_no_memory_is_told_with_the_keys_to_turn(cli: Cli, tiny_footage: Path, tmp_path: Path) -> None:
    outcome = cli("train", *quick(tiny_footage, tmp_path / "run", MEMORY))
    assert outcome.code == 2
    assert "training: ran out of memory" in outcome.error
    assert "data.batch_size" in outcome.error


def test_sigterm_saves_the_step_in_hand_and_the_resumed_run_is_bit_equal(
    cli: Cli, tiny_footage: Path, tmp_path: Path
) -> None:
    """The signal comes to the run and to its workers, as from a cluster."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert cli(*options(tiny_footage, whole, 0), "save_every=1000").code == 0
    arguments = [*options(tiny_footage, cut, 2), "save_every=1000"]
    process = subprocess.Popen(
        [VSR_LAB, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    log = cut / "metrics.csv"
    while not (log.is_file() and log.read_text().count("\n") > 2):  # some steps are done
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "stopped by SIGTERM; continue by vsr-lab train resume=" in said
    assert 0 < steps_saved(cut) < 40
    outcome = cli("train", f"resume={cut}")
    assert outcome.code == 0, outcome.error
    expected, resumed = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


@pytest.mark.slow
def test_a_disk_that_takes_no_checkpoint_stops_the_run_cleanly_and_keeps_the_last_good_one(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]
) -> None:
    run = tmp_path / "run"
    arguments = options(tiny_footage, run, 0)
    kill_after(arguments, run, 8)
    good = (run / "checkpoints" / "last.ckpt").read_bytes()

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(good) // 2, len(good) // 2))

    done = subprocess.run(
        [VSR_LAB, "train", f"resume={run}"], capture_output=True, text=True, check=False, preexec_fn=small_files
    )
    assert done.returncode == 2, done.stderr
    assert "checkpoints: the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert (run / "checkpoints" / "last.ckpt").read_bytes() == good
    vsr_lab("train", f"resume={run}")
    assert (run / "network.safetensors").is_file()


@pytest.mark.slow
def test_a_broken_last_checkpoint_gives_way_to_the_one_before(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str]
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    vsr_lab(*options(tiny_footage, whole, 0))
    kill_after(options(tiny_footage, cut, 0), cut, 16)
    last = cut / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    assert torch.load(cut / "checkpoints" / "last.previous.ckpt", weights_only=True)["global_step"] >= 8
    vsr_lab("train", f"resume={cut}")
    expected, resumed = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


@pytest.mark.slow
def test_killed_about_the_last_validation_and_resumed_is_bit_equal(
    cli: Cli, tiny_footage: Path, tmp_path: Path
) -> None:
    """The step before the last is saved; the last one is only after its validation."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    more = ["trainer.max_steps=6", "validation.every=4", "save_every=1"]  # judges 3 and 6
    assert cli("train", *quick(tiny_footage, whole, *more)).code == 0
    kill_after(["train", *quick(tiny_footage, cut, *more)], cut, 5)
    assert not (cut / "network.safetensors").exists()
    outcome = cli("train", f"resume={cut}")
    assert outcome.code == 0, outcome.error
    expected, resumed = load_file(whole / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("trial", range(12))
def test_killed_anywhere_and_resumed_is_bit_equal(
    whole_run: Path, tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str], trial: int
) -> None:
    """SIGKILL at moments spread over the run, twice: in steps, in saving, in validation."""
    cut = tmp_path / "cut"
    arguments = [*options(tiny_footage, cut, trial % 3), "save_every=1", "validation.every=5"]
    for attempt, command in enumerate((arguments, ["train", f"resume={cut}"])):
        process = subprocess.Popen(
            [VSR_LAB, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while steps_saved(cut) < 1 + attempt and process.poll() is None:
            time.sleep(0.002)
        time.sleep(0.07 * trial)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not (cut / "network.safetensors").exists():
        vsr_lab("train", f"resume={cut}")
    expected, resumed = load_file(whole_run / "network.safetensors"), load_file(cut / "network.safetensors")
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


@pytest.fixture(scope="session")
def whole_run(tiny_footage: Path, tmp_path_factory: pytest.TempPathFactory, vsr_lab: Callable[..., str]) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    vsr_lab(*options(tiny_footage, run, 0), "save_every=1", "validation.every=5")
    return run
