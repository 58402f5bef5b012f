"""The order of batches, and how footage is split."""

import gc
import hashlib
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vsr_lab.core.errors import UserError
from vsr_lab.data import Batch, CropOptions, Crops, Sample, StoredClip, WindowOptions, Windows, hold_out, spread
from vsr_lab.data.datamodule import LoaderOptions, StepSampler, VideoDataModule, train_loader
from vsr_lab.degradations import BlurDown
from vsr_lab.footage.shots import Shot
from vsr_lab.video import open_footage

_BLUR = BlurDown(2, (0.5, 2.0), 7, phase=0, border="reflect")


def _steps(first: int = 0, steps: int = 6, rank: int = 0, world: int = 1) -> list[list[int]]:
    return list(StepSampler(first, steps, batch_size=3, rank=rank, world=world))


def test_every_step_has_numbers_of_its_own() -> None:
    assert _steps(steps=3) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_resumed_run_goes_on_with_the_same_numbers() -> None:
    assert _steps(first=4) == _steps()[4:]


def test_two_processes_share_the_numbers_without_overlap() -> None:
    first, second = (_steps(rank=rank, world=2) for rank in (0, 1))
    dealt = [number for step in zip(first, second, strict=True) for part in step for number in part]
    assert dealt == list(range(6 * 2 * 3))


def test_its_length_is_that_of_the_whole_training() -> None:
    assert len(StepSampler(4, 6, 3)) == 6


# Loaders


@pytest.fixture
def clips(tmp_path: Path) -> list[StoredClip]:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (8, 24, 32, 3), dtype=np.uint8))
    return [StoredClip("a", tmp_path / "a.npy")]


def _batches(clips: list[StoredClip], workers: int = 0, first: int = 0) -> list[Batch]:
    crops = Crops(clips, _BLUR, CropOptions(4, 12, crop_candidates=2), seed=3)
    return list(train_loader(crops, StepSampler(first, 4, batch_size=2), LoaderOptions(workers=workers)))


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
    crops, windows = Crops(clips, _BLUR, CropOptions(4, 12)), Windows(clips, _BLUR, WindowOptions(4, 12), seed=3)
    data = VideoDataModule(crops, windows, LoaderOptions(workers=0))
    assert [batch.clips for batch in data.val_dataloader()] == [["a"]]


class _Threaded:
    """Stands for an object with threads, which only the process that made it can free."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.cycle = self

    def __del__(self) -> None:
        if os.getpid() != self.process:
            os._exit(1)


def test_a_worker_frees_no_garbage_of_its_parent(clips: list[StoredClip], write_video: Callable[..., Path]) -> None:
    """It would wait for ever for threads, which did not come along when it was forked, or crash."""
    frames = np.random.default_rng(0).integers(0, 255, (60, 256, 320, 3), np.uint8)
    footage = open_footage(write_video("long.mp4", frames))
    gc.disable()
    try:
        footage.read(0, 5)  # far from its last frame, so the decoder stays open
        garbage: list[Any] = [footage, _Threaded()]
        garbage.append(garbage)
        del footage, garbage
        crops = _Collecting(clips, _BLUR, CropOptions(4, 12, crop_candidates=2), seed=3)
        assert len(list(train_loader(crops, StepSampler(0, 4, batch_size=2), LoaderOptions(workers=2)))) == 4
    finally:
        gc.enable()


class _Collecting(Crops):
    """Crops in whose workers the collector of garbage comes by."""

    def __getitem__(self, number: int) -> Sample:
        gc.collect()
        return super().__getitem__(number)


# The stream of samples is one, whoever asks for it


class _OnCpu(BlurDown):
    """A random degradation that the loader's workers run."""

    on_cpu = True

    def __init__(self) -> None:
        super().__init__(2, (0.5, 2.0), 7, phase=0, border="reflect")


Digests = dict[int, list[str]]  # of the samples of a step, in no order


def _digests(folder: Path, workers: int, first: int, batch_size: int, rank: int, world: int) -> Digests:
    clips = [StoredClip(path.stem, path, cuts=(9,)) for path in sorted(folder.glob("*.npy"))]
    crops = Crops(clips, _OnCpu(), CropOptions(4, 12, 3, strides=(0.6, 0.4), min_motion=0.5), seed=3)
    steps = StepSampler(first, 5, batch_size, rank=rank, world=world)
    found: Digests = {}
    for step, batch in enumerate(train_loader(crops, steps, LoaderOptions(workers=workers)), first):
        assert batch.lr is not None
        parts = zip(batch.numbers, batch.hr, batch.lr, batch.params, batch.clips, batch.starts, strict=True)
        found[step] = [
            hashlib.sha256(repr((number, hr.tolist(), lr.tolist(), params, clip, start)).encode()).hexdigest()
            for number, hr, lr, params, clip, start in parts
        ]
    return found


def _report(folder: Path, results: Any, workers: int, rank: int) -> None:
    torch.set_num_threads(2)  # as a training process has, and its workers have not
    results.put(_digests(folder, workers, 0, 2, rank, 2))


@pytest.fixture
def decoded(tmp_path: Path) -> Path:
    for name, length in (("a", 20), ("b", 14), ("c", 16)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(0).integers(0, 256, (length, 24, 32, 3), np.uint8))
    return tmp_path


def test_every_number_of_workers_and_processes_sees_the_same_samples(decoded: Path) -> None:
    alone = _digests(decoded, workers=0, first=0, batch_size=4, rank=0, world=1)
    assert len({digest for step in alone.values() for digest in step}) == 20
    for workers in (1, 2):
        assert _digests(decoded, workers, 0, 4, 0, 1) == alone
    for first in (1, 3):  # resumed there
        rest = {step: digests for step, digests in alone.items() if step >= first}
        assert _digests(decoded, first % 3, first, 4, 0, 1) == rest
    spawn = multiprocessing.get_context("spawn")  # nothing is shared with this process
    results = spawn.Queue()
    pair = [
        spawn.Process(target=_report, args=(decoded, results, workers, rank)) for rank, workers in enumerate((0, 2))
    ]
    for process in pair:
        process.start()
    first, second = results.get(timeout=200), results.get(timeout=200)
    for process in pair:
        process.join()
    assert {step: sorted(first[step] + second[step]) for step in first} == {
        step: sorted(digests) for step, digests in alone.items()
    }


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
    spans = hold_out(_shots(write_video, length), share=0.2, window=4)
    assert [[(3 + span.first, 3 + span.last) for span in part] for part in spans] == [[train], [validation]]


def test_a_shot_too_short_to_share_is_named(write_video: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match=r"has 7 frames, .* need 8"):
        hold_out(_shots(write_video, 7), share=0.2, window=4)


def test_clips_too_short_to_be_cut_are_dealt_out_whole(write_video: Callable[..., Path]) -> None:
    """Vimeo-90K's have seven frames."""
    shots = _shots(write_video, *[7] * 10)
    train, validation = hold_out(shots, share=0.2, window=7)
    assert (len(train), len(validation)) == (8, 2)
    assert sorted([*train, *validation]) == [(n, 0, 7) for n in range(10)]
    assert len(hold_out(shots, share=0.0, window=7)[1]) == 1  # there is always something to judge on
    assert len(hold_out([*shots, *_shots(write_video, 40)], share=0.0, window=7)[1]) == 1  # the long one's end


def test_a_clip_shorter_than_a_window_is_named_among_others(write_video: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="has 6 frames"):
        hold_out(_shots(write_video, 40, 6), share=0.2, window=7)


def test_clips_are_spread_evenly() -> None:
    shots = [Shot(str(n), Path("a")) for n in range(10)]
    assert [shot.name for shot in spread(shots, 3)] == ["1", "5", "8"]
    assert spread(shots, 10) == spread(shots, 99) == shots
    assert spread(shots, 0) == []
