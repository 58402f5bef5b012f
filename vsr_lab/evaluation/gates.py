"""Gates: tests that a candidate must pass before it may be deployed."""

import math
from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field

from vsr_lab.core.errors import UserError
from vsr_lab.core.ranges import Name, NonNegative
from vsr_lab.core.records.evaluation import TOO_FEW, Verdict
from vsr_lab.evaluation import statistics
from vsr_lab.evaluation.objective import metric_facts
from vsr_lab.evaluation.results import Run

_POOLED = " (of the mean squared error)"  # unlike the mean of decibels that tables show
_TURNED = ("mirrored left to right", "flipped upside down", "rotated by 180 degrees")  # of 1, 2 and 3
Percentile = Annotated[float, Field(ge=0, le=100)]


class Gate(ABC):
    """Base class of gates, which compare the evaluation of a candidate with that of the baseline on the same suite."""

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        """Decide whether a candidate passes the gate.

        Args:
            name: name of the gate in the configuration.
            run: evaluation of the candidate.
            baseline: evaluation of the baseline on the same suite.
        """


class SanityGate(Gate):
    """Base class of gates that find faulty output by fixed bounds, so that they need no baseline (None).

    A baseline only relaxes the bounds where it violates them itself.
    """

    metric: str

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run | None) -> Verdict: ...


def verdict(name: str, value: float | None, bound: float, passed: bool, reason: str) -> Verdict:
    """Make the result of a gate, "pass" or "fail"; a value that is not finite is stored as None."""
    known = value is not None and math.isfinite(value)
    outcome = "pass" if passed else "fail"
    return Verdict(gate=name, value=value if known else None, bound=bound, outcome=outcome, reason=reason)


class Above(Gate):
    """Gate that requires a significant gain over the baseline: the whole 95 % interval of the gain is above `margin`.

    The gain is the metric of the candidate minus that of the baseline, with the opposite sign if lower is better
    (configs/metric). The interval is computed from the gain of each clip, so at least two clips are needed. Decibels
    are averaged as squared errors, see `decibel_gains`.

    The outcome is "too few clips" instead of "fail" if there are fewer than 8 clips, the gain is above `margin` in
    every clip, and the mean gain is above `margin` for the frames of these clips, significantly if they are enough for
    a test.

    Args:
        metric: name of the metric.
        margin: required gain, in the unit of the metric.
    """

    def __init__(self, metric: Name, margin: float) -> None:
        self.metric = metric
        self.margin = margin

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        ours, theirs = _values(run, self.metric), _values(baseline, self.metric)
        facts = metric_facts([self.metric])
        lower = any(metric.better == "lower" for metric in facts)
        decibels = any(metric.unit == "dB" for metric in facts)
        compare = statistics.decibel_gains if decibels else statistics.differences
        gains = compare(theirs, ours) if lower else compare(ours, theirs)
        found, means = statistics.estimate(gains), statistics.clip_means(gains)
        ends = found.interval("{:+.3f}".format, "(no interval)")
        what = f"{self.metric}{_POOLED if decibels else ''}{' improved by' if lower else ''}"
        reason = f"{what} {found.mean:+.3f} {ends} over {baseline.candidate}, "
        reason += f"better on {sum(gain > 0 for gain in means.values())} of {len(means)} clips"
        above = verdict(name, found.low, self.margin, found.about == "clips" and found.above(self.margin), reason)
        above = above.model_copy(update={"p": statistics.p_value(gains, self.margin)})
        if above.passed:
            return above
        frames = statistics.within(gains)
        here = frames.above(self.margin) if frames.low is not None else found.mean > self.margin
        if here and min(means.values()) > self.margin and len(means) < statistics.MANY_CLIPS:
            return above.model_copy(update={"outcome": TOO_FEW})
        return above


class NotWorse(Gate):
    """Gate that limits an error metric (lower is better) relative to the baseline.

    The mean over clips may be at most (1 + margin) times that of the baseline. In every clip, the mean over frames may
    be at most b + max(slack, clip_margin * b), where b is the mean of the baseline over the frames of that clip. The
    same applies to the 95th percentile over the frames of the clip.

    Args:
        metric: name of the metric.
        margin: allowed relative increase of the mean over clips, >= 0.
        clip_margin: allowed relative increase in a clip, >= 0.
        slack: allowed absolute increase in a clip, >= 0, in the unit of the metric.
    """

    def __init__(
        self, metric: Name, margin: NonNegative, clip_margin: NonNegative = 0.4, slack: NonNegative = 0.0
    ) -> None:
        self.metric = metric
        self.margin = margin
        self.clip_margin = clip_margin
        self.slack = slack

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        value, theirs = _mean(run, self.metric), _mean(baseline, self.metric)
        bound = theirs * (1 + self.margin)
        reason = f"{self.metric} {value:.3f}, {baseline.candidate} {theirs:.3f}"
        if value > bound:
            return verdict(name, value, bound, False, reason)
        for clip, own, other in _clips(run, baseline, self.metric):
            for what, of in (("", np.mean), (" in the worst frames", _high)):
                worst, limit = float(of(own)), float(of(other))
                limit += max(limit * self.clip_margin, self.slack)
                if worst > limit:
                    return verdict(name, worst, limit, False, f"{self.metric} {worst:.3f}{what} of {clip}")
        return verdict(name, value, bound, True, reason)


def _high(values: statistics.Values) -> float:
    return float(np.percentile(values, 95))


class Floor(Gate):
    """Gate that requires a minimum of a metric in dB in every clip.

    If the baseline is below the minimum in a clip, the candidate must reach the value of the baseline there. Decibels
    are averaged as squared errors, so that black or still frames with a very high PSNR do not outweigh the others.

    Args:
        metric: name of the metric.
        floor: minimum in dB.
    """

    def __init__(self, metric: Name, floor: float) -> None:
        self.metric = metric
        self.floor = floor

    def judge(self, name: str, run: Run, baseline: Run) -> Verdict:
        rows = [
            (statistics.pool_decibels(own), min(self.floor, statistics.pool_decibels(other)), clip)
            for clip, own, other in _clips(run, baseline, self.metric)
        ]
        value, bound, clip = min(rows, key=lambda row: row[0] - row[1])
        reason = f"{self.metric}{_POOLED} {value:.2f} in {clip}, at least {bound:.2f}"
        return verdict(name, value, bound, value >= bound, reason)


class Limit(SanityGate):
    """Gate that limits a percentile of a metric over the frames of every clip.

    If the baseline violates the limit in a clip, the limit for that clip is the value of the baseline, relaxed by
    `margin`. This happens, for example, if LR was recorded, so that no candidate agrees exactly with it. Clips in
    which the metric has no value are ignored.

    Args:
        metric: name of the metric.
        low: minimum; set either low or high.
        high: maximum.
        percentile: percentile over the frames, in [0, 100]; 50: the median, 0 and 100: the lowest and highest value.
        over: another percentile, in [0, 100]. If it is set, the ratio of the metric at `percentile` to the metric at
            `over` is limited instead of the metric at `percentile`.
        margin: relative amount by which the candidate may be worse than the baseline if the latter is the limit, >= 0.
        fault: what is wrong with output that violates the limit, such as "is shifted"; only for warnings.

    Raises:
        ValueError: both or none of low and high are set.
    """

    def __init__(
        self,
        metric: Name,
        *,
        low: float | None = None,
        high: float | None = None,
        percentile: Percentile = 50,
        over: Percentile | None = None,
        margin: NonNegative = 0.0,
        fault: str = "",
    ) -> None:
        if (low is None) == (high is None):
            raise ValueError("set one of low and high")
        self.metric = metric
        self.sign = -1 if high is None else 1
        self.bound = low if low is not None else float(high or 0)
        self.percentile = percentile
        self.over = over
        self.margin = margin
        self.fault = fault

    def judge(self, name: str, run: Run, baseline: Run | None) -> Verdict:
        rows: list[tuple[float, float, str]] = []
        for clip, own, other in _clips(run, baseline, self.metric):
            theirs = self._number(other) * (1 + self.sign * self.margin) if len(other) else self.bound
            rows.append((self._number(own), self.sign * max(self.sign * self.bound, self.sign * theirs), clip))
        if not rows:
            return verdict(name, None, self.bound, True, f"{self.metric} has no value on these clips")
        value, bound, clip = max(rows, key=lambda row: self.sign * (row[0] - row[1]))
        what = "most" if self.sign > 0 else "least"
        share = "" if self.over is None else " of its best frames in the worst ones"
        reason = f"{self.metric} {value:.3f}{share} in {clip}, at {what} {bound:.3f}"
        return verdict(name, value, bound, self.sign * value <= self.sign * bound, reason)

    def _number(self, values: statistics.Values) -> float:
        number = float(np.percentile(values, self.percentile))
        return number if self.over is None else number / float(np.percentile(values, self.over))


class InOrder(SanityGate):
    """Gate that limits the number of late, early, repeated, swapped or reversed frames.

    Such an SR frame t agrees better with another LR frame than with LR frame t, so the metric `frame_offset` is not 0.
    A candidate passes if, in every clip, it has at most as many such frames as the baseline.
    """

    metric = "frame_offset"

    def judge(self, name: str, run: Run, baseline: Run | None) -> Verdict:
        for clip, own, other in _clips(run, baseline, self.metric):
            wrong = np.count_nonzero(own)
            if wrong > np.count_nonzero(other):
                return verdict(name, float(wrong), 0, False, f"{clip} {_disorder(own)}")
        return verdict(name, 0.0, 0, True, "every frame shows its own LR")


def _disorder(offsets: statistics.Values) -> str:
    """Describe wrong order of frames, as text. offsets: number of the frame that each frame shows, minus its own."""
    wrong, steps = offsets[offsets != 0], np.diff(offsets, prepend=0)
    if np.mean(steps[1:] == -2) > 0.7:
        return "is reversed in time"
    usual = int(np.median(wrong))
    equal, single = np.mean(wrong == usual) >= 0.8, len(wrong) == 1
    place = f"{'one frame' if abs(usual) == 1 else f'{abs(usual)} frames'} {'late' if usual < 0 else 'early'}"
    if equal and len(wrong) > len(offsets) / 2 + 1:
        return f"is {place}"
    count = f"has {len(wrong)} frame{'' if single else 's'}"
    if (steps[offsets != 0] == -1).all():
        return f"{count} that repeat{'s' if single else ''} the one before"
    return f"{count} that {'is' if single else 'are'} {place}" if equal else f"{count} out of order"


class Upright(SanityGate):
    """Gate that fails if the output is mirrored, flipped or rotated in most frames of a clip (metric `orientation`)."""

    metric = "orientation"

    def judge(self, name: str, run: Run, baseline: Run | None) -> Verdict:
        for clip, own, _ in _clips(run, baseline, self.metric):
            if turned := int(np.median(own)):
                return verdict(name, float(turned), 0, False, f"{clip} is {_TURNED[turned - 1]}")
        return verdict(name, 0.0, 0, True, "every clip has the orientation of its LR")


def _clips(run: Run, baseline: Run | None, metric: str) -> list[tuple[str, statistics.Values, statistics.Values]]:
    """(clip, values of run, values of baseline) for each clip in which both have values; without a baseline, no values
    of it."""
    ours = _values(run, metric)
    theirs = _values(baseline, metric) if baseline else {}
    pairs = [(clip, values, theirs.get(clip, np.empty(0))) for clip, values in ours.items() if len(values)]
    return [pair for pair in pairs if not baseline or len(pair[2])]


def _values(run: Run, metric: str) -> dict[str, statistics.Values]:
    if metric not in run.values:
        raise UserError(run.folder, f"has no {metric}, which a gate needs", "evaluate it with that metric")
    return run.values[metric]


def _mean(run: Run, metric: str) -> float:
    _values(run, metric)
    return run.summary.metrics[metric].mean
