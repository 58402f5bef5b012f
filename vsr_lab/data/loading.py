"""Batches in an order that depends on nothing but the seed and the step."""

from collections.abc import Iterator, Sequence

from torch.utils.data import DataLoader, Sampler

from vsr_lab.core.batch import Batch
from vsr_lab.core.errors import UserError
from vsr_lab.core.shots import Shot
from vsr_lab.data.samples import Crops, Sample, Windows, collate


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
    crops: Crops, batch_size: int, workers: int, first: int, steps: int, rank: int, world: int
) -> DataLoader[Batch]:
    """Batches of every step from `first` on, for one of `world` processes."""
    return _loader(crops, StepNumbers(first, steps, batch_size, rank, world), workers)


def validation_loader(windows: Windows, workers: int) -> DataLoader[Batch]:
    """One batch a clip, since clips differ in size."""
    return _loader(windows, [[number] for number in range(len(windows))], workers)


def _loader(dataset: Crops | Windows, numbers: Sampler[list[int]] | list[list[int]], workers: int) -> DataLoader[Batch]:
    return DataLoader[Sample](  # pyright: ignore[reportReturnType] - collate makes a Batch of Samples
        dataset,
        batch_sampler=numbers,
        num_workers=workers,
        collate_fn=collate,
        persistent_workers=workers > 0,
    )


def hold_out(shots: Sequence[Shot], share: float, window: int) -> tuple[list[Shot], list[Shot]]:
    """Split each shot in time: its end is for validation, with a window's gap before it where there is room.

    Raises UserError for a shot too short to leave a window of training.
    """
    train: list[Shot] = []
    validation: list[Shot] = []
    for shot in shots:
        length = shot.frames
        held = max(window, round(length * share))
        kept = length - held - min(window, max(length - held - 2 * window, 0))
        if kept < window:
            raise UserError(
                shot.path, f"has {length} frames; window and hold-out need {2 * window}", "use longer clips"
            )
        train.append(shot.window(0, kept))
        validation.append(shot.window(length - held, length))
    return train, validation
