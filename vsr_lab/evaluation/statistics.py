"""Means of scores over clips, 95 % intervals of these means, and tests of differences."""

from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vsr_lab.core.records.evaluation import Estimate

Values = npt.NDArray[np.float64]
K = TypeVar("K", bound=Hashable)
MANY_CLIPS = 8  # below this number, a gain without a clear interval may want more clips
_LEVEL = 0.95
ROUNDING = 10 * np.log10(255**2 * 12)  # PSNR of rounding to 8 bits
_FEWEST_BLOCKS = 4  # of a clip, below which the variance of its mean is not estimated


def estimate(per_clip: Mapping[str, Values]) -> Estimate:
    """Mean over the frames of each clip, then over clips, with the 95 % confidence interval of the mean.

    A clip counts as one independent measurement: the interval is computed from the means of the clips, and is valid for
    other clips of the same kind. It is Student's t interval after a transformation that removes skewness (Hall, "On the
    removal of skewness by transformation", 1992). For a single clip, the interval of `within` is returned, which is
    only valid for this clip.

    Args:
        per_clip: clip -> one value per frame, in frame order.

    Raises:
        ValueError: no clip has a value.
    """
    means = clip_means(per_clip)
    if len(means) < 2:
        return within(per_clip)
    values = np.array(list(means.values()))
    law = _Skewed.of(values)
    low, high = (values.mean() - law.error * law.statistic(sign * _quantile(len(values) - 1)) for sign in (1, -1))
    return Estimate(mean=float(values.mean()), low=float(low), high=float(high), about="clips")


def within(per_clip: Mapping[str, Values]) -> Estimate:
    """Mean over the frames of each clip, then over clips, with an interval that is only valid for these clips.

    The interval accounts for the choice of frames in the clips, not for the choice of clips. The frames of each clip
    are averaged in blocks that are long enough to be independent. The variances of the clips, which may differ, are
    combined as in Welch's t test (Satterthwaite 1946). There is no interval if a clip has fewer than 4 blocks.

    Args:
        per_clip: clip -> one value per frame, in frame order.
    """
    clips = [values for values in per_clip.values() if len(values)]
    mean = _mean(clip_means(per_clip).values())
    blocks = [_blocks(values) for values in clips]
    if any(len(block) < _FEWEST_BLOCKS for block in blocks):
        return Estimate(mean=mean)
    variances = np.array([block.var(ddof=1) / len(block) for block in blocks])
    if not variances.any():
        return Estimate(mean=mean, low=mean, high=mean, about="frames")
    freedom = variances.sum() ** 2 / sum(v**2 / (len(b) - 1) for v, b in zip(variances, blocks, strict=True))
    half = _quantile(freedom) * np.sqrt(variances.sum()) / len(clips)
    return Estimate(mean=mean, low=float(mean - half), high=float(mean + half), about="frames")


def clip_means(per_clip: Mapping[str, Values]) -> dict[str, float]:
    """Clip -> mean over its frames. Clips in which no frame has a value are left out."""
    return {clip: float(values.mean()) for clip, values in per_clip.items() if len(values)}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    if not found:
        raise ValueError("no frame has a value")
    return float(np.mean(found))


def _quantile(freedom: float) -> float:
    from scipy.special import stdtrit  # takes long to import

    return float(stdtrit(freedom, (1 + _LEVEL) / 2))


class _Skewed(NamedTuple):
    """Hall's transformation of the t statistic. error: standard error of the mean; bend, shift: from the skewness."""

    error: float
    bend: float
    shift: float

    @classmethod
    def of(cls, values: Values) -> "_Skewed":
        root, away = np.sqrt(len(values)), values - values.mean()
        spread = np.square(away).mean() ** 1.5
        skewness = float((away**3).mean() / spread) if spread else 0.0
        return cls(float(values.std(ddof=1) / root), skewness / (3 * root), skewness / (6 * root))

    def transformed(self, statistic: float) -> float:
        """The statistic without skewness, which follows Student's t distribution."""
        return statistic + self.bend * statistic**2 + self.bend**2 * statistic**3 / 3 + self.shift

    def statistic(self, transformed: float) -> float:
        """The inverse of `transformed`."""
        if abs(self.bend) < 1e-9:
            return transformed
        return float((np.cbrt(1 + 3 * self.bend * (transformed - self.shift)) - 1) / self.bend)


def _blocks(values: Values) -> Values:
    """Means of blocks of at least twice the integrated autocorrelation time of the values."""
    length = int(np.ceil(2 * _autocorrelation_time(values)))
    count = max(len(values) // length, 1)
    return np.array([block.mean() for block in np.array_split(values, count)])


def _autocorrelation_time(values: Values) -> float:
    """(1 + r) / (1 - r), where r is the lag-1 autocorrelation, corrected for bias in short series (Kendall 1954)."""
    count = len(values)
    centred = values - values.mean()
    power = float(centred @ centred)
    if count < 4 or power <= 1e-12 * count * max(1.0, float(np.square(values).mean())):
        return 1.0
    correlation = float(centred[:-1] @ centred[1:]) / power
    correlation = min(correlation + (1 + 4 * correlation) / count, 0.98)
    return max((1 + correlation) / (1 - correlation), 1.0)


def differences(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> dict[str, Values]:
    """Difference of two candidates' scores, frame by frame.

    Args:
        ours, theirs: clip -> one value per frame.

    Returns:
        clip -> ours - theirs.

    Raises:
        ValueError: ours and theirs do not have the same clips and frames.
    """
    if {k: len(v) for k, v in ours.items()} != {k: len(v) for k, v in theirs.items()}:
        raise ValueError("both must be measured on the same frames")
    return {clip: values - theirs[clip] for clip, values in ours.items()}


def pool_decibels(values: Values) -> float:
    """Mean of PSNR values in dB, computed as the PSNR of the mean squared error."""
    return float(-10 * np.log10(np.mean(10 ** (-values / 10))))


def decibel_gains(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> dict[str, Values]:
    """Gain of one candidate over another in dB, frame by frame, in which frames with a very high PSNR count little.

    The gain of a clip is the difference between the PSNR of the mean squared errors (`pool_decibels`) of the two
    candidates. The gain of a frame is the gain of the clip + 10 / ln(10) * (e_theirs / m_theirs - e_ours / m_ours),
    where e is the squared error of the frame and m its mean over the clip. So the mean over the frames is the gain of
    the clip, and a black or still frame of 100 dB does not outweigh the others. A squared error smaller than that of
    rounding to 8 bits is replaced by the squared error of rounding.

    Args:
        ours, theirs: clip -> one value per frame, in dB.

    Returns:
        clip -> gain of ours over theirs.

    Raises:
        ValueError: ours and theirs do not have the same clips and frames.
    """
    differences(ours, theirs)
    return {clip: _decibel_gains(values, theirs[clip]) for clip, values in ours.items()}


def _decibel_gains(ours: Values, theirs: Values) -> Values:
    if not len(ours):
        return ours
    ours, theirs = np.minimum(ours, ROUNDING), np.minimum(theirs, ROUNDING)
    own, other = (10 ** (-values / 10) for values in (ours, theirs))
    shares = 10 / np.log(10) * (other / other.mean() - own / own.mean())
    return pool_decibels(ours) - pool_decibels(theirs) + shares


def paired(ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> Estimate:
    """Mean and 95 % interval (see `estimate`) of the difference ours - theirs, computed frame by frame."""
    return estimate(differences(ours, theirs))


def p_value(difference: Mapping[str, Values], margin: float = 0.0) -> float | None:
    """p-value of the one-sided test over clips of the null hypothesis that the mean difference is at most `margin`.

    It is below 2.5 % if and only if the whole 95 % interval of `estimate` is above `margin`; None for a single clip.

    Args:
        difference: clip -> one value per frame.
        margin: bound of the null hypothesis, in the unit of the difference.
    """
    values = np.array(list(clip_means(difference).values())) - margin
    return p_positive(values) if len(values) > 1 else None


def p_positive(values: Values) -> float:
    """p-value of the one-sided test that the mean of at least two independent values is at most 0, see `estimate`."""
    law = _Skewed.of(values)
    if not law.error:
        return float(values.mean() <= 0)
    return _tail(len(values), law.transformed(values.mean() / law.error))


def p_paired(values: Values) -> float:
    """p-value for differences of two candidates: that of `p_positive` or of Student's t test, whichever is higher.

    Differences of equally good candidates have no skewness, but an estimate of their skewness is not 0. If it is
    corrected for, as in `p_positive`, very small p-values become too small. They matter if many pairs are compared.
    """
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return max(p_positive(values), _tail(len(values), float(values.mean()) / error)) if error else p_positive(values)


def _tail(count: int, statistic: float) -> float:
    from scipy.special import stdtr  # takes long to import

    return float(stdtr(count - 1, -statistic))


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """Adjust p-values (name of a test -> p) for the number of tests.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    adjusted: dict[K, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted
