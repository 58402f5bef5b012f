"""Ranking of candidates by metrics and votes, by which `select` chooses one of those that failed no gate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import yaml

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import config_dir
from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.votes import PairVotes
from vsr_lab.evaluation.preference import preferred
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import clip_means

# They rank networks that generate detail no better than chance (their notes in configs/metric), or penalise detail.
FIDELITY = frozenset({"psnr", "ssim", "ms_ssim", "psnr_shifted", "lr_consistency", "vmaf", "vmaf_neg", "cvvdp"})
FRONT = ("psnr", "flicker", "lr_consistency")
EQUAL_DECIBELS = 0.1
EQUAL_SHARE = 0.02
_CONSISTENT = 3  # clips on all of which a candidate must be better to win by less than the margin
_EQUAL_COST = 0.1  # share; times of single runs differ by as much


def metric_facts(names: Iterable[str]) -> list[MetricFacts]:
    """How metrics are displayed, from configs/metric/NAME.yaml.

    Metrics without such a file, or with `show: null` in it, are left out.
    """
    files = ((name, config_dir() / "metric" / f"{name}.yaml") for name in names)
    read = ((name, yaml.safe_load(path.read_text("utf-8"))["show"]) for name, path in files if path.is_file())
    return [MetricFacts(name=name, **show) for name, show in read if show]


def sign(metric: MetricFacts) -> int:
    """1 if a higher value is better, else -1."""
    return 1 if metric.better == "higher" else -1


def mean_label(metric: MetricFacts) -> str:
    """Label of the mean of a metric over frames; in dB it states that decibels are averaged, not squared errors."""
    return f"{metric.label} (mean of frames)" if metric.unit == "dB" else metric.label


def equal_within(metric: MetricFacts, value: float) -> float:
    """Largest difference from `value` that counts as a tie: 0.1 dB, or 2 % of `value` for metrics in other units."""
    return EQUAL_DECIBELS if metric.unit == "dB" else EQUAL_SHARE * abs(value)


def tied(metric: MetricFacts, best: float, gap: float, *, wins: int, clips: int) -> bool:
    """Whether a candidate is tied with the best one in a metric.

    They are tied if their means differ by at most `equal_within`, unless there are at least three clips and the best
    candidate is better on all of them.

    Args:
        metric: the metric.
        best: mean of the best candidate.
        gap: difference of the two means, in the unit of the metric; the sign has no effect.
        wins: number of clips on which the best candidate is better.
        clips: number of clips.
    """
    return abs(gap) <= equal_within(metric, best) and not wins == clips >= _CONSISTENT


def axes(front: Sequence[str]) -> dict[str, int]:
    """Axes of a Pareto front: metric -> +1 (higher is better) or -1.

    Raises UserError if a metric has no yaml in configs/metric, or `show: null` in it.
    """
    return {metric.name: sign(metric) for metric in _known("front", front)}


def _known(key: str, names: Sequence[str]) -> list[MetricFacts]:
    found = metric_facts(names)
    missing = set(names) - {metric.name for metric in found}
    if missing:
        known = ", ".join(sorted(path.stem for path in (config_dir() / "metric").glob("*.yaml")))
        raise UserError(
            key, f"{sorted(missing)[0]} is not a metric by which candidates can be ranked", f"use one of {known}"
        )
    return found


class Best(NamedTuple):
    """The best of several candidates, found by `Ranking`.

    Attributes:
        name: name of the candidate.
        ties: other candidates that are tied with the best one in the votes, or in the first metric if there are no
            votes.
        reason: the metric or property that decided, as text.
    """

    name: str
    ties: list[str]
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Ranks candidates by several metrics, the most important first.

    Candidates that differ by at most 0.1 dB (2 % for metrics in other units) are tied, unless there are at least three
    clips and one candidate is better on all of them. Ties are broken by the next metric, then by the time per frame (up
    to 10 % more than the fastest is a tie), then by the number of parameters, and finally by the exact value of the
    first metric. If people voted, their preference is used before the first metric.

    Args:
        metrics: metrics in order of importance.
        votes: votes of people on the candidates.
    """

    metrics: Sequence[MetricFacts]
    votes: Sequence[PairVotes] = ()

    @classmethod
    def by(cls, names: Sequence[str]) -> "Ranking":
        """Make a ranking by metrics with these names.

        Raises UserError if a metric has no yaml in configs/metric, or `show: null` in it.
        """
        return cls(_known("rank_by", names))

    def best(self, runs: Mapping[str, Run], clips: Collection[str] | None = None) -> Best:
        """Find the best of the candidates (name -> evaluation) by their means over `clips`; None: over all clips."""
        left, reason, ties = list(runs), "", list[str]()
        criteria = [(mean_label(metric), partial(_leaders, metric, runs, clips)) for metric in self.metrics]
        if self.votes:
            votes = [row for row in self.votes if clips is None or row.clip in clips]
            criteria.insert(0, ("people's votes", partial(preferred, votes)))
        for label, leaders in criteria:
            equal = leaders(left)
            if not reason:
                ties = equal
            if len(equal) == 1:
                return _best(equal[0], ties, reason + f"best by {label}")
            left, reason = equal, reason + f"{len(equal)} equal by {label}; "
        times = {name: runs[name].summary.ms_per_frame for name in left}
        fastest = min(left, key=lambda name: times[name])
        left = [name for name in left if times[name] <= times[fastest] * (1 + _EQUAL_COST)]
        if len(left) == 1:
            return _best(fastest, ties, reason + f"fastest, {times[fastest]:.0f} ms a frame")
        sizes = {name: runs[name].summary.candidate_facts.parameters or 0 for name in left}
        left = [name for name in left if sizes[name] == min(sizes.values())]
        first = self.metrics[0]
        best = max(left, key=lambda name: sign(first) * _mean(_by_clip(runs[name], first.name, clips)))
        return _best(
            best, ties, reason + ("fewest parameters" if len(left) == 1 else f"best by {mean_label(first)} after all")
        )

    def stability(self, runs: Mapping[str, Run], chosen: str) -> float | None:
        """Fraction of the clips that can be left out, one at a time, without a change of the best candidate.

        None if there is only one clip.
        """
        clips = list(next(iter(runs.values())).summary.per_clip)
        if len(clips) < 2:
            return None
        return float(np.mean([self.best(runs, set(clips) - {clip}).name == chosen for clip in clips]))


def _best(name: str, ties: Sequence[str], reason: str) -> Best:
    return Best(name, [other for other in ties if other != name], reason)


def _leaders(
    metric: MetricFacts, runs: Mapping[str, Run], clips: Collection[str] | None, names: Sequence[str]
) -> list[str]:
    """The best candidate by a metric, and those that are tied with it."""
    by_clip = {name: _by_clip(runs[name], metric.name, clips) for name in names}
    top = max(names, key=lambda name: sign(metric) * _mean(by_clip[name]))
    return [name for name in names if _equal(metric, by_clip[top], by_clip[name])]


def _equal(metric: MetricFacts, best: Mapping[str, float], other: Mapping[str, float]) -> bool:
    gains = [sign(metric) * (best[clip] - other[clip]) for clip in best if clip in other]
    mean = _mean(best)
    return tied(metric, mean, mean - _mean(other), wins=sum(gain > 0 for gain in gains), clips=len(gains))


def _mean(by_clip: Mapping[str, float]) -> float:
    return float(np.mean(list(by_clip.values()))) if by_clip else float("nan")


def _by_clip(run: Run, metric: str, clips: Collection[str] | None) -> dict[str, float]:
    means = clip_means(run.values[metric])
    return {clip: value for clip, value in means.items() if clips is None or clip in clips}
