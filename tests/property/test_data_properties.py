"""What has to hold of samples whatever the footage and the number of processes."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vsr_lab.core.clip import Frames
from vsr_lab.core.cuts import split_at_cuts
from vsr_lab.core.errors import UserError
from vsr_lab.data import CropOptions, Crops, StoredClip, WindowOptions, Windows, hold_out
from vsr_lab.data.datamodule import StepSampler
from vsr_lab.degradations import ResizeDown
from vsr_lab.footage.shots import Shot

few = settings(max_examples=30, derandomize=True)


class _Memory(StoredClip):
    """A clip that says where each pixel is."""

    def __init__(self, name: str, length: int, height: int, width: int, cuts: tuple[int, ...] = ()) -> None:
        super().__init__(name, Path(name), cuts)
        t, y, x = np.meshgrid(np.arange(length), np.arange(height), np.arange(width), indexing="ij")
        self.__dict__["pixels"] = np.stack([t, y, x], -1).astype(np.uint8)

    @property
    def frames(self) -> Frames:
        return self.__dict__["pixels"]


@few
@given(
    scale=st.integers(1, 4),
    blocks=st.integers(1, 4),
    frames=st.integers(1, 4),
    room=st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)),
    numbers=st.lists(st.integers(0, 2**40), min_size=1, max_size=5),
    crop_candidates=st.integers(1, 3),
    flips=st.booleans(),
)
def test_a_crop_is_whole_inside_its_clip_and_starts_on_an_lr_pixel(
    scale: int,
    blocks: int,
    frames: int,
    room: tuple[int, int, int],
    numbers: list[int],
    crop_candidates: int,
    flips: bool,
) -> None:
    size = scale * blocks + scale
    length, height, width = frames + room[0], size + room[1], size + room[2]
    options = CropOptions(frames, size, crop_candidates, flips)
    crops = Crops([_Memory("a", length, height, width)], ResizeDown(scale), options)
    for number in numbers:
        sample = crops[number]
        assert sample.hr.shape == (frames, 3, size, size)
        corner = sample.hr.amin((0, 2, 3))
        assert corner[0] == sample.start
        assert corner[1] % scale == corner[2] % scale == 0
        assert (sample.hr.amax((0, 2, 3)) - corner).tolist() == [frames - 1, size - 1, size - 1]


@few
@given(
    length=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 70), max_size=6),
    frames=st.integers(1, 6),
    strides=st.lists(st.floats(0.05, 1), min_size=1, max_size=4),
    flips=st.booleans(),
    min_motion=st.sampled_from([0.0, 0.5, 1e9]),
)
def test_a_window_is_every_nth_frame_of_one_scene_at_any_frame_rate(
    length: int, cuts: list[int], frames: int, strides: list[float], flips: bool, min_motion: float
) -> None:
    clip = _Memory("a", length, 4, 4, tuple(cuts))
    try:
        crops = Crops([clip], ResizeDown(2), CropOptions(frames, 4, 2, flips, strides, min_motion))
    except UserError:
        longest = max(last - first for first, last in clip.scenes)
        assert longest <= (frames - 1) * len(strides)
        return
    for number in range(10):
        sample = crops[number]
        shown = sorted(sample.hr[:, 0, 0, 0].tolist())
        assert shown == [sample.start + i * sample.stride for i in range(frames)]
        assert not [cut for cut in cuts if shown[0] < cut <= shown[-1]]
        assert shown[-1] < length


@few
@given(st.integers(0, 30), st.integers(1, 60), st.lists(st.integers(-5, 99), max_size=9))
def test_scenes_are_all_of_a_window_in_order_and_none_is_empty(start: int, length: int, cuts: list[int]) -> None:
    scenes = split_at_cuts(tuple(cuts), start, start + length)
    assert [frame for first, last in scenes for frame in range(first, last)] == list(range(start, start + length))
    assert all(first < last for first, last in scenes)
    assert {first for first, _ in scenes[1:]} == {cut for cut in cuts if start < cut < start + length}


@few
@given(st.lists(st.integers(4, 40), min_size=2, max_size=8), st.floats(0, 0.9), st.integers(1, 4))
def test_many_clips_are_split_without_a_frame_in_both_parts(lengths: list[int], share: float, window: int) -> None:
    shots = [Shot(str(n), Path("a"), 0, length) for n, length in enumerate(lengths)]
    train, validation = hold_out(shots, share, window)
    frames = [{(span.clip, t) for span in part for t in range(span.first, span.last)} for part in (train, validation)]
    assert not frames[0] & frames[1]
    assert validation
    assert all(span.last - span.first >= window for span in [*train, *validation])
    assert all(span.first >= 0 and span.last <= lengths[span.clip] for span in [*train, *validation])


@few
@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
def test_a_window_of_validation_is_inside_and_divides(
    scale: int, length: int, height: int, width: int, frames: int
) -> None:
    clip = _Memory("a", length, height + scale, width + scale)
    sample = Windows([clip], ResizeDown(scale), WindowOptions(frames, 24))[0]
    assert sample.hr.shape[0] == min(frames, length)
    assert sample.hr.shape[2] % scale == sample.hr.shape[3] % scale == 0
    assert sample.hr.shape[2] == min(height + scale, 24) // scale * scale


@few
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 8), st.data())
def test_processes_share_all_numbers_and_no_number_twice(
    world: int, batch_size: int, steps: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, steps))
    dealt = [list(StepSampler(first, steps, batch_size, rank=rank, world=world)) for rank in range(world)]
    assert all(len(mine) == steps - first for mine in dealt)
    numbers = sorted(number for mine in dealt for step in mine for number in step)
    assert numbers == list(range(first * world * batch_size, steps * world * batch_size))


@few
@given(st.integers(1, 200), st.floats(0, 0.9), st.integers(1, 20))
def test_what_is_held_out_is_never_trained_on(length: int, share: float, window: int) -> None:
    shot = Shot("a", Path("a"), start=5, stop=5 + length)
    try:
        (train,), (validation,) = hold_out([shot], share, window)
    except UserError:
        return
    assert train.first == 0 and validation.last == length
    assert train.last <= validation.first
    assert min(train.last - train.first, validation.last - validation.first) >= window
    assert validation.first - train.last <= window


def test_the_stand_in_for_a_stored_clip_is_one() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.npy"
        np.save(path, _Memory("a", 2, 3, 4).frames)
        assert np.array_equal(StoredClip("a", path).frames, _Memory("a", 2, 3, 4).frames)
