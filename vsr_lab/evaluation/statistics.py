"""Means and their intervals: over frames, then over clips."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

Values = npt.NDArray[np.float64]
_RESAMPLES = 2000
_MANY_CLIPS = 8  # from here on clips vary enough to be resampled themselves
_BLOCK = 8  # frames; neighbours are alike, so they are resampled together


class Estimate(NamedTuple):
    """A mean and its 95 % interval; low and high are equal to the mean where nothing can be resampled."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        return {"mean": self.mean, "ci95": [self.low, self.high]}


def estimate(per_clip: Mapping[str, Values]) -> Estimate:
    """Mean over each clip's frames, then over clips, with a percentile bootstrap interval (seeded).

    With 8 clips or more whole clips are resampled; with fewer, blocks of 8 neighbouring frames within each clip, and
    the interval then speaks of these clips alone. Raises ValueError for no values.
    """
    clips = [values for values in per_clip.values() if len(values)]
    if not clips:
        raise ValueError("no frame has a value")
    mean = float(np.mean([values.mean() for values in clips]))
    samples = [np.array([v.mean() for v in clips])] if len(clips) >= _MANY_CLIPS else [_blocks(v) for v in clips]
    if all(len(sample) < 2 for sample in samples):
        return Estimate(mean, mean, mean)
    # scipy wants two values a sample; a lone block repeated is that block, whatever is drawn.
    samples = [sample if len(sample) > 1 else sample.repeat(2) for sample in samples]
    result = bootstrap(
        samples, _mean_of_means, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    )
    return Estimate(mean, float(result.confidence_interval.low), float(result.confidence_interval.high))


def _mean_of_means(*samples: Values, axis: int) -> Values:
    return np.mean([sample.mean(axis=axis) for sample in samples], axis=0)


def _blocks(values: Values) -> Values:
    count = max(len(values) // _BLOCK, 1)
    return np.array([block.mean() for block in np.array_split(values, count)])


def paired(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> Estimate:
    """`estimate` of the frame-by-frame difference ours - theirs. Raises ValueError unless both have the same frames."""
    if {k: len(v) for k, v in ours.items()} != {k: len(v) for k, v in theirs.items()}:
        raise ValueError("the two were not measured on the same frames")
    return estimate({clip: values - theirs[clip] for clip, values in ours.items()})


def pareto(points: Mapping[str, Sequence[float]]) -> list[str]:
    """Names of the points that no other point beats: at least as high in everything and higher in something."""

    def beaten(name: str) -> bool:
        own = np.array(points[name])
        others = (np.array(p) for other, p in points.items() if other != name)
        return any(bool((p >= own).all() and (p > own).any()) for p in others)

    return [name for name in points if not beaten(name)]
