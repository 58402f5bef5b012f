"""Callbacks of a training: averaged weights, comparison with the initial weights, progress."""

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, RichProgressBar, WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from vsr_lab.core.clip import quantise
from vsr_lab.core.inputs import Inputs
from vsr_lab.core.ranges import Fraction
from vsr_lab.core.resize import imresize
from vsr_lab.data.batch import Batch
from vsr_lab.metrics import psnr

ABOVE_START = "val/above_start"


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights, used in validation and saved in checkpoints.

    The decay at a step is min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage. With a
    constant decay, the initial weights would dominate the average in a short training.

    Args:
        decay: in [0, 1]; a value closer to 1 averages over more steps.
    """

    def __init__(self, decay: Fraction) -> None:
        super().__init__(multi_avg_fn=self._average)
        self.decay = decay
        self._step = 0

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Update after every step."""
        if step_idx is None:
            return False
        self._step = step_idx
        return True

    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], count: Any) -> None:
        decay = min(self.decay, (1 + self._step) / (10 + self._step))
        get_ema_multi_avg_fn(decay)(tuple(averaged), tuple(current), count)


class SwitchWeights(Callback):
    """Callback for schedule-free optimizers: validation and the best checkpoint use the averaged weights.

    A schedule-free optimizer has two sets of weights: the trained weights, and their average. From the start of a
    validation to the next training step, the network has the averaged weights. A checkpoint that is saved in this time
    contains the averaged weights, and any other checkpoint the trained weights. The state of the optimizer records
    which of the two sets was saved, so a run can be resumed exactly from both kinds of checkpoint.
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
    """Whether an optimizer is schedule-free, that is, keeps averaged weights."""
    return hasattr(optimizer, "eval") and hasattr(optimizer, "train")


def averaged(trainer: pl.Trainer) -> list[Any]:
    """Those optimizers of a trainer that are schedule-free, that is, keep averaged weights."""
    return [optimizer for optimizer in trainer.optimizers if averages(optimizer)]


class StartReference(Callback):
    """Callback that compares every validation with bicubic and with the initial weights.

    It logs the PSNR of bicubic, the PSNR and the score of the initial weights, and the fraction of clips whose score
    is at least that of the initial weights. If this fraction is below one half, `SaveBest` does not save the weights.
    The initial weights are measured in Lightning's sanity check, which must include all clips
    (num_sanity_val_steps=-1).
    """

    def __init__(self) -> None:
        self.start: dict[str, list[float]] = {"score": [], "psnr": [], "bicubic": []}
        self._now: list[float] = []

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._now = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._now.append(float(outputs["score"]))
        if trainer.sanity_checking:
            inputs: Inputs = outputs["inputs"]
            sr, hr, lr, colour = (inputs[name] for name in ("sr", "hr", "lr", "colour"))
            upscaled = quantise(imresize(lr, hr.shape[-1] / lr.shape[-1]))
            self.start["score"].append(self._now[-1])
            self.start["psnr"].append(float(psnr(sr, hr, colour).mean()))
            self.start["bicubic"].append(float(psnr(upscaled, hr, colour).mean()))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        score, quality, bicubic = (torch.tensor(self.start[name]) for name in ("score", "psnr", "bicubic"))
        compared = ~score.isnan()  # a score without value, such as flicker where no pixel of HR stays visible
        above = (torch.tensor(self._now) >= score)[compared].float()
        values = {"above_start": above, "start_score": score[compared], "start_psnr": quality, "bicubic_psnr": bicubic}
        for name, value in values.items():
            if len(value):
                pl_module.log(f"val/{name}", value.mean(), sync_dist=True)

    def state_dict(self) -> dict[str, Any]:
        return {"start": self.start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.start = state_dict["start"]


def below_start(metrics: dict[str, Tensor]) -> bool:
    """Whether most clips of the last validation had a lower score than with the initial weights."""
    return ABOVE_START in metrics and bool(metrics[ABOVE_START] < 0.5)


class TrainingBar(RichProgressBar):
    """Lightning's progress bar, which counts the steps of the whole training also in a resumed run."""

    @property
    def total_train_batches(self) -> int | float:
        """Number of batches of the whole training; Lightning's own property counts only those that remain."""
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
    """Hide messages of Lightning that do not concern the user: tips, absent devices, deprecations inside Lightning."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*treespec.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
