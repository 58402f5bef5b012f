"""A training run: from parts to a run folder with the best weights in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers.logger import Logger

from vsr_lab.core.errors import UserError
from vsr_lab.models import save_network
from vsr_lab.training.feed import Feed
from vsr_lab.training.guard import LossSpikes, RollingCheckpointIO, SaveOnSignal, explained, previous
from vsr_lab.training.logs import CsvLog
from vsr_lab.training.module import VsrModule

LAST = Path("checkpoints/last.ckpt")
WEIGHTS = "network.safetensors"


@dataclass(frozen=True)
class Trained:
    """What a run left behind. step: of the best weights; score: theirs on validation."""

    weights: Path
    step: int
    score: float


def checkpoint_callbacks(run_dir: Path, every: int) -> tuple[ModelCheckpoint, ModelCheckpoint]:
    """The best checkpoint by val/score, written after validation; and the last, written every `every` steps.

    Lightning writes a checkpoint beside and moves it into place, so there is always a whole one.
    """
    folder = run_dir / LAST.parent
    best = ModelCheckpoint(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(folder, LAST.stem, every_n_train_steps=every, enable_version_counter=False)
    return best, last


def resumable(run_dir: Path) -> tuple[Path, int]:
    """The newest checkpoint of run_dir that can be read, and its step. Raises UserError where there is none."""
    last = run_dir / LAST
    if not last.is_file():
        raise UserError(run_dir, "has no checkpoints/last.ckpt to resume", "start a new run")
    try:
        return last, int(load_checkpoint(last)["global_step"])
    except UserError:
        if not previous(last).is_file():
            raise
        return previous(last), int(load_checkpoint(previous(last))["global_step"])


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A training checkpoint, plain tensors and numbers only. Raises UserError where it is broken or could run code."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds here, all of which mean the same to a user
        reason = str(error).strip().splitlines()[0]
        raise UserError(path, f"cannot be loaded ({reason})", "resume from another checkpoint") from error


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
    stop by SIGTERM, none. Raises Refusal where it was stopped, memory or disk ran out, or its losses are no numbers.
    """
    start, done = resumable(run_dir) if resume else (None, 0)
    best, last = checkpoint_callbacks(run_dir, save_every)
    trainer = pl.Trainer(
        **trainer_options,
        default_root_dir=run_dir,
        callbacks=[*callbacks, LossSpikes(run_dir / "spikes.csv"), SaveOnSignal(run_dir / LAST), best, last],
        plugins=[RollingCheckpointIO()],
        logger=[CsvLog(run_dir / "metrics.csv", done), *loggers],
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
    state = load_checkpoint(Path(best.best_model_path))
    prefix = "network."
    weights = {k.removeprefix(prefix): v for k, v in state["state_dict"].items() if k.startswith(prefix)}
    module.network.load_state_dict(weights)
    step = int(state["global_step"])
    assert best.best_model_score is not None  # validation ran, or there would be no best checkpoint
    score = float(best.best_model_score)
    path = run_dir / WEIGHTS
    save_network(module.network, spec, {**about, "step": step, "score": score}, path)
    return Trained(path, step, score)
