"""Time, by signatures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsr_lab.alignment.grids import Picture
from vsr_lab.alignment.timeline import find_timeline
from vsr_lab.core.orientation import ORIENTATIONS, Orientation

BOTH = np.ones((16, 16), np.float32)


def signatures(frames: int, seed: int = 0) -> Picture:
    """Smooth pictures that drift, each unlike all others: T 16 16 in levels."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 4, (frames, 16, 16)), 0)
    return (128 + 30 * rng.standard_normal((16, 16)) + walk).astype(np.float32)


def noisy(pictures: Picture, sigma: float = 0.3) -> Picture:
    return pictures + np.random.default_rng(9).normal(0, sigma, pictures.shape).astype(np.float32)


@settings(max_examples=25)
@given(st.integers(-22, 22), st.integers(0, 99))
def test_any_offset(offset: int, seed: int) -> None:
    whole = signatures(60, seed)
    low, high = (whole[offset:], whole[: 60 - offset]) if offset >= 0 else (whole[: 60 + offset], whole[-offset:])
    match = find_timeline(noisy(low), high, BOTH).match
    inside = (match >= 0) & (match < len(high))
    assert np.array_equal(match[inside], (np.arange(len(low)) + offset)[inside])
    assert inside.sum() >= 60 - 2 * abs(offset)


@settings(max_examples=25)
@given(st.sets(st.integers(2, 37), max_size=6), st.integers(0, 99))
def test_any_frames_dropped(dropped: set[int], seed: int) -> None:
    high = signatures(40, seed)
    kept = np.array([u for u in range(40) if u not in dropped])
    assert np.array_equal(find_timeline(noisy(high[kept]), high, BOTH).match, kept)


@settings(max_examples=15)
@given(st.integers(0, 99))
def test_any_order(seed: int) -> None:
    high = signatures(24, seed)
    order = np.random.default_rng(seed).permutation(24)
    assert np.array_equal(find_timeline(noisy(high[order]), high, BOTH).match, order)


def test_backwards_with_other_levels_and_a_standing_difference() -> None:
    high = signatures(30)
    low = noisy(0.8 * high[::-1] + 20 + 6 * np.sin(np.arange(256)).reshape(16, 16).astype(np.float32))
    found = find_timeline(low, high, BOTH)
    assert found.backwards
    assert np.array_equal(found.match, np.arange(30)[::-1])


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda o: o.name)
def test_every_orientation(orientation: Orientation) -> None:
    high = signatures(20)
    found = find_timeline(noisy(np.ascontiguousarray(orientation.apply(high, 1))), high, BOTH)
    assert found.orientation == orientation
    assert np.array_equal(found.match, np.arange(20))


def test_long_clips_are_matched_block_by_block() -> None:
    high = signatures(3200, 3)
    kept = np.delete(np.arange(3200), [700, 3000, 3001])
    assert np.array_equal(find_timeline(noisy(high[kept]), high, BOTH).match, kept)


def test_what_does_not_change_cannot_be_told() -> None:
    still = np.repeat(signatures(1), 12, 0)
    assert find_timeline(noisy(still, 0.01), still, BOTH).evidence < 2
    assert find_timeline(noisy(signatures(12)), signatures(12), BOTH).evidence > 2
