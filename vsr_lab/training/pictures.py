"""Images of validation clips, for loggers that can show them."""

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from torch import Tensor
from torchvision.utils import flow_to_image, make_grid

from vsr_lab.core.clip import to_frames
from vsr_lab.core.flow import Motion, warp_previous
from vsr_lab.core.inputs import Inputs
from vsr_lab.core.ranges import Count
from vsr_lab.core.resize import imresize
from vsr_lab.data.batch import Batch
from vsr_lab.data.holdout import spread

_COLUMNS = 4  # frames of a clip that are shown
_BRIGHTEST = 16 / 255  # the change of error that is drawn white


class Pictures(Callback):
    """Callback that logs images of some validation clips to wandb and TensorBoard.

    `clip_N` shows bicubic, SR and HR. `flicker_N` shows the optical flow, with direction as hue, and the flicker of
    bicubic and of SR.

    Args:
        clips: number of clips, evenly spread, >= 1.
    """

    def __init__(self, clips: Count) -> None:
        self.clips = clips

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        number = self._shown(int(trainer.num_val_batches[0])).get(batch_idx)
        shown = any(isinstance(logger, WandbLogger | TensorBoardLogger) for logger in trainer.loggers)
        if number is None or not shown or not trainer.is_global_zero or batch.hr.shape[1] < 2:
            return
        inputs: Inputs = outputs["inputs"]
        lr, sr, hr, motion = (inputs[name] for name in ("lr", "sr", "hr", "motion"))
        first = Motion(*(part[0] for part in motion))
        pictures = {
            f"val/clip_{number}": clip_picture(lr[0], sr[0], hr[0]),
            f"val/flicker_{number}": flicker_picture(lr[0], sr[0], hr[0], first),
        }
        show(trainer, pictures)

    def _shown(self, batches: int) -> dict[int, int]:
        """Index of each batch that is shown -> number of its picture."""
        return {batch: number for number, batch in enumerate(spread(range(batches), self.clips))}


def show(trainer: pl.Trainer, pictures: Mapping[str, Tensor]) -> None:
    """Log images (3, H, W) in [0, 1] with every logger that supports images."""
    for logger in trainer.loggers:
        for name, picture in pictures.items():
            if isinstance(logger, WandbLogger):
                logger.log_image(name, [to_frames(picture)], trainer.global_step)
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(name, picture, trainer.global_step)


def clip_picture(lr: Tensor, sr: Tensor, hr: Tensor) -> Tensor:
    """Make an image for the log: a row each for bicubic, SR and HR, with some frames as columns.

    Args:
        lr: (T, 3, h, w) in [0, 1].
        sr, hr: (T, 3, H, W) in [0, 1].

    Returns:
        (3, H', W') in [0, 1].
    """
    return _grid([_enlarged(lr, hr), sr, hr])


def flicker_picture(lr: Tensor, sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
    """Make an image for the log: a row each for optical flow, flicker of bicubic and flicker of SR; columns are frames.

    Args:
        lr: (T, 3, h, w) in [0, 1].
        sr, hr: (T, 3, H, W) in [0, 1].
        motion: optical flow of hr, one clip; its direction is shown as hue.

    Returns:
        (3, H', W') in [0, 1].
    """
    hues = flow_to_image(motion.backward).float() / 255
    return _grid([hues, *(_heat(flicker_map(x, hr, motion)) for x in (_enlarged(lr, hr), sr))])


def flicker_map(sr: Tensor, hr: Tensor, motion: Motion) -> Tensor:
    """Flicker of every pixel, M |e_t - W e_(t-1)| with the error e = sr - hr, averaged over colours.

    W warps the previous frame by the flow; M is 1 for pixels that are visible in the previous frame. 255 times the mean
    of the map over these pixels is the metric `flicker`.

    Args:
        sr, hr: (T, 3, H, W).
        motion: optical flow of hr.

    Returns:
        (T - 1, H, W), in the unit of sr.
    """
    error = (sr - hr)[None]
    change = (error[:, 1:] - warp_previous(error, Motion(*(part[None] for part in motion))))[0]
    return (motion.mask * change).abs().mean(1)


def _enlarged(lr: Tensor, hr: Tensor) -> Tensor:
    return imresize(lr, hr.shape[-1] / lr.shape[-1]).clamp(0, 1)


def _heat(values: Tensor) -> Tensor:
    """Map values (N, H, W) to colours from black over red and yellow to white, (N, 3, H, W)."""
    x = 3 * (values / _BRIGHTEST).clamp(0, 1)
    return torch.stack([x, x - 1, x - 2], 1).clamp(0, 1)


def _grid(rows: list[Tensor]) -> Tensor:
    """Arrange rows of frames (T, 3, H, W), with a few evenly spread frames of each."""
    taken = [frame for row in rows for frame in spread(row.unbind(), _COLUMNS)]
    return make_grid(taken, nrow=len(taken) // len(rows), padding=2, pad_value=1.0)
