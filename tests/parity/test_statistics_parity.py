"""Intervals against a bootstrap written out in numpy."""

from collections.abc import Mapping

import numpy as np
import pytest

from vsr_lab.evaluation.statistics import estimate


def _interval(samples: list[np.ndarray], resamples: int = 20_000) -> tuple[float, float]:
    """2.5 % and 97.5 % of the mean over samples of the mean of each, drawn again with replacement."""
    rng = np.random.default_rng(7)
    means = [rng.choice(sample, (resamples, len(sample))).mean(1) for sample in samples]
    low, high = np.percentile(np.mean(means, axis=0), [2.5, 97.5])
    return float(low), float(high)


def _drifting(frames: int, seed: int) -> np.ndarray:
    """Neighbouring frames are alike, as in any clip."""
    rng = np.random.default_rng(seed)
    return 30 + np.cumsum(rng.normal(0, 0.3, frames)) + rng.normal(0, 0.3, frames)


def _check(per_clip: Mapping[str, np.ndarray], samples: list[np.ndarray]) -> None:
    found = estimate(per_clip)
    low, high = _interval(samples)
    assert found.mean == pytest.approx(np.mean([values.mean() for values in per_clip.values()]))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.04 * (high - low))


def test_few_clips_are_resampled_in_blocks_of_eight_frames() -> None:
    clips = {str(i): _drifting(frames, i) for i, frames in enumerate((40, 64, 32))}
    _check(clips, [values.reshape(-1, 8).mean(1) for values in clips.values()])


def test_many_clips_are_resampled_themselves() -> None:
    clips = {str(i): _drifting(24, i) for i in range(12)}
    _check(clips, [np.array([values.mean() for values in clips.values()])])
