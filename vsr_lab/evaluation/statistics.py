"""Means and confidence intervals: over frames, then over clips."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vsr_lab.core.records.evaluation import Estimate

Values = npt.NDArray[np.float64]
_RESAMPLES = 2000
_MANY_CLIPS = 8  # from this number on, clips themselves are resampled
_BLOCK = 8  # frames; neighbouring frames are correlated, so they are resampled together


def estimate(per_clip: Mapping[str, Values]) -> Estimate:
    """Mean over the frames of each clip, then over clips, with a seeded 95 % percentile bootstrap interval.

    With 8 clips or more, whole clips are resampled. With fewer clips, blocks of 8 neighbouring frames are
    resampled within each clip, and the interval holds for these clips only.

    Args:
        per_clip: clip -> one value per frame, in frame order.

    Returns:
        The mean and its interval. If nothing can be resampled, both ends of the interval equal the mean.

    Raises:
        ValueError: no clip has a value.
    """
    from scipy.stats import bootstrap  # takes most of a second to import

    clips = [values for values in per_clip.values() if len(values)]
    if not clips:
        raise ValueError("no frame has a value")
    mean = float(np.mean([values.mean() for values in clips]))
    samples = [np.array([v.mean() for v in clips])] if len(clips) >= _MANY_CLIPS else [_blocks(v) for v in clips]
    if all(len(sample) < 2 for sample in samples):
        return Estimate(mean=mean, low=mean, high=mean)
    # scipy needs two values per sample; a repeated single block gives that block in every resample.
    samples = [sample if len(sample) > 1 else sample.repeat(2) for sample in samples]
    result = bootstrap(
        samples, _mean_of_means, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    )
    low, high = map(float, result.confidence_interval)
    return Estimate(mean=mean, low=low, high=high)


def _mean_of_means(*samples: Values, axis: int) -> Values:
    return np.mean([sample.mean(axis=axis) for sample in samples], axis=0)


def _blocks(values: Values) -> Values:
    count = max(len(values) // _BLOCK, 1)
    return np.array([block.mean() for block in np.array_split(values, count)])


def paired(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> Estimate:
    """`estimate` of the frame-by-frame difference ours - theirs.

    Raises:
        ValueError: the two do not have the same clips and frames.
    """
    if {k: len(v) for k, v in ours.items()} != {k: len(v) for k, v in theirs.items()}:
        raise ValueError("both must be measured on the same frames")
    return estimate({clip: values - theirs[clip] for clip, values in ours.items()})


def pareto(points: Mapping[str, Sequence[float]]) -> list[str]:
    """Names of the points that no other point dominates (at least as high in every coordinate, higher in one)."""

    def dominated(name: str) -> bool:
        own = np.array(points[name])
        others = (np.array(p) for other, p in points.items() if other != name)
        return any(bool((p >= own).all() and (p > own).any()) for p in others)

    return [name for name in points if not dominated(name)]
