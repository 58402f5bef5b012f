"""Means over clips, and what their intervals may claim."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from vsr_lab.core.records.evaluation import Estimate
from vsr_lab.evaluation.statistics import (
    decibel_gains,
    estimate,
    holm,
    p_value,
    paired,
    pool_decibels,
    within,
)


def _noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(30, 1, frames)


def _clip(rng: np.random.Generator, effect: float, frames: int, correlation: float, deviation: float) -> np.ndarray:
    """A clip's effect, and frames that resemble their neighbours: AR(1)."""
    values = rng.normal(0, deviation, frames)
    for t in range(1, frames):
        values[t] = correlation * values[t - 1] + np.sqrt(1 - correlation**2) * values[t]
    return effect + values


def test_the_mean_is_over_frames_then_over_clips() -> None:
    assert estimate({"long": np.full(90, 10.0), "short": np.full(10, 20.0)}).mean == 15


def test_the_interval_of_clips_without_skewness_is_students() -> None:
    means = [28.0, 29.5, 30.0, 30.5, 32.0]
    found = estimate({str(mean): np.full(3, mean) for mean in means})
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.low, found.high, found.about) == (pytest.approx(expected.low), pytest.approx(expected.high), "clips")


def test_the_interval_reaches_further_where_the_clips_do() -> None:
    """Hall 1992: T + g T^2 / (3 sqrt n) + g^2 T^3 / (27 n) + g / (6 sqrt n) is Student's quantile at the ends."""
    means = np.array([1.0, 1.1, 1.2, 1.4, 3.0])
    found = estimate({str(mean): np.full(3, mean) for mean in means})
    assert found.low is not None and found.high is not None
    assert found.high - found.mean > 2 * (found.mean - found.low)
    g, n = stats.skew(means), len(means)
    for end, quantile in ((found.low, stats.t.ppf(0.975, n - 1)), (found.high, stats.t.ppf(0.025, n - 1))):
        score = (means.mean() - end) / (means.std(ddof=1) / n**0.5)
        bent = score + g * score**2 / (3 * n**0.5) + g**2 * score**3 / (27 * n) + g / (6 * n**0.5)
        assert bent == pytest.approx(quantile)


def test_one_clip_says_nothing_about_others() -> None:
    found = estimate({"a": _noise(64)})
    assert found.about == "frames"
    assert not paired({"a": _noise(64) + 5}, {"a": _noise(64)}).clear


def test_frames_that_resemble_their_neighbours_do_not_count_as_many() -> None:
    drift = np.repeat(_noise(40), 8)
    shuffled = np.random.default_rng(1).permutation(drift)
    slow, quick = (within({"a": values}) for values in (drift, shuffled))
    assert slow.low is not None and slow.high is not None and quick.low is not None and quick.high is not None
    assert slow.high - slow.low > 1.5 * (quick.high - quick.low)


@pytest.mark.parametrize("frames", [1, 3, 6])
def test_too_few_frames_have_no_interval(frames: int) -> None:
    assert estimate({"a": _noise(frames)}).model_dump()["low"] is None


def test_a_clip_without_values_is_left_out() -> None:
    assert estimate({"none": np.array([]), "a": np.array([3.0])}) == Estimate(mean=3)
    with pytest.raises(ValueError, match="no frame"):
        estimate({"none": np.array([])})


def test_equal_clips_have_an_interval_of_no_width() -> None:
    assert estimate({str(i): np.full(20, 4.0) for i in range(9)}) == Estimate(mean=4, low=4, high=4, about="clips")


Law = Callable[[np.random.Generator], float]


def _lognormal(sigma: float) -> Law:
    """Mean 0, deviation 1; skewness 1.75 for sigma 0.5, 6.2 for sigma 1."""
    spread = np.exp(sigma**2)
    return lambda rng: (rng.lognormal(0, sigma) - spread**0.5) / np.sqrt((spread - 1) * spread)


def _simulated(law: Law, clips: int) -> tuple[float, float, float]:
    """Shares of the suites whose interval covers the mean, that are clear, and that Student's interval would cover.

    Clip effects of deviation 1, frames of AR(0.7) with deviation 0.4.
    """
    rng = np.random.default_rng(clips)
    trials, covered, clear, students = 6000, 0, 0, 0
    for _ in range(trials):
        gains = {str(i): _clip(rng, law(rng), 24, 0.7, 0.4) for i in range(clips)}
        found = estimate(gains)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0 <= found.high
        clear += found.clear
        means = np.array([values.mean() for values in gains.values()])
        reach = stats.t.ppf(0.975, clips - 1) * means.std(ddof=1) / clips**0.5
        students += abs(means.mean()) <= reach
    print(f"{clips} clips: {covered / trials:.3f} covered, {clear / trials:.3f} clear, Student {students / trials:.3f}")
    return covered / trials, clear / trials, students / trials


@pytest.mark.slow
@pytest.mark.parametrize("law", [np.random.Generator.normal, _lognormal(0.5)], ids=["normal", "lognormal"])
@pytest.mark.parametrize("clips", [2, 3, 5, 8, 12, 20])
def test_intervals_cover_the_mean_of_all_clips_in_95_of_100_cases(clips: int, law: Law) -> None:
    """Equal candidates differ in at most 7 of 100."""
    covered, clear, _ = _simulated(law, clips)
    assert 0.93 <= covered <= 0.97
    assert clear <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize("clips", [3, 20])
def test_heavier_tails_are_covered_better_than_by_student(clips: int) -> None:
    covered, _, students = _simulated(_lognormal(1.0), clips)
    assert covered > students + 0.01


# Pairs


def test_a_steady_difference_is_certain_however_noisy_the_frames() -> None:
    noisy = {"a": _noise(64, 0), "b": _noise(64, 1)}
    found = paired({clip: values + 0.1 for clip, values in noisy.items()}, noisy)
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.clear


def test_pairing_ignores_the_order_of_the_clips() -> None:
    ours = {"a": _noise(20, 0), "b": _noise(20, 1)}
    theirs = {"b": ours["b"] - 2, "a": ours["a"] - 1}
    assert paired(ours, theirs).mean == pytest.approx(1.5)


def test_gains_in_decibels_have_the_mean_of_the_pooled_errors() -> None:
    ours, theirs = ({"a": 30 + _noise(40, seed) / 10} for seed in (0, 1))
    gains = decibel_gains(ours, theirs)["a"]
    assert gains.mean() == pytest.approx(pool_decibels(ours["a"]) - pool_decibels(theirs["a"]))
    assert np.corrcoef(gains, ours["a"] - theirs["a"])[0, 1] > 0.99
    assert decibel_gains({"a": np.full(3, 100.0)}, {"a": np.full(3, 70.0)})["a"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("theirs", [{"a": np.zeros(4)}, {"b": np.zeros(5)}, {}, {"a": np.zeros(5), "b": np.zeros(5)}])
def test_other_frames_are_no_pair(theirs: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="same frames"):
        paired({"a": np.zeros(5)}, theirs)


def test_p_is_of_the_one_sided_test_that_the_interval_inverts() -> None:
    gains = {str(i): _noise(20, i) - 29.9 for i in range(6)}
    low = estimate(gains).low
    assert low is not None
    assert p_value(gains, low) == pytest.approx(0.025)
    assert p_value({"a": _noise(20)}) is None


def test_holm_is_holms() -> None:
    """The example of Holm's procedure in statsmodels' documentation style: sorted p times those left, never falling."""
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
