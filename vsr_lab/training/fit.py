"""A training run: from parts to a run folder with the best weights in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.data.datamodule import Feed
from vsr_lab.models import fold_branches, fold_state, save_network
from vsr_lab.training.checkpoints import LAST, RollingCheckpointIO, SaveBest, SaveLast, newest
from vsr_lab.training.csv_log import CsvLog
from vsr_lab.training.module import VsrModule
from vsr_lab.training.nan_guard import LossSpikes, explained
from vsr_lab.training.schedule_free import SwitchWeights
from vsr_lab.training.start import below_start

WEIGHTS = "network.safetensors"


@dataclass(frozen=True)
class Trained:
    """What a run left behind. step: of the best weights; score: theirs on validation."""

    weights: Path
    step: int
    score: float


def check_trainer(module: VsrModule, trainer_options: dict[str, Any]) -> None:
    """Build what `fit` will, before anything is written. Raises UserError for options that do not fit.

    trainer_options: not to be used again, for a strategy among them serves one trainer.
    """
    bare: dict[str, Any] = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    try:
        pl.Trainer(**{**trainer_options, **bare})
    except (ValueError, TypeError, RuntimeError, ImportError, MisconfigurationException) as error:
        raise UserError("trainer", str(error).strip().splitlines()[0], "mend the key of trainer=") from error
    try:
        module.configure_optimizers()
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise UserError("optimizer or scheduler", str(error).strip().splitlines()[0], "mend the key") from error


def fit(
    module: VsrModule,
    data: Feed,
    trainer_options: dict[str, Any],
    callbacks: list[Callback],
    loggers: list[Logger],
    run_dir: Path,
    save_every: int,
    resume: bool,
    spec: dict[str, Any],
    about: dict[str, Any],
) -> Trained:
    """Train, or go on training, in run_dir; then write the best weights, with spec and about inside.

    trainer_options: keywords of pl.Trainer. Killed at any moment, the run loses at most `save_every` steps; told to
    stop by SIGTERM, none. Raises Stopped or UserError where it was stopped, or memory or disk ran out, and Refusal
    where its losses or scores are no numbers.
    """
    start, state = newest(run_dir / LAST) if resume else (None, {"global_step": 0})
    best = SaveBest(run_dir / LAST.parent)
    kept = [best, SaveLast(run_dir / LAST, save_every)]  # the best first, so that the last one knows of it
    trainer = pl.Trainer(
        **trainer_options,
        default_root_dir=run_dir,
        callbacks=[*callbacks, SwitchWeights(), LossSpikes(run_dir / "spikes.csv"), *kept],
        plugins=[RollingCheckpointIO()],
        logger=[CsvLog(run_dir / "metrics.csv", int(state["global_step"])), *loggers],
        # The sampler already deals samples to processes, as a function of the step.
        use_distributed_sampler=False,
        enable_model_summary=False,
    )
    try:
        trainer.fit(module, data, ckpt_path=start, weights_only=True)
    except (Exception, SystemExit) as error:
        told = explained(error, run_dir)
        if told is None:
            raise
        raise told from error
    if best.best_model_score is None or not torch.isfinite(best.best_model_score):
        below = below_start(trainer.callback_metrics)
        why = "was above the start on most clips" if below else "had a score that is a number"
        raise Refusal(f"no validation {why}; see {run_dir / 'metrics.csv'}, validation.score")
    _, state = newest(Path(best.best_model_path))
    prefix = "network."
    weights = {k.removeprefix(prefix): v for k, v in state["state_dict"].items() if k.startswith(prefix)}
    fold_branches(module.network)
    module.network.load_state_dict(fold_state(weights))
    step = int(state["global_step"])
    score = float(best.best_model_score)
    path = run_dir / WEIGHTS
    if trainer.is_global_zero:
        save_network(module.network, spec, {**about, "step": step, "score": score}, path)
    return Trained(path, step, score)
