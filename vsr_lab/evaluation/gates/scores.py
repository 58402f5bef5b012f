"""Gates on scores: a candidate must be better than the baseline, not much worse, or reach a minimum."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from vsr_lab.core.ranges import Name, NonNegative
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import TOO_FEW, Verdict
from vsr_lab.evaluation import statistics
from vsr_lab.evaluation.gates.base import Gate, clip_values, metric_values, verdict
from vsr_lab.evaluation.objective import metric_facts
from vsr_lab.evaluation.results import Run

_POOLED = " (of the mean squared error)"  # unlike the mean of decibels that tables show


def _directed(metric: str) -> MetricFacts:
    """Unit and direction of a metric. Raises ValueError if its yaml does not state which values are better."""
    found = metric_facts([metric])
    if not found:
        raise ValueError(f"configs/metric does not say whether higher or lower {metric} is better; use Limit instead")
    return found[0]


class Above(Gate):
    """Gate that requires a significant gain over the baseline: the whole 95 % interval of the gain is above `margin`.

    The gain is the metric of the candidate minus that of the baseline, with the opposite sign if lower is better
    (configs/metric). The interval is computed from the gain of each clip, so at least two clips are needed. Decibels
    are averaged as squared errors, see `decibel_gains`.

    The outcome is "too few clips" instead of "fail" if there are fewer than 8 clips, the gain is above `margin` in
    every clip, and the interval of the mean gain that is valid for these clips only (`statistics.within`) is above
    `margin`. If the clips are too short for this interval, the mean gain must be above `margin`.

    If `clip_margin` is set, the outcome is "fail" if the gain in a clip is below margin - clip_margin. The worst frames
    of each clip are tested in the same way. Their gain is the difference between candidate and baseline in the 5th
    percentile over the frames (in the 95th if lower is better).

    Args:
        metric: name of the metric.
        margin: required gain, in the unit of the metric.
        clip_margin: how far below `margin` the gain in a clip may be, >= 0, in the unit of the metric; None: any.
    """

    def __init__(self, metric: Name, margin: float, clip_margin: NonNegative | None = None) -> None:
        self.facts = _directed(metric)
        self.metric = metric
        self.margin = margin
        self.clip_margin = clip_margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        ours, theirs = metric_values(run, self.metric), metric_values(baseline, self.metric)
        lower, decibels = self.facts.better == "lower", self.facts.unit == "dB"
        compare = statistics.decibel_gains if decibels else statistics.differences
        gains = compare(theirs, ours) if lower else compare(ours, theirs)
        found, means = statistics.estimate(gains), statistics.clip_means(gains)
        ends = found.interval("{:+.3f}".format, "(no interval)")
        what = f"{self.metric}{_POOLED if decibels else ''}{' improved by' if lower else ''}"
        reason = f"{what} {found.mean:+.3f} {ends} over {baseline.candidate}, "
        reason += f"better on {sum(gain > 0 for gain in means.values())} of {len(means)} clips"
        above = verdict(
            name, found.low, self.margin, passed=found.about == "clips" and found.above(self.margin), reason=reason
        )
        above = above.model_copy(update={"p": statistics.p_value(gains, self.margin)})
        if self.clip_margin is not None:
            (worst, where), bound = self._worst(run, baseline, means), self.margin - self.clip_margin
            if worst < bound:
                reason = f"{what} {worst:+.3f} over {baseline.candidate}{where}, at least {bound:+.3f}"
                return above.model_copy(update={"value": worst, "bound": bound, "outcome": "fail", "reason": reason})
            above = above.model_copy(update={"reason": f"{reason}, least {worst:+.3f}{where}"})
        if above.passed:
            return above
        frames = statistics.within(gains)
        here = frames.above(self.margin) if frames.low is not None else found.mean > self.margin
        if here and min(means.values()) > self.margin and len(means) < statistics.MANY_CLIPS:
            return above.model_copy(update={"outcome": TOO_FEW})
        return above

    def _worst(self, run: Run, baseline: Run, means: Mapping[str, float]) -> tuple[float, str]:
        """Lowest gain in a clip, or in the worst frames of a clip, and where. means: clip -> gain."""
        rows = [(gain, f" in {clip}") for clip, gain in means.items()]
        sign = -1 if self.facts.better == "lower" else 1
        for clip, *both in clip_values(run, baseline, self.metric):
            if self.facts.unit == "dB":
                both = [np.minimum(values, statistics.ROUNDING) for values in both]
            own, other = (_tail(values, sign) for values in both)
            rows.append((sign * (own - other), f" in the worst frames of {clip}"))
        return min(rows)


class NotWorse(Gate):
    """Gate that limits how much worse than the baseline a metric may be, as a share of the value of the baseline.

    If lower is better (configs/metric), the mean over clips may be at most (1 + margin) times that of the baseline. In
    every clip, the mean over frames may be at most b + max(slack, clip_margin * b), where b is the mean of the baseline
    over the frames of that clip. The same applies to the 95th percentile over the frames of the clip. If higher is
    better, the signs of the margins are inverted, and the percentile is the 5th.

    Args:
        metric: name of the metric, which is not in dB.
        margin: allowed relative change of the mean over clips, >= 0.
        clip_margin: allowed relative change in a clip, >= 0.
        slack: allowed absolute change in a clip, >= 0, in the unit of the metric.

    Raises:
        ValueError: the metric is in dB; a share of a value in dB has no meaning.
    """

    def __init__(
        self, metric: Name, margin: NonNegative, clip_margin: NonNegative = 0.4, *, slack: NonNegative = 0.0
    ) -> None:
        facts = _directed(metric)
        if facts.unit == "dB":
            raise ValueError(f"{metric} is in dB, of which a share has no meaning; use Above with a negative margin")
        self.metric = metric
        self.sign = 1 if facts.better == "lower" else -1
        self.margin = margin
        self.clip_margin = clip_margin
        self.slack = slack

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value, theirs = _mean(run, self.metric), _mean(baseline, self.metric)
        bound = theirs + self.sign * self.margin * abs(theirs)
        reason = f"{self.metric} {value:.3f}, {baseline.candidate} {theirs:.3f}"
        if self.sign * value > self.sign * bound:
            return verdict(name, value, bound, passed=False, reason=reason)
        for clip, own, other in clip_values(run, baseline, self.metric):
            for what, of in (("", np.mean), (" in the worst frames", partial(_tail, sign=-self.sign))):
                worst, limit = float(of(own)), float(of(other))
                limit += self.sign * max(abs(limit) * self.clip_margin, self.slack)
                if self.sign * worst > self.sign * limit:
                    return verdict(
                        name, worst, limit, passed=False, reason=f"{self.metric} {worst:.3f}{what} of {clip}"
                    )
        return verdict(name, value, bound, passed=True, reason=reason)


def _tail(values: statistics.Values, sign: int) -> float:
    """Percentile of the worst frames: the 5th if higher is better (sign 1), the 95th if lower is better (-1)."""
    return float(np.percentile(values, 5 if sign > 0 else 95))


class Floor(Gate):
    """Gate that requires a minimum of a metric in every clip; higher values of the metric are better.

    If the baseline is below the minimum in a clip, the candidate must reach the value of the baseline there. Decibels
    are averaged as squared errors, so that black or still frames with a very high PSNR do not outweigh the others.

    Args:
        metric: name of the metric.
        floor: minimum, in the unit of the metric.

    Raises:
        ValueError: lower values of the metric are better.
    """

    def __init__(self, metric: Name, floor: float) -> None:
        facts = _directed(metric)
        if facts.better == "lower":
            raise ValueError(f"of {metric} lower values are better; use Limit with high")
        self.metric = metric
        self.floor = floor
        self.is_decibels = facts.unit == "dB"

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        pool = statistics.pool_decibels if self.is_decibels else np.mean
        rows = [
            (float(pool(own)), min(self.floor, float(pool(other))), clip)
            for clip, own, other in clip_values(run, baseline, self.metric)
        ]
        value, bound, clip = min(rows, key=lambda row: row[0] - row[1])
        pooled = _POOLED if self.is_decibels else ""
        reason = f"{self.metric}{pooled} {value:.2f} in {clip}, at least {bound:.2f}"
        return verdict(name, value, bound, passed=value >= bound, reason=reason)


def _mean(run: Run, metric: str) -> float:
    metric_values(run, metric)
    return run.summary.metrics[metric].mean
