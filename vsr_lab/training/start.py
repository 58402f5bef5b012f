"""References for every validation: bicubic and the initial weights."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from vsr_lab.core.inputs import Inputs
from vsr_lab.core.luma import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.metrics import psnr

ABOVE_START = "val/above_start"


class StartReference(Callback):
    """Callback that compares every validation with bicubic and with the initial weights.

    It logs the PSNR of both, and the fraction of clips whose PSNR is not lower than with the initial weights. The
    initial weights are measured in Lightning's sanity check, which must include all clips (num_sanity_val_steps=-1). If
    this fraction is below one half, `SaveBest` does not save the weights.
    """

    def __init__(self) -> None:
        self.start: list[float] = []
        self.bicubic: list[float] = []
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
        inputs: Inputs = outputs["inputs"]
        sr, hr, lr, colour = (inputs[name] for name in ("sr", "hr", "lr", "colour"))
        self._now.append(float(psnr(sr, hr, colour).mean()))
        if trainer.sanity_checking:
            upscaled = quantise(imresize(lr, hr.shape[-1] / lr.shape[-1]))
            self.bicubic.append(float(psnr(upscaled, hr, colour).mean()))

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            self.start = self._now
            return
        above = [now >= start for now, start in zip(self._now, self.start, strict=True)]
        for name, values in (("above_start", above), ("start_psnr", self.start), ("bicubic_psnr", self.bicubic)):
            pl_module.log(f"val/{name}", torch.tensor(values, dtype=torch.float32).mean(), sync_dist=True)

    def state_dict(self) -> dict[str, Any]:
        return {"start": self.start, "bicubic": self.bicubic}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.start, self.bicubic = state_dict["start"], state_dict["bicubic"]


def below_start(metrics: dict[str, Tensor]) -> bool:
    """Whether most clips of the last validation had a lower PSNR than with the initial weights."""
    return ABOVE_START in metrics and bool(metrics[ABOVE_START] < 0.5)
