"""Optimisers that train other weights than those to be used (Defazio et al., "The road less scheduled", 2024)."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vsr_lab.data.batch import Batch


class SwitchWeights(Callback):
    """Validation, and so the best checkpoint, sees the averaged weights of an optimiser that has any.

    The switch back waits for the next step: checkpoints of a validation are written in between, and hold the averages
    and that they do; others hold what is trained. A resumed run goes on exactly from either.
    """

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for optimizer in averaged(trainer):
            optimizer.eval()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        for optimizer in averaged(trainer):
            optimizer.train()


def averages(optimizer: Any) -> bool:
    """Whether an optimiser, or its class, keeps averaged weights of its own."""
    return hasattr(optimizer, "eval") and hasattr(optimizer, "train")


def averaged(trainer: pl.Trainer) -> list[Any]:
    """The trainer's optimisers that keep averaged weights."""
    return [optimizer for optimizer in trainer.optimizers if averages(optimizer)]
