"""A run stopped anywhere and gone on with is the run that was never stopped: weights, scores, curves."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch.utils.data import DataLoader

from vsr_lab.core.errors import Refusal, Stopped
from vsr_lab.data.batch import Batch, pair_on_device
from vsr_lab.data.datamodule import StepSampler
from vsr_lab.degradations import ResizeDown
from vsr_lab.models import Recurrent
from vsr_lab.training import LAST, AveragedWeights, RunFolder, Trained, TrainerOptions, Validation, VsrModule, train

STEPS = 8
Run = Callable[..., Trained]


class Killed(BaseException):
    """As SIGKILL: nothing that would tidy up for an error does so."""


class Do(Callback):
    """Calls `what` in the hook of this name, at this global step; batch: and where this is its last argument."""

    def __init__(self, hook: str, step: int, what: Callable[[], Any], batch: int | None = None) -> None:
        def called(trainer: pl.Trainer, module: pl.LightningModule, *told: Any) -> None:
            if trainer.global_step == step and batch in (None, told[-1] if told else None):
                what()

        setattr(self, hook, called)


def kill() -> None:
    raise Killed


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def made(count: int) -> list[Batch]:
    draw = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (count, 1, 3, 3, 32, 32), dtype=torch.uint8, generator=draw)
    return [Batch(noise[i], None, [{}], [i], ["noise"], [0]) for i in range(count)]


class Noise(pl.LightningDataModule):
    """Batch `i` for step i, two of them to validate on."""

    def loader(self, first: int, stop: int) -> DataLoader[Batch]:
        return DataLoader(made(stop), batch_sampler=StepSampler(first, stop, 1), collate_fn=lambda one: one[0])  # type: ignore[arg-type]

    def train_dataloader(self) -> DataLoader[Batch]:
        accumulate = self.trainer.accumulate_grad_batches
        return self.loader(self.trainer.global_step * accumulate, self.trainer.max_steps * accumulate)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.loader(0, 2)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        return pair_on_device(ResizeDown(2), batch, torch.float32)


class Watch(Callback):
    """Knows the trainer."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self.trainer = trainer


@pytest.fixture
def run(make_module: Callable[..., VsrModule]) -> Run:
    """run(folder, callback, ...): trains 8 steps; of the validations after every second, that of step 4 scores best."""

    def trained(
        folder: Path, *callbacks: Callback, resume: bool = False, accumulate: int = 1, save: int = 1
    ) -> Trained:
        torch.manual_seed(0)
        network = Recurrent(2, channels=4, blocks=1)
        like, watch = make_module(network), Watch()
        fixed = {"accelerator": "cpu", "enable_progress_bar": False, "log_every_n_steps": 1}
        return train(
            Noise(),
            network,
            like.objective,
            run=RunFolder(folder, {}, save_every=save, resume=resume, begin=lambda: folder.mkdir(exist_ok=True)),
            recipe=like.recipe,
            validation=Validation(
                {"fourth": lambda sr: sr.new_full(sr.shape[:2], -abs(watch.trainer.global_step - 4))}, {"fourth": 1.0}
            ),
            options=TrainerOptions(
                max_steps=STEPS,
                validate_every=2,
                lightning={**fixed, "accumulate_grad_batches": accumulate},
                callbacks=[AveragedWeights(0.9), watch, *callbacks],
            ),
        )

    return trained


def check_same(whole: Path, cut: Path) -> None:
    """The weights in training, the best ones, and the curves."""
    for name, part in (("last", "current_model_state"), ("best", "state_dict")):
        states = [torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True) for run in (whole, cut)]
        assert states[0]["global_step"] == states[1]["global_step"]
        assert all(torch.equal(tensor, states[1][part][key]) for key, tensor in states[0][part].items()), name
    assert (cut / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()


HOOKS = ["on_train_batch_end", "on_validation_start", "on_validation_batch_end", "on_validation_end"]
MOMENTS = [(3, HOOKS[0]), *((step, hook) for step in (4, 6, 8) for hook in HOOKS)]


@pytest.mark.parametrize(("step", "hook"), MOMENTS)
def test_killed_at_a_step_or_in_its_validation(run: Run, tmp_path: Path, hook: str, step: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "cut", Do(hook, step, kill))
    cut = run(tmp_path / "cut", resume=True)
    assert (cut.step, cut.score) == (whole.step, whole.score) == (4, 0)
    check_same(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(("step", "hook"), MOMENTS)
def test_told_to_stop_at_a_step_or_in_its_validation_loses_none(run: Run, tmp_path: Path, hook: str, step: int) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(Stopped):
        run(tmp_path / "cut", Do(hook, step, terminate), save=1000)
    assert torch.load(tmp_path / "cut" / LAST, weights_only=True)["global_step"] == step
    cut = run(tmp_path / "cut", resume=True)
    assert (cut.step, cut.score) == (whole.step, whole.score) == (4, 0)
    check_same(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(("step", "hook"), [(3, HOOKS[0]), (4, HOOKS[1])])
def test_ctrl_c_saves_the_step_as_sigterm_does(run: Run, tmp_path: Path, hook: str, step: int) -> None:
    with pytest.raises(Stopped, match="stopped by SIGINT; continue by vsr-lab train resume=") as stopped:
        run(tmp_path / "cut", Do(hook, step, lambda: signal.raise_signal(signal.SIGINT)), save=1000)
    assert stopped.value.code == 130
    assert torch.load(tmp_path / "cut" / LAST, weights_only=True)["global_step"] == step


def test_told_to_stop_between_the_batches_of_a_step_ends_with_it(run: Run, tmp_path: Path) -> None:
    run(tmp_path / "whole", accumulate=3)
    with pytest.raises(Stopped):
        run(tmp_path / "cut", Do("on_train_batch_start", 2, terminate, batch=7), accumulate=3, save=1000)
    assert torch.load(tmp_path / "cut" / LAST, weights_only=True)["global_step"] == 3
    run(tmp_path / "cut", resume=True, accumulate=3)
    check_same(tmp_path / "whole", tmp_path / "cut")


def test_a_run_that_was_moved_knows_its_best_weights(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        run(tmp_path / "here", Do("on_train_batch_end", 5, kill))
    (tmp_path / "here").rename(tmp_path / "there")
    trained = run(tmp_path / "there", resume=True)
    assert (trained.step, trained.score) == (4, 0)


def test_scores_that_are_no_numbers_choose_no_weights(run: Run, tmp_path: Path) -> None:
    def spoil(trainer: pl.Trainer, module: VsrModule) -> None:
        module.validation = replace(module.validation, score={"fourth": float("nan")})

    callback = Callback()
    callback.on_train_start = spoil  # type: ignore[method-assign]
    with pytest.raises(Refusal, match="no validation score was finite"):
        run(tmp_path / "run", callback)
    assert not (tmp_path / "run" / "network.safetensors").exists()
