"""Training runs, which turn data, a network and an objective into a run folder with the best weights."""

import os
import textwrap
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pydantic import JsonValue
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger

from vsr_lab.core.errors import Refusal, UserError, reported
from vsr_lab.core.network import Network
from vsr_lab.core.run_folder import RUN_MARK
from vsr_lab.core.spec import spec_of
from vsr_lab.core.tracking import set_up_wandb
from vsr_lab.losses import Charbonnier, Objective, Term
from vsr_lab.models import fold_branches, fold_state, save_network
from vsr_lab.models.files import WEIGHTS
from vsr_lab.training.adversarial import AdversarialModule
from vsr_lab.training.callbacks import (
    AveragedWeights,
    StartReference,
    SwitchWeights,
    TrainingBar,
    averages,
    below_start,
    quiet_lightning,
)
from vsr_lab.training.checkpoints import LAST, FollowRecipe, RollingCheckpointIO, SaveBest, SaveLast, newest
from vsr_lab.training.csv_log import CsvLog
from vsr_lab.training.dry_run import dry_run
from vsr_lab.training.failures import explained
from vsr_lab.training.module import Recipe, Validation, VsrModule
from vsr_lab.training.optimization import evened


@dataclass(frozen=True)
class RunFolder:
    """Folder of a training run, interval of its checkpoints, and whether it is resumed.

    Args:
        path: the run folder.
        about: notes that are stored in the weights file, serialisable as JSON. Set "trained_with" to "adversarial" if
            the initial weights were trained with a discriminator.
        save_every: number of steps between checkpoints. A run that is killed loses at most this number of steps; a run
            that is stopped by SIGTERM or Ctrl-C loses none.
        resume: continue the run in path from its last checkpoint.
        begin: function that creates the folder of a new run, or prepares that of a resumed one; it is called once,
            after all checks. None: the folder of a new run is created, and must not exist yet.
    """

    path: Path
    about: Mapping[str, JsonValue] = field(default_factory=dict)
    save_every: int = 50
    resume: bool = False
    begin: Callable[[], object] | None = None

    def make(self) -> None:
        """Create the folder of a new run or prepare that of a resumed one, by `begin` if it is set."""
        if self.begin:
            self.begin()
        elif not self.resume:
            if self.path.exists():
                raise UserError(self.path, "already exists", "choose another folder, or set resume=True")
            self.path.mkdir(parents=True)


@dataclass(frozen=True)
class TrainerOptions:
    """Duration, device, callbacks and loggers of a training, which are passed to Lightning's Trainer.

    Args:
        max_steps: number of optimizer steps.
        validate_every: maximum number of steps between validations; the last one is at the end or a few steps before
            it, see `evened`.
        lightning: other keywords of pl.Trainer (accelerator, devices, precision, gradient_clip_val, ...).
        callbacks: callbacks; by default a progress bar and an exponential moving average of the weights.
        loggers: loggers in addition to metrics.csv.
    """

    max_steps: int = 1000
    validate_every: int = 100
    lightning: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Sequence[Callback] = field(default_factory=lambda: [TrainingBar(), AveragedWeights(0.99)])
    loggers: Sequence[Logger] = ()


class Trained(NamedTuple):
    """The result of a training run.

    Attributes:
        weights: file of the best weights.
        step: training step of the best weights.
        score: validation score of the best weights.
    """

    weights: Path
    step: int
    score: float


def train(
    data: pl.LightningDataModule,
    network: Network,
    objective: Objective | None = None,
    *,
    run: RunFolder | Path | str,
    recipe: Recipe = Recipe(),  # noqa: B008 - frozen
    validation: Validation | None = None,
    options: TrainerOptions | None = None,
) -> Trained:
    """Train a network, and write its best weights, checkpoints and metrics to the run folder.

    Before anything is written, options and losses are checked, and a step is tried, see `dry_run`. A run that is killed
    at any moment and resumed ends with the same weights, scores and metrics as an uninterrupted one.

    Args:
        data: yields `Batch` objects, see `VideoDataModule`; with any other data module, there is no dry run.
        network: network to train, in place; it has the best weights at the end.
        objective: the losses; the Charbonnier loss by default.
        run: where the run is stored, and whether it is resumed; a path means a new run in a folder that must not exist.
        recipe: optimizer, scheduler and logging of losses.
        validation: metrics, and the score that selects the best weights; PSNR and flicker by default.
        options: duration, device, callbacks and loggers; 1000 steps by default.

    Returns:
        File, step and score of the best weights.

    Raises:
        UserError: an option or the dry run fails, the folder exists, no run can be resumed, or memory is full.
        Stopped: a signal ended the run; it can be resumed.
        Refusal: too many batches had a loss that was not finite, or no validation gave weights to save.

    Example:
        >>> from vsr_lab.data.datamodule import CropOptions, LoaderOptions, VideoDataModule, WindowOptions
        >>> from vsr_lab import degradations, models, training
        >>> crops, windows = CropOptions(frames=3, size=32), WindowOptions(frames=3, size=32, clips=1, hold_out=0.2)
        >>> sizes = {"crops": crops, "windows": windows, "loading": LoaderOptions(batch_size=2, workers=0)}
        >>> data = VideoDataModule.from_footage("footage", degradations.ResizeDown(2), "store", **sizes)
        >>> options = training.TrainerOptions(2, 2, {"accelerator": "cpu", "enable_progress_bar": False}, callbacks=[])
        >>> trained = vsr_lab.train(data, models.Recurrent(2, 8, blocks=1), run="runs/small", options=options)
        >>> trained.step, trained.weights.as_posix()
        (2, 'runs/small/network.safetensors')
    """
    objective, options = objective or Objective({"charbonnier": Term(Charbonnier(), 1.0)}), options or TrainerOptions()
    run = run if isinstance(run, RunFolder) else RunFolder(Path(run), about={"name": Path(run).name})
    spec_of(network)  # raises where it could not be saved
    kind = AdversarialModule if objective.is_adversarial else VsrModule
    module = kind(network, objective, recipe, validation=validation or Validation())
    checkpoint, state = newest(run.path / LAST) if run.resume else (None, {"global_step": 0})
    log, best = CsvLog(run.path / "metrics.csv"), SaveBest(run.path / LAST.parent)
    trainer = make_trainer(run, options, log, best)
    _check_state(module, state, run.path)
    _check_optimizer(module, options, state["global_step"])
    dry_run(module, data, trainer)
    run.make()
    log.start(state["global_step"])
    try:
        with _wandb(options.loggers):
            trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    except (Exception, SystemExit) as error:
        report = explained(error, run.path) or (run.resume and not module.is_started and _unfit(error, run.path))
        if not report:
            raise
        raise report from error
    return _save_best(trainer, network, best, run)


def _unfit(error: BaseException, folder: Path) -> UserError:
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
    hint = "restore this file from a backup, or start a new run"
    return UserError(folder / LAST, f"cannot be resumed ({reason})", hint)


def make_trainer(run: RunFolder, options: TrainerOptions, log: CsvLog, best: SaveBest) -> pl.Trainer:
    """Create the trainer of a run, without writing anything. Raises UserError for options that Lightning refuses."""
    quiet_lightning()
    lightning = dict(options.lightning)
    every = evened(options.validate_every, options.max_steps) * lightning.get("accumulate_grad_batches", 1)
    from_start = any(isinstance(callback, StartReference) for callback in options.callbacks)
    own = [
        FollowRecipe(),
        SwitchWeights(),
        best,  # before the last, which keeps its state
        SaveLast(run.path / LAST, run.save_every),
    ]
    try:
        return pl.Trainer(
            **lightning,
            max_steps=options.max_steps,
            val_check_interval=every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=-1 if from_start else 0,
            default_root_dir=run.path,
            callbacks=[*options.callbacks, *own],
            plugins=[RollingCheckpointIO()],
            logger=[log, *options.loggers],
            use_distributed_sampler=False,  # the sampler already splits batches by process
            enable_model_summary=False,
        )
    except (ValueError, TypeError, RuntimeError, ImportError, MisconfigurationException) as error:
        reason = textwrap.shorten(str(error).partition(". ")[0].rstrip("!."), 160, placeholder=" ...")
        key = "callbacks" if "callback" in reason else "trainer"
        where = f"{run.path / RUN_MARK}: {key}" if run.resume else key
        raise UserError(where, reason, f"correct the keys of {key}") from error


def _check_state(module: VsrModule, stored: Mapping[str, Any], folder: Path) -> None:
    """Raise UserError if a checkpoint holds tensors of other names or shapes than the network has."""
    own = module.state_dict()
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in (stored.get("state_dict", own), own)]
    if shapes[0] != shapes[1]:
        problem = "contains the weights of another network than config.yaml describes"
        raise UserError(folder / "checkpoints", problem, "restore config.yaml, or start a new run")


def _check_optimizer(module: VsrModule, options: TrainerOptions, step: int) -> None:
    """Build optimizer and scheduler at a step of the schedule. Raises UserError for settings that do not fit."""
    if step > options.max_steps:
        raise UserError("trainer.max_steps", f"must be >= {step}, the steps that are done, got {options.max_steps}")
    with reported((ValueError, TypeError, ZeroDivisionError), "optimizer or scheduler", "{}", "correct this value"):
        optimizer, _ = module.optimizer_at(step)
    if averages(optimizer) and any(isinstance(callback, AveragedWeights) for callback in options.callbacks):
        problem = "would average weights that the optimizer averages already"
        raise UserError("callbacks.ema", problem, "set callbacks.ema=null")


@contextmanager
def _wandb(loggers: Sequence[Logger]) -> Generator[None]:
    """Keep wandb silent, and end its run; otherwise the next training in this process would continue it."""
    ours = [logger for logger in loggers if isinstance(logger, WandbLogger)]
    if not ours:
        yield
        return
    import wandb  # no other training needs it

    silent = os.environ.setdefault("WANDB_SILENT", "true") == "true"
    offline = any(getattr(logger, "_offline", True) for logger in ours)
    set_up_wandb(silent, offline)
    if offline and not all(logger.experiment.offline for logger in ours):
        raise RuntimeError("wandb is not offline, although its logger is")
    try:
        yield
    finally:
        wandb.finish()


def _save_best(trainer: pl.Trainer, network: Network, best: SaveBest, run: RunFolder) -> Trained:
    """Write the weights of the best checkpoint, with branches merged. Raises Refusal if no weights were saved."""
    if best.best_model_score is None or not torch.isfinite(best.best_model_score):
        below = below_start(trainer.callback_metrics)
        why = "no validation was better than the start on most clips" if below else "no validation score was finite"
        hint = "lower optimizer.lr, or change validation.score"
        raise Refusal(f"{why} (see {run.path / 'metrics.csv'}); {hint}")
    _, state = newest(Path(best.best_model_path))
    prefix = "network."
    weights = {k.removeprefix(prefix): v for k, v in state["state_dict"].items() if k.startswith(prefix)}
    fold_branches(network)
    network.load_state_dict(fold_state(weights))
    trained = Trained(run.path / WEIGHTS, int(state["global_step"]), float(best.best_model_score))
    if trainer.is_global_zero:
        adversarial = isinstance(trainer.lightning_module, AdversarialModule)
        trained_with = "adversarial" if adversarial else run.about.get("trained_with", "fidelity")
        about = {**run.about, "trained_with": trained_with, "step": trained.step, "score": trained.score}
        save_network(network, about, trained.weights)
    return trained
