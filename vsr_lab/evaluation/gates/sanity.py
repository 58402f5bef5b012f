"""Gates that find faulty output by fixed bounds: wrong colors, position, frame order or sharpness, and patterns."""

from abc import abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field

from vsr_lab.core.ranges import Name, NonNegative
from vsr_lab.core.records.evaluation import Verdict
from vsr_lab.evaluation.gates.base import Gate, clip_values, verdict
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import Values

_TURNED = ("mirrored left to right", "flipped upside down", "rotated by 180 degrees")  # of 1, 2 and 3
Percentile = Annotated[float, Field(ge=0, le=100)]


class SanityGate(Gate):
    """Base class of gates that find faulty output by fixed bounds, so that they can be tested without a baseline.

    If there is a baseline and its output violates a bound, the bound is relaxed.
    """

    @abstractmethod
    def judge(self, name: str, run: Run, baseline: Run | None) -> Verdict: ...


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
        margin: by what fraction a candidate may be worse than the baseline where the baseline is the limit, >= 0.
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
            return verdict(name, None, self.bound, passed=True, reason=f"{self.metric} has no value on these clips")
        value, bound, clip = max(rows, key=lambda row: self.sign * (row[0] - row[1]))
        what = "most" if self.sign > 0 else "least"
        share = "" if self.over is None else " of its best frames in the worst ones"
        reason = f"{self.metric} {value:.3f}{share} in {clip}, at {what} {bound:.3f}"
        return verdict(name, value, bound, passed=self.sign * value <= self.sign * bound, reason=reason)

    def _number(self, values: Values) -> float:
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
                return verdict(name, float(wrong), 0, passed=False, reason=f"{clip} {_disorder(own)}")
        return verdict(name, 0.0, 0, passed=True, reason="every frame shows its own LR")


def _disorder(offsets: Values) -> str:
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
                return verdict(name, float(turned), 0, passed=False, reason=f"{clip} is {_TURNED[turned - 1]}")
        return verdict(name, 0.0, 0, passed=True, reason="every clip has the orientation of its LR")


def _clips(run: Run, baseline: Run | None, metric: str) -> list[tuple[str, Values, Values]]:
    """As `clip_values`; empty if the metric was measured but has no value, such as `ghosting` in still clips."""
    empty = [given for given in (run, baseline) if given and metric not in given.values]
    measured = all(metric in given.summary.metric_fingerprints for given in empty)
    return [] if empty and measured else clip_values(run, baseline, metric)
