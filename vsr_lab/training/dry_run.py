"""A dry run of a training: a step and a validation, on a copy of the network, before anything is written."""

import copy
import textwrap
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities import move_data_to_device
from pytorch_lightning.utilities.seed import isolate_rng

from vsr_lab.core.errors import UserError, noted
from vsr_lab.data.batch import Batch, Sample, collate, pair_on_device
from vsr_lab.data.datamodule import VideoDataModule
from vsr_lab.training.callbacks import averages
from vsr_lab.training.failures import explained
from vsr_lab.training.module import VsrModule


def dry_run(module: VsrModule, data: pl.LightningDataModule, trainer: pl.Trainer) -> None:
    """Run a training step and a validation on a copy of the module, to report errors before the training begins.

    The step uses the first batch of the training, and the weights of the losses at the end of the training. It is
    repeated for every number of frames of the curriculum. The validation uses the clip with the smallest frames and the
    clip with the fewest frames. Weights, optimizer state and random number generators of the training do not change.

    Args:
        module: module to train.
        data: footage of the training; nothing is run if it is no `VideoDataModule`.
        trainer: trainer of the run; its device and precision are used.

    Raises:
        UserError: the degradation, the network, a loss or a metric raises an exception, a metric does not return one
            value per frame, or memory runs out.
    """
    if not isinstance(data, VideoDataModule):
        return
    curriculum, crops, windows = data.loading.curriculum, data.train, data.validation
    with isolate_rng():
        tried = trainer.precision_plugin.convert_module(copy.deepcopy(module)).to(trainer.strategy.root_device)
        assert isinstance(tried, VsrModule)
        tried.trainer = trainer
        for frames in curriculum.lengths if curriculum else [crops.options.frames]:
            key = "data.clip_frames" if frames == crops.options.frames else "data.curriculum"
            shape = frames, crops.options.size, crops.options.size
            with _reported("crops", shape, f"data.size or {key}", trainer):
                try:
                    samples = [crops.sample(number, frames) for number in range(data.loading.batch_size)]
                    _step(tried, _on_device(samples, tried, data))
                except UserError as error:
                    raise error.about("data.clip_frames", key) from error
        tried.eval()
        shapes = [windows.shape(number) for number in range(len(windows))]
        smallest = min(range(len(shapes)), key=lambda number: min(shapes[number][1:]))
        shortest = min(range(len(shapes)), key=lambda number: shapes[number][0])
        for number in {smallest, shortest}:
            keys = "validation.size or validation.frames"
            with _reported("validation clips", shapes[number], keys, trainer), torch.inference_mode():
                tried.measure(_on_device([windows[number]], tried, data))


def _step(module: VsrModule, batch: Batch) -> None:
    total, _ = module.batch_losses(batch, progress=1.0, measured=True)
    optimizer, _ = module.optimizer_at(0)
    if averages(optimizer):
        optimizer.train()  # pyright: ignore[reportAttributeAccessIssue] - of schedulefree
    with noted("loss"):
        total.backward()
    optimizer.step()


def _on_device(samples: Sequence[Sample], module: VsrModule, data: VideoDataModule) -> Batch:
    assert isinstance(module.dtype, torch.dtype)
    dtype = torch.promote_types(module.dtype, torch.float32)
    return pair_on_device(data.train.degradation, move_data_to_device(collate(samples), module.device), dtype)


@contextmanager
def _reported(what: str, shape: tuple[int, int, int], keys: str, trainer: pl.Trainer) -> Generator[None]:
    """Context manager that converts exceptions to UserError.

    Args:
        what: name of the clips, for the message.
        shape: (T, H, W) of the clips.
        keys: configuration keys that change the shape, for the hint.
        trainer: the trainer.
    """
    try:
        yield
    except (UserError, ModuleNotFoundError):
        raise
    except Exception as error:
        if report := explained(error, Path(trainer.default_root_dir)):
            raise report from error
        key = getattr(error, "__notes__", ["training"])[0]
        reason = textwrap.shorten(f"{type(error).__name__}: {error}", 160, placeholder=" ...")
        if not isinstance(error, (ValueError, RuntimeError)):  # probably a mistake in the code of the part
            place = traceback.extract_tb(error.__traceback__)[-1]
            reason += f" in {Path(place.filename).name}:{place.lineno}"
        frames, height, width = shape
        is_removable = key.startswith(("loss.terms.", "validation.metrics."))
        hint = f"change {keys}" + (f", or remove it by ~{key}" if is_removable else "")
        raise UserError(key, f"fails on {what} of {frames} frames, {width}x{height} pixels ({reason})", hint) from error
