"""An optimiser that averages by itself: the average is what is judged and kept, and a resumed run goes on exactly."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.smoke.conftest import Outcome
from tests.smoke.test_resume import kill_after, options

pytest.importorskip("schedulefree")
FREE = ["optimizer=schedule_free", "optimizer.warmup_steps=2", "scheduler=constant", "callbacks.ema=null"]


def test_the_best_weights_are_the_average_and_the_last_those_in_training(
    cli: Callable[..., Outcome], tiny_footage: Path, tmp_path: Path
) -> None:
    run, longer = tmp_path / "run", tmp_path / "longer"
    for steps, folder in ((6, run), (12, longer)):  # saved at step 6: after its validation, and without one
        told = [f"trainer.max_steps={steps}", f"validation.every={steps}", "save_every=6", "loss.terms.flicker.start=0"]
        named = {word.split("=")[0] for word in told}
        kept = [word for word in options(tiny_footage, folder, 0)[1:] if word.split("=")[0] not in named]
        outcome = cli("train", *kept, *told, *FREE)
        assert outcome.code == 0, outcome.error
    places = [run / "checkpoints" / "best.ckpt", longer / "checkpoints" / "last.previous.ckpt"]
    best, last = (torch.load(place, weights_only=True) for place in places)
    modes = [state["optimizer_states"][0]["param_groups"][0]["train_mode"] for state in (best, last)]
    assert modes == [False, True]
    used, trained = (state["state_dict"]["network.head.weight"] for state in (best, last))
    other = last["optimizer_states"][0]["state"]
    beta = 0.9
    # y = (1 - beta) z + beta x: what is trained lies between the average x and the fast weights z.
    z = next(entry["z"] for entry in other.values() if entry["z"].shape == used.shape)
    assert torch.allclose(trained, (1 - beta) * z + beta * used, atol=1e-6)
    assert not torch.allclose(trained, used, atol=1e-6)
    assert torch.equal(load_file(run / "network.safetensors")["head.weight"], used)


def test_weights_are_not_averaged_twice(cli: Callable[..., Outcome], tiny_footage: Path, tmp_path: Path) -> None:
    outcome = cli("train", *options(tiny_footage, tmp_path / "run", 0)[1:], *FREE[:-1])
    assert outcome.code == 2
    assert "callbacks.ema" in outcome.error


@pytest.mark.slow
@pytest.mark.parametrize("every", [8, 20])  # 20: saved after a validation, with the averages in place
def test_a_killed_run_is_resumed_bit_for_bit(
    tiny_footage: Path, tmp_path: Path, vsr_lab: Callable[..., str], every: int
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    vsr_lab(*options(tiny_footage, whole, 0), *FREE)
    kill_after([*options(tiny_footage, cut, 0), *FREE, f"save_every={every}"], cut, every)
    vsr_lab("train", f"resume={cut}")
    expected, resumed = (load_file(run / "network.safetensors") for run in (whole, cut))
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


def test_a_package_that_is_not_installed_is_named(
    cli: Callable[..., Outcome], tiny_footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "schedulefree", None)
    outcome = cli("train", *options(tiny_footage, tmp_path / "run", 0)[1:], *FREE)
    assert outcome.code == 2
    assert "schedulefree: is not installed; pip install 'vsr-lab[training]'" in outcome.error
    assert not (tmp_path / "run").exists()
