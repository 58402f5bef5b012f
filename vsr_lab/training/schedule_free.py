"""Schedule-free optimizers, which average weights themselves (Defazio et al., "The road less scheduled", 2024)."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from vsr_lab.data.batch import Batch


class SwitchWeights(Callback):
    """Callback for schedule-free optimizers: validation and the best checkpoint use the averaged weights.

    Such an optimizer has two sets of weights: those that it trains, and their average. The network has the averaged
    weights from the start of a validation to the next training step, so a checkpoint that is saved in between contains
    them; any other checkpoint contains the trained weights. The state of the optimizer records which, so a run resumes
    exactly from either.
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
