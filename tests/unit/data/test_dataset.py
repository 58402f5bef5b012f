"""Samples: a pure function of seed and number, LR and HR of the same place."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.data import CropOptions, Crops, Sample, StoredClip, WindowOptions, Windows, collate
from vsr_lab.data.activity import measure_activity
from vsr_lab.data.batch import pair_on_device
from vsr_lab.data.store import activity_path
from vsr_lab.degradations import BlurDown, Degradation, Params, ResizeDown

Store = Callable[[str, Frames], StoredClip]
SCALE = 2


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def write(name: str, frames: Frames) -> StoredClip:
        np.save(tmp_path / f"{name}.npy", frames)
        return StoredClip(name, tmp_path / f"{name}.npy")

    return write


def _painted(frames: int, height: int, width: int, block: int = 1) -> Frames:
    """Every pixel says where it is: red its frame, green its row and blue its column, counted in blocks."""
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height) // block, np.arange(width) // block, indexing="ij")
    return np.stack([t, y, x], -1).astype(np.uint8)


@pytest.fixture
def high(store: Store) -> list[StoredClip]:
    """Two clips of different sizes, painted in LR pixels."""
    return [store("a", _painted(9, 24, 32, SCALE)), store("b", _painted(6, 40, 20, SCALE))]


@pytest.fixture
def low(store: Store) -> list[StoredClip]:
    """Their LR twins."""
    return [store("a_low", _painted(9, 12, 16)), store("b_low", _painted(6, 20, 10))]


def _crops(
    high: list[StoredClip],
    low: list[StoredClip] | None = None,
    degradation: Degradation | None = None,
    seed: int = 0,
    crop_candidates: int = 3,
    flips: bool = True,
    strides: Sequence[float] = (1.0,),
    min_motion: float = 0.0,
) -> Crops:
    options = CropOptions(4, 12, crop_candidates, flips, strides, min_motion)
    return Crops(high, degradation or ResizeDown(SCALE), options, lr_clips=low or (), seed=seed)


def _same(a: Sample, b: Sample) -> bool:
    return torch.equal(a.hr, b.hr) and (a.params, a.clip, a.start) == (b.params, b.clip, b.start)


def test_a_sample_is_a_function_of_seed_and_number(high: list[StoredClip]) -> None:
    blur = BlurDown(SCALE, (0.5, 2.0), 7, phase=0, border="reflect")
    one, other = _crops(high, degradation=blur), _crops(high, degradation=blur)
    forwards = [one[number] for number in range(8)]
    backwards = [other[number] for number in reversed(range(8))]
    assert all(map(_same, forwards, reversed(backwards)))


def test_another_seed_gives_other_samples(high: list[StoredClip]) -> None:
    one, other = _crops(high, seed=0), _crops(high, seed=1)
    assert not any(_same(one[number], other[number]) for number in range(6))


def test_samples_differ_from_one_another(high: list[StoredClip]) -> None:
    samples = [_crops(high)[number].hr for number in range(12)]
    assert not any(torch.equal(a, b) for i, a in enumerate(samples) for b in samples[:i])


@pytest.mark.parametrize("crop_candidates", [1, 4])
@pytest.mark.parametrize("flips", [False, True])
def test_lr_is_of_the_same_place_time_and_turn(
    high: list[StoredClip], low: list[StoredClip], crop_candidates: int, flips: bool
) -> None:
    crops = _crops(high, low, crop_candidates=crop_candidates, flips=flips)
    for number in range(32):
        sample = crops[number]
        assert sample.hr.shape == (4, 3, 12, 12)
        assert sample.lr is not None
        for y in range(SCALE):
            for x in range(SCALE):
                assert torch.equal(sample.hr[..., y::SCALE, x::SCALE], sample.lr)


def test_all_sixteen_turns_are_drawn(high: list[StoredClip]) -> None:
    """Backwards in time, upside down, mirrored and transposed, in every combination."""
    seen: set[tuple[bool, ...]] = set()
    for number in range(200):
        red, green, blue = _crops(high, crop_candidates=1)[number].hr.int().unbind(1)
        transposed = bool((green[0].diff(dim=0) == 0).all())
        rows, columns = (blue, green) if transposed else (green, blue)
        down = rows[0, -1, -1] < rows[0, 0, 0]
        right = columns[0, -1, -1] < columns[0, 0, 0]
        seen.add((bool(red[0, 0, 0] > red[-1, 0, 0]), bool(down), bool(right), transposed))
    assert len(seen) == 16


def test_without_flips_a_crop_is_cut_as_it_is(high: list[StoredClip]) -> None:
    crops = _crops(high, flips=False)
    for number in range(16):
        sample = crops[number]
        frames = {clip.name: clip.frames for clip in high}[sample.clip]
        y, x = (int(sample.hr[0, channel, 0, 0]) * SCALE for channel in (1, 2))
        cut = frames[sample.start : sample.start + 4, y : y + 12, x : x + 12]
        assert np.array_equal(sample.hr.permute(0, 2, 3, 1).numpy(), cut)


def test_every_start_and_clip_is_drawn(high: list[StoredClip]) -> None:
    drawn = {(sample.clip, sample.start) for sample in map(_crops(high, crop_candidates=1).__getitem__, range(300))}
    assert drawn == {("a", t) for t in range(6)} | {("b", t) for t in range(3)}


def test_a_place_with_detail_is_preferred_to_a_flat_one(store: Store) -> None:
    frames = np.full((4, 24, 48, 3), 128, np.uint8)
    frames[:, :, 24:] = np.random.default_rng(0).integers(0, 255, (24, 24, 3))
    clip = store("half", frames)

    def detail(crop_candidates: int) -> float:
        crops = _crops([clip], crop_candidates=crop_candidates)
        return float(np.mean([crops[number].hr.float().std() for number in range(30)]))

    assert detail(8) > 1.3 * detail(1)


def test_parameters_of_the_degradation_are_drawn_for_each_sample(high: list[StoredClip]) -> None:
    crops = _crops(high, degradation=BlurDown(SCALE, (0.5, 2.0), 7, phase=0, border="reflect"))
    assert len({crops[number].params["sigma"] for number in range(10)}) == 10


def test_a_clip_too_short_for_the_window_is_named(store: Store) -> None:
    with pytest.raises(UserError, match=r"short: has 3 frames, but crops have"):
        _crops([store("short", _painted(3, 24, 24))])


def test_a_clip_too_small_for_the_crop_is_named(store: Store) -> None:
    with pytest.raises(UserError, match="small: is 32x11, smaller than the crops"):
        _crops([store("small", _painted(4, 11, 32))])


def test_a_crop_that_the_scale_does_not_divide_is_refused(high: list[StoredClip]) -> None:
    with pytest.raises(UserError, match="not a multiple of the scale 5"):
        _crops(high, degradation=ResizeDown(5))


# Scenes and frame rates


def test_no_window_crosses_a_cut(store: Store) -> None:
    clip = replace(store("scenes", _painted(20, 12, 12)), cuts=(3, 9, 13))  # scenes of 3, 6, 4 and 7 frames
    drawn = {_crops([clip], crop_candidates=1)[number].start for number in range(200)}
    assert drawn == {3, 4, 5, 9, 13, 14, 15, 16}


@pytest.mark.parametrize("flips", [False, True])
def test_a_stride_takes_every_nth_frame_of_one_scene(store: Store, low: list[StoredClip], flips: bool) -> None:
    clip = replace(store("long", _painted(24, 12, 12)), cuts=(12,))
    crops = _crops([clip], flips=flips, strides=(0.5, 0.3, 0.2))
    seen: set[int] = set()
    for number in range(100):
        sample = crops[number]
        shown = sorted(sample.hr[:, 0, 0, 0].tolist())
        assert shown == [sample.start + sample.stride * i for i in range(4)]
        assert (sample.start < 12) == (shown[-1] < 12)
        seen.add(sample.stride)
    assert seen == {1, 2, 3}


def test_strides_come_as_often_as_said(high: list[StoredClip]) -> None:
    crops = _crops(high[:1], crop_candidates=1, strides=(3, 1))  # chances need not sum to 1
    share = np.mean([crops[number].stride == 2 for number in range(600)])
    assert 0.2 < share < 0.3


def test_a_window_is_as_likely_in_a_long_scene_as_in_a_short_one(store: Store) -> None:
    long, short = store("long", _painted(13, 12, 12)), store("short", _painted(4, 12, 12))
    crops = _crops([long, short], crop_candidates=1)
    share = np.mean([crops[number].clip == "short" for number in range(1000)])
    assert 0.06 < share < 0.14  # one of eleven


def test_a_stride_that_no_clip_has_room_for_is_refused(high: list[StoredClip]) -> None:
    with pytest.raises(UserError, match=r"no clip has a scene of .* frames, which stride 3 needs"):
        _crops(high, strides=(0.8, 0.1, 0.1))
    _crops(high, strides=(0.8, 0.2, 0.0))


@pytest.mark.parametrize("strides", [(), (0.0,), (-1.0, 2.0)])
def test_chances_that_are_none_are_refused(high: list[StoredClip], strides: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match=r"data\.strides"):
        _crops(high, strides=strides)


def test_a_clip_without_a_scene_that_is_long_enough_is_named(high: list[StoredClip]) -> None:
    with pytest.raises(UserError, match=r"a: has no scene of 4 frames \(the longest has 3\)"):
        _crops([replace(high[0], cuts=(3, 6))])


def test_where_little_moves_the_moving_places_are_found(store: Store) -> None:
    """A screen on which a tenth of the time, in a corner, something happens."""
    frames = np.full((60, 64, 64, 3), 90, np.uint8)
    frames[50:56, :16, :16] += np.random.default_rng(0).integers(0, 99, (6, 16, 16, 3), dtype=np.uint8)
    clip = store("screen", frames)

    def moving(min_motion: float) -> float:
        crops = _crops([clip], crop_candidates=2, min_motion=min_motion)
        return float(np.mean([bool((crops[n].hr.int().diff(dim=0) != 0).any()) for n in range(60)]))

    assert moving(0.05) > 2 * moving(0.0)


def test_a_clip_in_which_nothing_moves_still_gives_samples(store: Store) -> None:
    crops = _crops([store("still", np.full((6, 24, 24, 3), 7, np.uint8))], min_motion=1.0)
    assert crops[0].hr.shape == (4, 3, 12, 12)


def test_choosing_a_place_reads_no_frame(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = store("a", np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3), dtype=np.uint8))
    with activity_path(clip.path).open("wb") as file:
        np.save(file, measure_activity(clip.frames))
    crops = _crops([clip], crop_candidates=6)
    monkeypatch.setattr(StoredClip, "frames", property(lambda self: pytest.fail("read a frame")))
    rng = np.random.default_rng(0)
    assert len({crops._choose(rng, 1) for _ in range(20)}) > 5


# Who draws what


def test_another_degradation_shifts_no_crop(high: list[StoredClip]) -> None:
    plain, random = ResizeDown(SCALE), BlurDown(SCALE, (0.5, 2.0), 7, phase=0, border="reflect")
    one, other = (_crops(high, degradation=degradation) for degradation in (plain, random))
    assert all(torch.equal(one[n].hr, other[n].hr) for n in range(12))


def test_more_tries_change_no_parameter(high: list[StoredClip]) -> None:
    random = BlurDown(SCALE, (0.5, 2.0), 7, phase=0, border="reflect")
    one, other = (
        _crops(high, degradation=random, crop_candidates=crop_candidates, strides=(1.0,)) for crop_candidates in (1, 5)
    )
    assert all(one[n].params == other[n].params for n in range(12))


class _Marked(BlurDown):
    """A random blur that modifies its target, on the CPU or on the device."""

    temporal = True
    modifies_target = True

    def __init__(self, on_cpu: bool) -> None:
        super().__init__(SCALE, (0.5, 2.0), 7, phase=0, border="reflect")
        self.on_cpu = on_cpu

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        ramp = torch.linspace(0.5, 1, clip.shape[-4]).reshape(-1, 1, 1, 1)
        return super().apply(clip, params) * ramp  # leaves 8 bits

    def target(self, hr: Tensor, params: Params, zoom: int = 1) -> Tensor:
        return hr * 0.7


def test_lr_made_by_the_loader_is_what_the_device_would_have_made(high: list[StoredClip]) -> None:
    pairs: list[tuple[Tensor, Tensor]] = []
    for on_cpu in (True, False):
        degradation = _Marked(on_cpu)
        batch = collate([_crops(high, degradation=degradation)[n] for n in range(6)])
        assert (batch.lr is None) != on_cpu
        made = pair_on_device(degradation, batch, torch.float32)
        assert made.lr is not None
        pairs.append((made.lr, made.hr))
    (lr, hr), (lr_of_device, hr_of_device) = pairs
    assert torch.equal(lr, lr_of_device)
    assert torch.equal(hr, hr_of_device)
    windows = Windows(high, _Marked(True), WindowOptions(4, 12))
    assert windows[0].lr is not None


# Validation


def test_a_window_is_the_middle_of_its_clip(high: list[StoredClip], low: list[StoredClip]) -> None:
    windows = Windows(high, ResizeDown(SCALE), WindowOptions(4, 12), lr_clips=low)
    assert len(windows) == 2
    for number, (hr, lr) in enumerate(zip(high, low, strict=True)):
        sample = windows[number]
        length, height, width, _ = hr.frames.shape
        t, y, x = (length - 4) // 2, (height - 12) // 4 * 2, (width - 12) // 4 * 2
        assert np.array_equal(sample.hr.permute(0, 2, 3, 1), hr.frames[t : t + 4, y : y + 12, x : x + 12])
        y, x = y // SCALE, x // SCALE
        assert sample.lr is not None
        assert np.array_equal(sample.lr.permute(0, 2, 3, 1), lr.frames[t : t + 4, y : y + 6, x : x + 6])


def test_a_window_is_of_the_longest_scene(store: Store) -> None:
    clip = replace(store("scenes", _painted(20, 24, 24)), cuts=(4, 13))
    windows = Windows([clip], ResizeDown(SCALE), WindowOptions(5, 12))
    assert windows[0].hr[:, 0, 0, 0].tolist() == [6, 7, 8, 9, 10]
    windows = Windows([clip], ResizeDown(SCALE), WindowOptions(12, 12))
    assert windows[0].hr[:, 0, 0, 0].tolist() == list(range(4, 13))


def test_a_window_larger_than_its_clip_is_all_of_it(store: Store) -> None:
    windows = Windows([store("odd", _painted(3, 11, 13))], ResizeDown(SCALE), WindowOptions(99, 99))
    assert windows[0].hr.shape == (3, 3, 10, 12)


def test_validation_draws_the_same_parameters_every_time(high: list[StoredClip]) -> None:
    blur = BlurDown(SCALE, (0.5, 2.0), 7, phase=0, border="reflect")
    one, other = (Windows(high, blur, WindowOptions(4, 12), seed=5) for _ in range(2))
    assert [one[n].params for n in (0, 1)] == [other[n].params for n in (0, 1)]


# Batches


def test_a_batch_stacks_its_samples_in_order(high: list[StoredClip], low: list[StoredClip]) -> None:
    samples = [_crops(high, low)[number] for number in (5, 2, 9)]
    batch = collate(samples)
    assert batch.numbers == [5, 2, 9]
    assert batch.lr is not None
    for i, sample in enumerate(samples):
        assert torch.equal(batch.hr[i], sample.hr)
        assert sample.lr is not None and torch.equal(batch.lr[i], sample.lr)
        assert (batch.clips[i], batch.starts[i], batch.params[i]) == (sample.clip, sample.start, sample.params)


def test_a_batch_of_footage_without_lr_has_none(high: list[StoredClip]) -> None:
    assert collate([_crops(high)[0], _crops(high)[1]]).lr is None
