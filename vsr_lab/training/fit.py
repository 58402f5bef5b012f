"""A training run: from parts to a run folder with the best weights in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger

from vsr_lab.models import save_network
from vsr_lab.training.checkpoints import LAST, RollingCheckpointIO, checkpoint_callbacks, newest, resumable
from vsr_lab.training.feed import Feed
from vsr_lab.training.guard import LossSpikes, SaveOnSignal, explained
from vsr_lab.training.logs import CsvLog
from vsr_lab.training.module import VsrModule
from vsr_lab.training.schedule_free import SwitchWeights

WEIGHTS = "network.safetensors"


@dataclass(frozen=True)
class Trained:
    """What a run left behind. step: of the best weights; score: theirs on validation."""

    weights: Path
    step: int
    score: float


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
    start, done = resumable(run_dir, trainer_options["max_steps"]) if resume else (None, 0)
    best, last = checkpoint_callbacks(run_dir, save_every)
    kept = [SaveOnSignal(run_dir / LAST), best, last]  # after whatever changes state at the end of a step
    trainer = pl.Trainer(
        **trainer_options,
        default_root_dir=run_dir,
        callbacks=[*callbacks, SwitchWeights(), LossSpikes(run_dir / "spikes.csv"), *kept],
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
    _, state = newest(Path(best.best_model_path))
    prefix = "network."
    weights = {k.removeprefix(prefix): v for k, v in state["state_dict"].items() if k.startswith(prefix)}
    module.network.load_state_dict(weights)
    step = int(state["global_step"])
    assert best.best_model_score is not None  # validation ran, or there would be no best checkpoint
    score = float(best.best_model_score)
    path = run_dir / WEIGHTS
    if trainer.is_global_zero:
        save_network(module.network, spec, {**about, "step": step, "score": score}, path)
    return Trained(path, step, score)
