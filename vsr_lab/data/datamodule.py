"""Lightning data module whose batches depend only on the seed and the training step.

With a curriculum, training begins with crops of few frames, which are faster, and continues with longer crops.
"""

import gc
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from vsr_lab.core.errors import UserError
from vsr_lab.core.signals import end_with_parent
from vsr_lab.data.batch import Batch, Sample, collate, pair_on_device
from vsr_lab.data.dataset import CropOptions, Crops, WindowOptions, Windows
from vsr_lab.data.holdout import Span, check_size, hold_out, spread
from vsr_lab.data.store import StoredClip
from vsr_lab.data.store_writer import store_shots
from vsr_lab.degradations import Degradation
from vsr_lab.footage.shots import Shot, check_lr_shot, find_shots

_EXAMPLE = "set data.curriculum=[[0.0,5],[0.5,10]]"


class Curriculum:
    """Schedule of the number of frames of training crops: short crops at the beginning, longer ones later.

    Args:
        stages: [fraction of the training at which the stage begins, number of frames] for each stage; the fractions
            begin with 0 and ascend.
        longest: maximum number of frames of a crop (the key data.clip_frames of `train`).

    Raises:
        UserError: the stages are not pairs, do not begin at 0, are not in ascending order or exceed 1, or a number of
            frames is not an integer from 1 to `longest`.
    """

    def __init__(self, stages: list[list[float]], longest: int) -> None:
        asked = f"data.curriculum={stages}"
        if not isinstance(stages, list) or not stages or not all(map(_is_pair, stages)):
            raise UserError(asked, "must be a list of pairs [fraction of the training, frames]", _EXAMPLE)
        starts, lengths = zip(*stages, strict=True)
        if starts[0] != 0 or any(not a < b <= 1 for a, b in pairwise(starts)):
            raise UserError(asked, "must have fractions that begin with 0, increase and are at most 1", _EXAMPLE)
        if any(length != int(length) or not 1 <= length <= longest for length in lengths):
            raise UserError(
                asked,
                f"must have clips of 1 to {longest} frames",
                "set numbers in this range, or raise data.clip_frames",
            )
        self._stages = [(float(start), int(length)) for start, length in stages]

    def frames_at(self, progress: float) -> int:
        """Number of frames of a crop at `progress`, the fraction of the training that is done."""
        return next(length for start, length in reversed(self._stages) if start <= progress)

    @property
    def lengths(self) -> list[int]:
        """All numbers of frames that a crop has in the training, without duplicates."""
        return list(dict.fromkeys(length for _, length in self._stages))


def _is_pair(stage: Any) -> bool:
    return isinstance(stage, list) and len(stage) == 2 and all(isinstance(part, int | float) for part in stage)


class CurriculumCrops(Dataset[Sample]):
    """Dataset of training crops whose number of frames follows a curriculum.

    A sample with fewer frames consists of the first frames of the same crop.

    Args:
        crops: dataset of crops with full length.
        curriculum: schedule of the number of frames.
        step_samples: number of samples per training step, summed over all processes.
        steps: number of steps of the whole training.
    """

    def __init__(self, crops: Crops, curriculum: Curriculum, step_samples: int, *, steps: int) -> None:
        self.crops = crops
        self.curriculum = curriculum
        self.step_samples = step_samples
        self.steps = steps

    def __getitem__(self, number: int) -> Sample:
        return self.crops.sample(number, self.curriculum.frames_at(number // self.step_samples / self.steps))


@dataclass(frozen=True)
class LoaderOptions:
    """Batch size, workers and seed of the data loader.

    Args:
        batch_size: samples per batch and process.
        workers: number of worker processes of the loader, also used as the number of threads that decode the footage
            before the training; 0: samples are loaded in the training process.
        seed: seed of crop positions, augmentation and degradation.
        curriculum: schedule with shorter crops at the beginning of the training; None: all crops have full length.
        budget_gib: maximum total size of the decoded clips on disk, in GiB.
    """

    batch_size: int = 4
    workers: int = 2
    seed: int = 0
    curriculum: Curriculum | None = None
    budget_gib: float = 20


class VideoDataModule(pl.LightningDataModule):
    """Lightning data module whose batches contain LR and target in [0, 1], of training crops or validation clips.

    A trainer that resumes at step n gets the batches of step n and later.

    Args:
        train: dataset of random crops.
        validation: dataset of validation clips. Each batch contains one clip, since their sizes differ.
        loading: batch size, workers and curriculum.
    """

    def __init__(self, train: Crops, validation: Windows, loading: LoaderOptions) -> None:
        super().__init__()
        self.train = train
        self.validation = validation
        self.loading = loading

    @classmethod
    def from_footage(
        cls,
        footage: Sequence[Shot] | Path | str,
        degradation: Degradation,
        store: Path | str,
        *,
        lr_shots: Sequence[Shot] | None = None,
        crops: CropOptions = CropOptions(),  # noqa: B008 - frozen
        windows: WindowOptions = WindowOptions(),  # noqa: B008
        loading: LoaderOptions = LoaderOptions(),
    ) -> "VideoDataModule":
        """Make a data module from footage, which is decoded; the end of every shot is used for validation.

        Args:
            footage: HR footage: a folder of videos, a manifest, or the result of `vsr_lab.footage.shots.find_shots`.
            degradation: computes LR; with `lr_shots`, only its scale is used.
            store: folder to which decoded frames are written; later trainings reuse them.
            lr_shots: recorded LR of every shot; None: LR is computed by the degradation.
            crops: size, length and augmentation of training samples.
            windows: size, length and number of validation clips.
            loading: batch size, workers and seed.

        Raises:
            UserError: shots cannot be read, are too short or too small, or exceed `loading.budget_gib` or the disk when
                decoded; or LR does not match HR.
        """
        shots = find_shots(Path(footage)) if isinstance(footage, (Path, str)) else footage
        train, validation = split_footage(shots, lr_shots, degradation.scale, crops=crops, windows=windows)
        stored = store_shots([*shots, *(lr_shots or [])], Path(store), loading.budget_gib, loading.workers)
        high, low = stored[: len(shots)], stored[len(shots) :]
        return cls(
            Crops(_cut(high, train), degradation, crops, lr_clips=_cut(low, train), seed=loading.seed),
            Windows(_cut(high, validation), degradation, windows, lr_clips=_cut(low, validation), seed=loading.seed),
            loading,
        )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Make the loader of training batches, from the current step of the trainer to the last, for this process."""
        trainer = self.trainer
        assert trainer is not None
        accumulate = trainer.accumulate_grad_batches
        steps = StepSampler(
            trainer.global_step * accumulate,
            trainer.max_steps * accumulate,
            self.loading.batch_size,
            rank=trainer.global_rank,
            world=trainer.world_size,
        )
        return train_loader(self.train, steps, self.loading)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Make the loader of validation batches, one per validation clip."""
        return _Loader(self.validation, [[number] for number in range(len(self.validation))], self.loading.workers)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Convert a batch on the device to float in [0, 1], and compute LR and target if the loader did not."""
        assert self.trainer is not None
        dtype = self.trainer.lightning_module.dtype
        assert isinstance(dtype, torch.dtype)
        with torch.autocast(batch.hr.device.type, enabled=False):
            return pair_on_device(self.train.degradation, batch, torch.promote_types(dtype, torch.float32))


def split_footage(
    shots: Sequence[Shot], lr_shots: Sequence[Shot] | None, scale: int, *, crops: CropOptions, windows: WindowOptions
) -> tuple[list[Span], list[Span]]:
    """Choose the parts of the shots for training and for validation. No frame is read.

    Returns:
        The parts for training, and the parts for validation.

    Raises:
        UserError: LR does not match HR, or a shot is too short or too small for a crop.
    """
    for shot, twin in zip(shots, lr_shots or [], strict=lr_shots is not None):
        check_lr_shot(shot, twin, scale)
    train, validation = hold_out(shots, windows.hold_out, max(crops.frames, 2))
    for span in train:
        check_size(shots[span.clip].name, shots[span.clip].size, crops.size)
    return train, spread(validation, windows.clips)


def _cut(clips: Sequence[StoredClip], spans: Sequence[Span]) -> list[StoredClip]:
    return [clips[span.clip].window(span.first, span.last) for span in spans if clips]


class StepSampler(Sampler[list[int]]):
    """Batch sampler that can start at any training step: it yields the sample numbers of the batches of each step.

    In process `rank` of `world`, the batch of step s begins with sample (s * world + rank) * batch_size. `len()` is
    `steps` even if `first` > 0, since Lightning counts the batches before a resume as consumed.

    Args:
        first: first step.
        steps: number of steps of the whole training; the last step is steps - 1.
        batch_size: samples per batch.
        rank: number of this process, from 0.
        world: number of processes.
    """

    def __init__(self, first: int, steps: int, batch_size: int, *, rank: int = 0, world: int = 1) -> None:
        self.first = first
        self.steps = steps
        self.batch_size = batch_size
        self.rank = rank
        self.world = world

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.steps):
            start = (step * self.world + self.rank) * self.batch_size
            yield list(range(start, start + self.batch_size))


def train_loader(crops: Crops, steps: StepSampler, loading: LoaderOptions) -> DataLoader[Batch]:
    """Make a loader of training crops in the order of the sampler `steps`, with the curriculum of `loading`."""
    dataset: Dataset[Sample] = crops
    if loading.curriculum:
        dataset = CurriculumCrops(crops, loading.curriculum, steps.batch_size * steps.world, steps=steps.steps)
    return _Loader(dataset, steps, loading.workers)


class _Loader(DataLoader[Any]):
    """Data loader of batches in the order of its sampler.

    It has an empty state, so that Lightning assumes an exact resume, which the sampler provides.
    """

    def __init__(self, dataset: Dataset[Sample], batches: Sampler[list[int]] | list[list[int]], workers: int) -> None:
        super().__init__(
            dataset,
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=collate,
            worker_init_fn=_begin_worker,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: the sampler starts at the trainer's step."""


def _begin_worker(_: int) -> None:
    """Prepare a worker process: it does not free objects of the training process, and ignores the first SIGTERM.

    Unused objects of the training process, such as an ONNX session, may have threads. These threads do not exist in
    the forked worker, so freeing the object there would hang or crash. A cluster sends SIGTERM to every process of a
    job; the workers ignore it, so that the training process can complete the current step. A worker ends at a second
    SIGTERM, or when the training process ends.
    """
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process ends its workers
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    end_with_parent()  # torch checks every 5 seconds only
