"""What a person sees while a run goes."""

import logging
import warnings

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar


class TrainingBar(RichProgressBar):
    """Lightning's bar, in this project's words: one bar for the whole training, and the numbers that matter."""

    def _get_train_description(self, current_epoch: int) -> str:
        return "training"

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        shown = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        return shown


def quiet_lightning() -> None:
    """Silence notices that say nothing about this run: adverts, devices not there, deprecations in its own code."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*treespec.*")
    warnings.filterwarnings("ignore", message=".*transfer_batch_to_device.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
