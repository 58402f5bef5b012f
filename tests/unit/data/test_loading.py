"""The order of batches, and how footage is split."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.core.batch import Batch
from vsr_lab.core.errors import UserError
from vsr_lab.core.shots import Shot
from vsr_lab.data import (
    Crops,
    StepNumbers,
    StoredClip,
    Windows,
    hold_out,
    train_loader,
    validation_loader,
)
from vsr_lab.degradations import BlurDown

_BLUR = BlurDown(2, 0.5, 2.0, 7, phase=0, border="reflect")


def _steps(first: int = 0, steps: int = 6, rank: int = 0, world: int = 1) -> list[list[int]]:
    return list(StepNumbers(first, steps, batch_size=3, rank=rank, world=world))


def test_every_step_has_numbers_of_its_own() -> None:
    assert _steps(steps=3) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_resumed_run_goes_on_with_the_same_numbers() -> None:
    assert _steps(first=4) == _steps()[4:]


def test_two_processes_share_the_numbers_without_overlap() -> None:
    first, second = (_steps(rank=rank, world=2) for rank in (0, 1))
    dealt = [number for step in zip(first, second, strict=True) for part in step for number in part]
    assert dealt == list(range(6 * 2 * 3))


def test_its_length_is_that_of_the_whole_training() -> None:
    assert len(StepNumbers(4, 6, 3, 0, 1)) == 6


# Loaders


@pytest.fixture
def clips(tmp_path: Path) -> list[StoredClip]:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (8, 24, 32, 3), dtype=np.uint8))
    return [StoredClip("a", tmp_path / "a.npy")]


def _batches(clips: list[StoredClip], workers: int = 0, first: int = 0) -> list[Batch]:
    crops = Crops(clips, None, _BLUR, seed=3, frames=4, size=12, tries=2, flips=True)
    return list(train_loader(crops, batch_size=2, workers=workers, first=first, steps=4, rank=0, world=1))


def _equal(a: Batch, b: Batch) -> bool:
    return torch.equal(a.hr, b.hr) and (a.numbers, a.params, a.starts) == (b.numbers, b.params, b.starts)


def test_workers_change_no_bit(clips: list[StoredClip]) -> None:
    alone, shared = _batches(clips, workers=0), _batches(clips, workers=2)
    assert [batch.numbers for batch in alone] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert all(map(_equal, alone, shared))


def test_a_loader_resumes_with_the_same_batches(clips: list[StoredClip]) -> None:
    rest = _batches(clips, first=2)
    assert len(rest) == 2
    assert all(map(_equal, rest, _batches(clips)[2:]))


def test_validation_is_one_window_a_clip(clips: list[StoredClip]) -> None:
    windows = Windows(clips, None, _BLUR, seed=3, frames=4, size=12)
    assert [batch.clips for batch in validation_loader(windows, workers=0)] == [["a"]]


# Holding out


def _shots(write_video: Callable[..., Path], *lengths: int) -> list[Shot]:
    frames = np.zeros((max(lengths) + 3, 32, 64, 3), np.uint8)
    path = write_video("a.mkv", frames)
    return [Shot(f"{n}", path, start=3, stop=3 + n) for n in lengths]


@pytest.mark.parametrize(
    ("length", "train", "validation"),
    [
        (40, (3, 31), (35, 43)),  # 8 held out, 4 between
        (8, (3, 7), (7, 11)),  # no room for a gap
        (14, (3, 11), (13, 17)),  # half a gap
    ],
)
def test_the_end_of_a_shot_is_held_out_with_a_gap_before_it(
    write_video: Callable[..., Path], length: int, train: tuple[int, int], validation: tuple[int, int]
) -> None:
    shots = hold_out(_shots(write_video, length), share=0.2, window=4)
    assert [[(shot.start, shot.stop) for shot in part] for part in shots] == [[train], [validation]]


def test_a_shot_too_short_to_share_is_named(write_video: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match=r"has 7 frames; .* need 8"):
        hold_out(_shots(write_video, 7), share=0.2, window=4)
