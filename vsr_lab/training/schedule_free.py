"""Schedule-free optimizers, which average weights themselves (Defazio et al., "The road less scheduled", 2024)."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vsr_lab.data.batch import Batch


class SwitchWeights(Callback):
    """Callback for schedule-free optimizers: validation and the best checkpoint use the averaged weights.

    The optimizer trains other weights, to which it returns at the first training step after a validation. A checkpoint
    that is saved between the two contains the averaged weights, and any other one the trained weights; the state of the
    optimizer records which. A run resumes exactly from both.
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
    """Whether an optimizer keeps averaged weights."""
    return hasattr(optimizer, "eval") and hasattr(optimizer, "train")


def averaged(trainer: pl.Trainer) -> list[Any]:
    """The trainer's optimizers that keep averaged weights."""
    return [optimizer for optimizer in trainer.optimizers if averages(optimizer)]
