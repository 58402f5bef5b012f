"""Batches in an order that depends on nothing but the seed and the step."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from vsr_lab.core.errors import UserError
from vsr_lab.data.batch import Batch
from vsr_lab.data.curriculum import Curriculum, CurriculumCrops
from vsr_lab.data.dataset import Crops, Sample, Windows, collate


class StepNumbers(Sampler[list[int]]):
    """Sample numbers of every step from `first` on, for one of `world` processes.

    Its length is that of the whole training: Lightning counts the steps done before a resume as consumed.
    """

    def __init__(self, first: int, steps: int, batch_size: int, rank: int, world: int) -> None:
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


def train_loader(
    crops: Crops,
    batch_size: int,
    workers: int,
    first: int,
    steps: int,
    rank: int,
    world: int,
    curriculum: Curriculum | None = None,
) -> DataLoader[Batch]:
    """Batches of every step from `first` on, for one of `world` processes; of clips as long as the curriculum says."""
    lessons = CurriculumCrops(crops, curriculum, batch_size * world, steps) if curriculum else crops
    return _loader(lessons, StepNumbers(first, steps, batch_size, rank, world), workers)


def validation_loader(windows: Windows, workers: int) -> DataLoader[Batch]:
    """One batch a clip, since clips differ in size."""
    return _loader(windows, [[number] for number in range(len(windows))], workers)


def _loader(dataset: Dataset[Sample], numbers: Sampler[list[int]] | list[list[int]], workers: int) -> DataLoader[Batch]:
    return DataLoader[Sample](  # pyright: ignore[reportReturnType] - collate makes a Batch of Samples
        dataset,
        batch_sampler=numbers,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_outlive_a_signal,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def _outlive_a_signal(_: int) -> None:
    """A cluster sends SIGTERM to every process of a job, and the run needs its workers for the step in hand.

    A second signal ends a worker, as does the end of the run.
    """
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))


class Cuttable(Protocol):
    """Footage that windows can be taken of: a shot, or a stored clip. Its length is its number of frames."""

    @property
    def path(self) -> Path: ...
    def __len__(self) -> int: ...
    def window(self, first: int, last: int) -> Self: ...


Part = TypeVar("Part", bound=Cuttable)


def hold_out(clips: Sequence[Part], share: float, window: int) -> tuple[list[Part], list[Part]]:
    """Split each clip in time: its end is for validation, with a window's gap before it where there is room.

    Clips too short to be split are dealt out whole: every 1/share-th is for validation.
    Raises UserError for a clip shorter than a window, and for a lone one too short to be split.
    """
    train: list[Part] = []
    validation: list[Part] = []
    short = [clip for clip in clips if len(clip) - _held(clip, share, window) < window]
    lone = len(short) == len(clips) == 1
    for clip in short:
        if lone or len(clip) < window:
            problem = f"has {len(clip)} frames; window and hold-out need {2 * window}"
            raise UserError(clip.path, problem, "use longer clips")
    # At least one of the short ones, unless longer clips serve; evenly spread, since neighbours are alike.
    whole = {id(clip) for clip in spread(short, max(round(len(short) * share), int(len(short) == len(clips))))}
    for clip in clips:
        length, held = len(clip), _held(clip, share, window)
        if length - held < window:
            (validation if id(clip) in whole else train).append(clip)
            continue
        gap = min(window, max(length - held - 2 * window, 0))
        train.append(clip.window(0, length - held - gap))
        validation.append(clip.window(length - held, length))
    return train, validation


def _held(clip: Cuttable, share: float, window: int) -> int:
    return max(window, round(len(clip) * share))


def spread(clips: Sequence[Part], most: int) -> list[Part]:
    """At most `most` of the clips, evenly spread."""
    if len(clips) <= most:
        return list(clips)
    return [clips[(2 * i + 1) * len(clips) // (2 * most)] for i in range(most)]
