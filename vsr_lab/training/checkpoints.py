"""Checkpoints that survive a kill at any moment: written whole beside, then moved into place, the previous one kept."""

import io
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities.exceptions import SIGTERMException

from vsr_lab.core.errors import UserError
from vsr_lab.training.start import below_start

LAST = Path("checkpoints/last.ckpt")


def previous(path: Path) -> Path:
    """Where the checkpoint before `path` is kept."""
    return path.with_suffix(f".previous{path.suffix}")


class RollingCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints and keeps the one that was there as well: `last.ckpt` is joined by `last.previous.ckpt`.

    The new one is on the disk before the old one is touched, and no two names share one file. A kill between the two
    moves leaves the old one under its second name alone, where `newest` finds it.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}")  # one name for all, so that kills leave no more than one behind
        buffer = io.BytesIO()  # torch, writing to a file, does not say that the disk is full
        torch.save(checkpoint, buffer)
        try:
            with new.open("wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            new.unlink(missing_ok=True)
            raise
        if path.exists():
            path.replace(previous(path))
        new.replace(path)


class SaveBest(ModelCheckpoint):
    """Writes `best.ckpt` after every validation whose val/score is higher than all before it.

    Nothing is written if most clips score lower than with the weights that the run started from, see
    `StartReference`. It also works after the run folder was moved.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "best", monitor="val/score", mode="max", enable_version_counter=False)

    def check_monitor_top_k(self, trainer: pl.Trainer, current: torch.Tensor | None = None) -> bool:
        return not below_start(trainer.callback_metrics) and super().check_monitor_top_k(trainer, current)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As Lightning's, which forgets the best score of a run whose folder was moved."""
        here = {key: self._moved(state_dict[key]) for key in state_dict if key.endswith("_model_path")}
        scores = {self._moved(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **here, "best_k_models": scores, "dirpath": self.dirpath})

    def _moved(self, path: str) -> str:
        return str(Path(str(self.dirpath), Path(path).name)) if path else path


class SaveLast(Checkpoint):
    """Writes `path` every `every` steps; after SIGTERM (a cluster that takes its machine back) and Ctrl-C also at the
    end of the current step, and ends the run there.

    A step with a validation after it is saved, and ended at, after that: Lightning would not make up for it in a
    resumed run, which would then end with other best weights. Nor does a run end between the batches of a step, or
    where several processes train together in some of them alone.
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


def newest(path: Path) -> tuple[Path, dict[str, Any]]:
    """The checkpoint at path, or the one before where that is missing or broken, and what is in it.

    Raises UserError where there is neither, and for what is broken where there is nothing before it.
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
    """A training checkpoint, plain tensors and numbers only. Raises UserError where it is broken or could run code."""
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds here, all of which mean the same to a user
        problem = "cannot be loaded as a checkpoint of plain tensors"
        raise UserError(path, problem, "resume from another checkpoint") from error
    if not isinstance(loaded, dict) or "global_step" not in loaded:
        raise UserError(path, "is not a checkpoint of a training", "resume from another checkpoint")
    return loaded
