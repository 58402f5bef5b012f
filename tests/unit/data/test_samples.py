"""Samples: a pure function of seed and number, LR and HR of the same place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.data import Crops, Sample, StoredClip, Windows, collate
from vsr_lab.degradations import BlurDown, Degradation, ResizeDown

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
    tries: int = 3,
    flips: bool = True,
) -> Crops:
    return Crops(high, low, degradation or ResizeDown(SCALE), seed, frames=4, size=12, tries=tries, flips=flips)


def _same(a: Sample, b: Sample) -> bool:
    return torch.equal(a.hr, b.hr) and (a.params, a.clip, a.start) == (b.params, b.clip, b.start)


def test_a_sample_is_a_function_of_seed_and_number(high: list[StoredClip]) -> None:
    blur = BlurDown(SCALE, 0.5, 2.0, 7, phase=0, border="reflect")
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


@pytest.mark.parametrize("tries", [1, 4])
@pytest.mark.parametrize("flips", [False, True])
def test_lr_is_of_the_same_place_time_and_turn(
    high: list[StoredClip], low: list[StoredClip], tries: int, flips: bool
) -> None:
    crops = _crops(high, low, tries=tries, flips=flips)
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
        red, green, blue = _crops(high, tries=1)[number].hr.int().unbind(1)
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
    drawn = {(sample.clip, sample.start) for sample in map(_crops(high, tries=1).__getitem__, range(300))}
    assert drawn == {("a", t) for t in range(6)} | {("b", t) for t in range(3)}


def test_a_place_with_detail_is_preferred_to_a_flat_one(store: Store) -> None:
    frames = np.full((4, 24, 48, 3), 128, np.uint8)
    frames[:, :, 24:] = np.random.default_rng(0).integers(0, 255, (24, 24, 3))
    clip = store("half", frames)

    def detail(tries: int) -> float:
        crops = _crops([clip], tries=tries)
        return float(np.mean([crops[number].hr.float().std() for number in range(30)]))

    assert detail(8) > 1.3 * detail(1)


def test_parameters_of_the_degradation_are_drawn_for_each_sample(high: list[StoredClip]) -> None:
    crops = _crops(high, degradation=BlurDown(SCALE, 0.5, 2.0, 7, phase=0, border="reflect"))
    assert len({crops[number].params["sigma"] for number in range(10)}) == 10


def test_a_clip_too_short_for_the_window_is_named(store: Store) -> None:
    with pytest.raises(UserError, match="short: has 3 frames, the window 4"):
        _crops([store("short", _painted(3, 24, 24))])


def test_a_clip_too_small_for_the_crop_is_named(store: Store) -> None:
    with pytest.raises(UserError, match="small: is 32x11, the crop 12"):
        _crops([store("small", _painted(4, 11, 32))])


def test_a_crop_that_the_scale_does_not_divide_is_refused(high: list[StoredClip]) -> None:
    with pytest.raises(UserError, match="no multiple of the scale 5"):
        _crops(high, degradation=ResizeDown(5))


# Validation


def test_a_window_is_the_middle_of_its_clip(high: list[StoredClip], low: list[StoredClip]) -> None:
    windows = Windows(high, low, ResizeDown(SCALE), seed=0, frames=4, size=12)
    assert len(windows) == 2
    for number, (hr, lr) in enumerate(zip(high, low, strict=True)):
        sample = windows[number]
        length, height, width, _ = hr.frames.shape
        t, y, x = (length - 4) // 2, (height - 12) // 4 * 2, (width - 12) // 4 * 2
        assert np.array_equal(sample.hr.permute(0, 2, 3, 1), hr.frames[t : t + 4, y : y + 12, x : x + 12])
        y, x = y // SCALE, x // SCALE
        assert sample.lr is not None
        assert np.array_equal(sample.lr.permute(0, 2, 3, 1), lr.frames[t : t + 4, y : y + 6, x : x + 6])


def test_a_window_larger_than_its_clip_is_all_of_it(store: Store) -> None:
    windows = Windows([store("odd", _painted(3, 11, 13))], None, ResizeDown(SCALE), seed=0, frames=99, size=99)
    assert windows[0].hr.shape == (3, 3, 10, 12)


def test_validation_draws_the_same_parameters_every_time(high: list[StoredClip]) -> None:
    blur = BlurDown(SCALE, 0.5, 2.0, 7, phase=0, border="reflect")
    one, other = (Windows(high, None, blur, seed=5, frames=4, size=12) for _ in range(2))
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
