"""Terminal output during a run."""

import logging
import warnings

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar


class TrainingBar(RichProgressBar):
    """Lightning's progress bar over the whole training, which a resumed run continues."""

    @property
    def total_train_batches(self) -> int | float:
        """Number of batches of the whole training; Lightning itself counts only the remaining ones."""
        return self.trainer.num_training_batches

    def _get_train_description(self, current_epoch: int) -> str:
        return "training"

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        shown = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        return shown


def quiet_lightning() -> None:
    """Hide Lightning's messages that do not concern the run: tips, absent devices, deprecations inside Lightning."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*treespec.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
