"""Means over frames, then over clips, and what their intervals may claim."""

import numpy as np
import pytest

from vsr_lab.core.records.evaluation import Estimate
from vsr_lab.evaluation.statistics import estimate, paired, pareto


def _noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(30, 1, frames)


def test_the_mean_is_over_frames_then_over_clips() -> None:
    assert estimate({"long": np.full(90, 10.0), "short": np.full(10, 20.0)}).mean == 15


def test_the_interval_holds_the_mean() -> None:
    found = estimate({"a": _noise(50, 0), "b": _noise(50, 1)})
    assert found.low < found.mean < found.high


def test_the_same_values_give_the_same_interval() -> None:
    assert estimate({"a": _noise(50)}) == estimate({"a": _noise(50)})


def test_more_frames_narrow_the_interval() -> None:
    few, many = (estimate({"a": _noise(frames)}) for frames in (40, 640))
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_frames_that_are_alike_with_their_neighbours_do_not_count_as_many() -> None:
    """A slow drift of 64 frames is no 64 measurements."""
    drift = np.repeat(_noise(8), 8)
    shuffled = np.random.default_rng(1).permutation(drift)
    slow, quick = (estimate({"a": values}) for values in (drift, shuffled))
    assert slow.high - slow.low > 1.5 * (quick.high - quick.low)


def test_from_eight_clips_on_the_clips_are_resampled() -> None:
    """The spread between clips then shows, whatever each clip's own frames do."""
    apart = {str(i): np.full(32, float(i)) for i in range(8)}
    assert estimate(apart).high - estimate(apart).low > 2
    seven = {name: apart[name] for name in list(apart)[:7]}
    assert estimate(seven).high == estimate(seven).low == estimate(seven).mean


def test_one_frame_has_no_interval() -> None:
    assert estimate({"a": np.array([3.0])}) == Estimate(mean=3, low=3, high=3)


def test_clips_of_one_frame_have_no_interval() -> None:
    assert estimate({"a": np.array([3.0]), "b": np.array([5.0])}) == Estimate(mean=4, low=4, high=4)


def test_a_clip_of_one_frame_beside_a_long_one_is_kept_as_it_is() -> None:
    found = estimate({"one": np.array([0.0]), "long": _noise(64)})
    assert 14 < found.low < found.mean < found.high < 16


def test_a_clip_without_values_is_left_out() -> None:
    assert estimate({"none": np.array([]), "a": np.array([3.0])}).mean == 3
    with pytest.raises(ValueError, match="no frame"):
        estimate({"none": np.array([])})


def test_equal_clips_have_an_interval_of_nothing() -> None:
    assert estimate({str(i): np.full(20, 4.0) for i in range(9)}) == Estimate(mean=4, low=4, high=4)


def test_an_estimate_says_itself_in_json() -> None:
    assert estimate({"a": np.array([3.0])}).model_dump() == {"mean": 3, "low": 3, "high": 3}


# Pairs


def test_a_steady_difference_is_certain_however_noisy_the_frames() -> None:
    noisy = {"a": _noise(64, 0), "b": _noise(64, 1)}
    found = paired({clip: values + 0.1 for clip, values in noisy.items()}, noisy)
    assert found.model_dump() == pytest.approx({"mean": 0.1, "low": 0.1, "high": 0.1})


def test_pairing_ignores_the_order_of_the_clips() -> None:
    ours = {"a": _noise(20, 0), "b": _noise(20, 1)}
    theirs = {"b": ours["b"] - 2, "a": ours["a"] - 1}
    assert paired(ours, theirs).mean == pytest.approx(1.5)


@pytest.mark.parametrize("theirs", [{"a": np.zeros(4)}, {"b": np.zeros(5)}, {}, {"a": np.zeros(5), "b": np.zeros(5)}])
def test_other_frames_are_no_pair(theirs: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="same frames"):
        paired({"a": np.zeros(5)}, theirs)


# Pareto


def test_a_point_worse_in_everything_is_off_the_front() -> None:
    assert pareto({"best": (3, 3), "worst": (1, 1), "sharp": (4, 1), "calm": (1, 4)}) == ["best", "sharp", "calm"]


def test_a_point_equal_in_one_and_worse_in_another_is_off_the_front() -> None:
    assert pareto({"a": (3, 3), "b": (3, 2)}) == ["a"]


def test_equal_points_share_the_front() -> None:
    assert pareto({"a": (3, 3), "b": (3, 3)}) == ["a", "b"]


def test_nothing_has_no_front() -> None:
    assert pareto({}) == []
