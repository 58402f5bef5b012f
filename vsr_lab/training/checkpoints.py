"""Checkpoints of a training that may be killed at any moment: written atomically, and the previous one is kept."""

import io
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, Checkpoint, ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities.exceptions import SIGTERMException

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.tensor_files import load_tensors
from vsr_lab.training.callbacks import below_start
from vsr_lab.training.module import VsrModule

LAST = Path("checkpoints/last.ckpt")


def previous(path: Path) -> Path:
    """Path at which the previous checkpoint is kept: last.previous.ckpt for last.ckpt."""
    return path.with_suffix(f".previous{path.suffix}")


class RollingCheckpointIO(TorchCheckpointIO):
    """Lightning checkpoint plugin that keeps the previous checkpoint: `last.previous.ckpt`, `best.previous.ckpt`.

    The new checkpoint is written to a temporary file. Then `last.ckpt` is renamed to `last.previous.ckpt`, and the
    temporary file to `last.ckpt`. If the process is killed between the two renames, `newest` loads the previous
    checkpoint.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}")  # one name for all, so that kills leave no more than one behind
        buffer = io.BytesIO()  # torch, writing to a file, does not say that the disk is full
        torch.save(checkpoint, buffer)
        new.unlink(missing_ok=True)  # of a run that was handed over, it may be a link
        try:
            with new.open("xb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            new.unlink(missing_ok=True)
            raise
        if path.exists():
            path.replace(previous(path))
        new.replace(path)

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint file. The state of a checkpoint may name any path, but only .ckpt files are removed."""
        path = Path(path)
        if path.suffix == ".ckpt" and path.is_file() and not path.is_symlink():
            path.unlink()


class SaveBest(ModelCheckpoint):
    """Callback that saves `best.ckpt` after every validation with a new highest score (val/score).

    Nothing is saved if most clips have a lower score than with the initial weights, see `StartReference`. Unlike
    Lightning's `ModelCheckpoint`, it remembers the best score if the run is resumed in another folder.

    Args:
        folder: folder of the checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)

    def check_monitor_top_k(self, trainer: pl.Trainer, current: torch.Tensor | None = None) -> bool:
        return not below_start(trainer.callback_metrics) and super().check_monitor_top_k(trainer, current)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state as Lightning does, but keep the best score even if the run folder was moved."""
        here = {key: self._moved(state_dict[key]) for key in state_dict if key.endswith("_model_path")}
        scores = {self._moved(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **here, "best_k_models": scores, "dirpath": self.dirpath})

    def _moved(self, path: str) -> str:
        return str(Path(str(self.dirpath), Path(path).name)) if path else path


class SaveLast(Checkpoint):
    """Callback that saves a checkpoint regularly, and ends the run with a checkpoint after SIGTERM or Ctrl-C.

    After a signal, the run ends when the current step is complete, with all its batches if gradients are accumulated.
    If a validation follows that step, it is completed too, because a resumed run would skip it and could then select
    other best weights. If several processes train together, all of them end at the same step.

    Args:
        path: file of the checkpoint.
        every: number of steps between checkpoints.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self.every = every
        self._signal = 0
        self._ending = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)  # Lightning restores the previous handlers

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        batches, every = batch_idx + 1, trainer.val_check_batch
        assert isinstance(every, int)  # as val_check_interval is
        if batches % trainer.accumulate_grad_batches == 0 and batches % every != 0:
            self._end_step(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.sanity_checking:
            self._end_step(trainer)

    def _on_signal(self, number: int, frame: Any) -> None:
        self._signal = number
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)  # a second Ctrl-C does not wait for the step

    def _end_step(self, trainer: pl.Trainer) -> None:
        terminated = trainer.strategy.reduce_boolean_decision(self._signal > 0, all=False)
        if terminated or trainer.global_step % self.every == 0:
            trainer.save_checkpoint(self.path)
        self._ending = terminated

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._end()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._end()

    def _end(self) -> None:
        if self._ending:  # only now: Lightning logs a step after its last hook
            raise SIGTERMException(self._signal or signal.SIGTERM)


class FollowRecipe(Callback):
    """Callback by which a resumed run uses the schedule and the number of steps of the current settings.

    A checkpoint stores the learning rates and the scheduler of the run that saved it. Both are replaced by those that
    the current recipe gives for the step of the checkpoint. Nothing changes if the settings are the same.
    """

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        assert isinstance(pl_module, VsrModule)
        step = int(checkpoint["global_step"])
        optimizer, scheduler = pl_module.optimizer_at(step)
        kept = {"params", *optimizer.defaults} - {"lr", "betas", "momentum"}  # a scheduler may set all others
        stored = checkpoint["optimizer_states"][0]["param_groups"]
        for old, new in zip(stored, optimizer.param_groups, strict=True):
            old.update({key: value for key, value in new.items() if key not in kept})
        checkpoint["lr_schedulers"] = [scheduler.state_dict()]
        loops = checkpoint["loops"]["fit_loop"]
        progress = loops["epoch_loop.batch_progress"]
        progress["is_last_batch"] = False  # there may be more now
        is_validated = progress["total"]["completed"] == progress["total"]["processed"]
        if is_validated and step * trainer.accumulate_grad_batches % int(trainer.val_check_interval):
            # It was saved in a validation, at whose end Lightning counts the step; now no validation is due here.
            # The name is that of Lightning's checkpoint files; no public function sets it.
            loops["epoch_loop.state_dict"]["_batches_that_stepped"] = step


def newest(path: Path) -> tuple[Path, dict[str, Any]]:
    """Load the checkpoint at path, or the checkpoint `previous(path)` if the file at path is missing or damaged.

    Returns:
        Path and content of the checkpoint.

    Raises:
        UserError: neither of the two can be read.
    """
    kept = [place for place in (path, previous(path)) if place.is_file()]
    if not kept:
        raise UserError(path, "not found", "start a new run")
    try:
        return kept[0], _load(kept[0])
    except UserError:
        if len(kept) == 1:
            raise
        return kept[1], _load(kept[1])


def _load(path: Path) -> dict[str, Any]:
    """Load a checkpoint of tensors and numbers only. Raises UserError if it is damaged or could run code."""
    problem = "cannot be loaded as a checkpoint of plain tensors"
    with reported(
        Exception, path, problem, "restore this file from a backup, or start a new run"
    ):  # torch raises half a dozen kinds
        loaded: Any = load_tensors(path)
    if not _is_checkpoint(loaded):
        raise UserError(
            path, "is not a checkpoint of a training", "restore this file from a backup, or start a new run"
        )
    return loaded


def _is_checkpoint(loaded: Any) -> bool:
    """Whether a checkpoint has the parts that Lightning restores."""
    if not isinstance(loaded, dict) or type(loaded.get("global_step")) is not int or loaded["global_step"] < 0:
        return False
    states = loaded.get("optimizer_states")
    parts = [loaded.get(name) for name in ("state_dict", "callbacks", "loops")]
    return isinstance(states, list) and bool(states) and all(isinstance(part, dict) for part in (*states, *parts))
