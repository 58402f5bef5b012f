"""Ranking of candidates by metrics and votes, by which `select` chooses one of those that failed no gate."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement, permutations
from math import factorial, prod
from typing import NamedTuple

import numpy as np

from vsr_lab.core.records.comparison import MetricFacts
from vsr_lab.core.records.evaluation import Contender, Gain, Stability
from vsr_lab.core.records.votes import PairVotes
from vsr_lab.evaluation.objective import equal_within, known_metrics, mean_label, sign
from vsr_lab.evaluation.preference import preferred
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import Values, estimate, holm, p_paired

TIE_RULE = (
    "Two candidates are tied in a metric if the 95 % interval of their mean difference over clips contains 0, or if "
    "Student's t test is not significant after Holm's correction for the number of pairs, or if the difference is at "
    "most 0.1 dB or 2 % and neither is better on all of at least 3 clips. With one clip there is no interval, so the "
    "difference alone counts. Ties are decided by the next metric of rank_by; then by the first of these metrics in "
    "which one candidate is better on every clip, by more than 0.1 dB or 2 % in the mean; then by the time per frame "
    "(up to 10 % more is a tie), the number of parameters, the mean of the first metric, and the name."
)
_SIGNIFICANT = 0.025  # one-sided
_CONSISTENT = 3  # clips on all of which a candidate must be better to win by less than the margin
_EQUAL_COST = 0.1  # share; times of single runs differ by as much
_EXHAUSTIVE = 5  # clips, of which all 126 resamples are used
_DRAWS = 200  # resamples of more clips


@dataclass(frozen=True)
class Contest:
    """One metric of several candidates, with the means of single clips, by which pairs of candidates are compared.

    Args:
        metric: the metric.
        means: candidate -> mean of the metric over the frames of each clip, (clips,); the order of the clips is the
            same for every candidate.
        sources: number of different clips; a clip occurs several times in `means` if clips are resampled.
    """

    metric: MetricFacts
    means: Mapping[str, Values]
    sources: int

    @classmethod
    def of(cls, metric: MetricFacts, runs: Mapping[str, Run], clips: Sequence[str] | None = None) -> "Contest":
        """Contest of evaluations on one suite.

        Args:
            metric: the metric.
            runs: candidate -> evaluation.
            clips: clips that are used, some perhaps more than once; None: all. Clips without a value are left out.
        """
        rows = {name: run.summary.per_clip for name, run in runs.items()}
        given = list(next(iter(rows.values()))) if clips is None else clips
        known = [clip for clip in given if all(row[clip].get(metric.name) is not None for row in rows.values())]
        means = {name: np.array([row[clip][metric.name] for clip in known], np.float64) for name, row in rows.items()}
        return cls(metric, means, len(set(known)))

    def gains(self, one: str, other: str) -> Values:
        """Gain of one candidate over another on every clip; positive if it is better."""
        return sign(self.metric) * (self.means[one] - self.means[other])

    def gain(self, one: str, other: str) -> float:
        """Mean gain of one candidate over another; 0 if no clip has a value."""
        gains = self.gains(one, other)
        return float(gains.mean()) if len(gains) else 0.0

    def wins(self, names: Sequence[str]) -> set[tuple[str, str]]:
        """(better, worse) for each pair that is not tied, see `TIE_RULE`."""
        if self.sources < 2:
            return self.sweeps(names)
        pairs = [pair for pair in permutations(names, 2) if self.gain(*pair) > 0]
        p = holm({pair: p_paired(self.gains(*pair)) for pair in pairs})
        counts = {pair: self._exceeds(*pair) or (self._always(*pair) and self.sources >= _CONSISTENT) for pair in pairs}
        return {pair for pair in pairs if p[pair] <= _SIGNIFICANT and counts[pair]}

    def sweeps(self, names: Sequence[str]) -> set[tuple[str, str]]:
        """(better, worse) for each pair in which one is better on every clip, and on average by > 0.1 dB or 2 %."""
        return {pair for pair in permutations(names, 2) if self._always(*pair) and self._exceeds(*pair)}

    def _always(self, one: str, other: str) -> bool:
        return self.sources > 0 and bool((self.gains(one, other) > 0).all())

    def _exceeds(self, one: str, other: str) -> bool:
        return self.gain(one, other) > equal_within(self.metric, float(self.means[one].mean()))


def front_of(runs: Mapping[str, Run], metrics: Sequence[MetricFacts]) -> list[str]:
    """Candidates (name -> evaluation) on the Pareto front of several metrics, see `undominated`."""
    return undominated(list(runs), [Contest.of(metric, runs) for metric in metrics] if runs else [])


def undominated(names: Sequence[str], contests: Sequence[Contest]) -> list[str]:
    """Find the candidates on the Pareto front of several metrics.

    A candidate is not on the front if another candidate has an equal or better mean in every metric, and is better in
    at least one metric. "Better" means here that the two are not tied, see `TIE_RULE`, or that the other candidate is
    better on every clip and its mean is better by more than 0.1 dB or 2 %.

    Args:
        names: names of the candidates.
        contests: one for each metric.

    Example:
        >>> psnr = MetricFacts(name="psnr", label="PSNR", unit="dB", digits=2, better="higher")
        >>> means = {"sharp": np.array([30.2]), "blurred": np.array([30.0])}
        >>> undominated(["sharp", "blurred"], [Contest(psnr, means, sources=1)])
        ['sharp']
    """
    better = {pair for contest in contests for pair in contest.wins(names) | contest.sweeps(names)}
    beaten = {worse for one, worse in better if all(contest.gain(one, worse) >= 0 for contest in contests)}
    return [name for name in names if name not in beaten]


class Best(NamedTuple):
    """The best of several candidates, found by `Ranking`.

    Attributes:
        name: name of the candidate.
        reason: the metric or property that decided, as text.
    """

    name: str
    reason: str


class _Step(NamedTuple):
    """One criterion of a ranking.

    Attributes:
        keep: function that returns the best of the given candidates.
        won: text of the reason if one candidate is left.
        tied: name of the criterion in the reason if several candidates are left; "": not named.
    """

    keep: Callable[[Sequence[str]], Sequence[str]]
    won: str
    tied: str = ""


@dataclass(frozen=True)
class Ranking:
    """Ranks candidates by several metrics, the most important first, and decides ties as `TIE_RULE` says.

    If people voted, their preference is used before the first metric.

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
        return cls(known_metrics("rank_by", names))

    def best(self, runs: Mapping[str, Run], clips: Sequence[str] | None = None) -> Best:
        """Find the best of the candidates (name -> evaluation) on `clips`, see `Contest.of`."""
        left, reason = sorted(runs), ""
        for keep, won, tied in self._steps(runs, clips):
            left = list(keep(left))
            if len(left) == 1:
                return Best(left[0], reason + won)
            reason += f"{len(left)} tied by {tied}; " if tied else ""
        raise AssertionError("the last step keeps one")

    def ties(self, name: str, runs: Mapping[str, Run]) -> list[str]:
        """Candidates that are tied with candidate `name` in the votes or, without votes, in the first metric."""
        if self.votes:
            equal = preferred(self.votes, list(runs))
            return [other for other in equal if other != name]
        wins = Contest.of(self.metrics[0], runs).wins(list(runs))
        return [other for other in runs if other != name and not {(name, other), (other, name)} & wins]

    def _steps(self, runs: Mapping[str, Run], clips: Sequence[str] | None) -> list[_Step]:
        contests = [Contest.of(metric, runs, clips) for metric in self.metrics]
        first, label = contests[0], mean_label(self.metrics[0])
        times = {name: run.summary.ms_per_frame for name, run in runs.items()}
        sizes = {name: run.summary.candidate_facts.parameters or 0 for name, run in runs.items()}
        votes = self.votes if clips is None else [row for clip in clips for row in self.votes if row.clip == clip]
        named = [(mean_label(contest.metric), contest) for contest in contests]
        return [
            *([_Step(partial(preferred, votes), "best by people's votes", "people's votes")] if self.votes else []),
            *(_Step(partial(_unbeaten, contest.wins), f"best by {name}", name) for name, contest in named),
            *(_Step(partial(_unbeaten, contest.sweeps), f"better by {name} on every clip") for name, contest in named),
            _Step(partial(_least, times, share=_EQUAL_COST), f"fastest, {min(times.values()):.0f} ms a frame"),
            _Step(partial(_least, sizes), "fewest parameters"),
            _Step(partial(_highest, first), f"best by {label} after all"),
            _Step(lambda names: names[:1], "first by name"),
        ]

    def contenders(self, runs: Mapping[str, Run], baseline: Run, chosen: str) -> dict[str, Contender]:
        """Gains of candidates (name -> evaluation) over the baseline and the candidate `chosen` in the first metric."""
        return {
            name: Contender(
                over_baseline=self._gain(run, baseline),
                over_chosen=None if name == chosen else self._gain(run, runs[chosen]),
            )
            for name, run in runs.items()
        }

    def _gain(self, run: Run, other: Run) -> Gain:
        metric = self.metrics[0]
        ours, theirs = (given.values[metric.name] for given in (run, other))
        found = estimate({clip: sign(metric) * (values - theirs[clip]) for clip, values in ours.items()})
        gains = Contest.of(metric, {"one": run, "other": other}).gains("one", "other")
        return Gain(**dict(found), wins=int((gains > 0).sum()), clips=len(gains))

    def stability(self, runs: Mapping[str, Run], chosen: str) -> Stability | None:
        """Measure how often `chosen` stays the best if one clip is left out, or if the clips are resampled.

        Returns None if there is only one clip.
        """
        clips = list(next(iter(runs.values())).summary.per_clip)
        if len(clips) < 2:
            return None
        without = [self.best(runs, [other for other in clips if other != clip]).name for clip in clips]
        drawn, shares = resamples(len(clips)), dict.fromkeys(runs, 0.0)
        for places, probability in drawn:
            shares[self.best(runs, [clips[place] for place in places]).name] += probability
        return Stability(
            clips=len(clips),
            left_out=float(np.mean([name == chosen for name in without])),
            resampled={name: round(share, 6) for name, share in shares.items()},
            resamples=len(drawn),
        )


def describe_stability(found: Stability, chosen: str) -> str:
    """The stability of a choice among several candidates as text."""
    shares = sorted(found.resampled.items(), key=lambda row: (row[0] != chosen, -row[1]))
    drawn = ", ".join(f"{name} in {share:.0%}" for name, share in shares if share or name == chosen)
    same = round(found.left_out * found.clips)
    return (
        f"leaving out one clip, the choice is the same in {same} of {found.clips} cases; "
        f"of {found.resamples} resamples of the clips, the choice is {drawn}"
    )


def resamples(clips: int) -> list[tuple[tuple[int, ...], float]]:
    """Resamples of clips with replacement (bootstrap): the indices of the clips, and the probability of the resample.

    For up to 5 clips, all possible resamples (at most 126) are returned; for more clips 200 random ones, with a fixed
    seed.
    """
    if clips > _EXHAUSTIVE:
        drawn = np.random.default_rng(0).integers(0, clips, (_DRAWS, clips)).tolist()
        return [(tuple(places), 1 / _DRAWS) for places in drawn]
    orders = factorial(clips) / clips**clips
    return [
        (places, orders / prod(factorial(count) for count in Counter(places).values()))
        for places in combinations_with_replacement(range(clips), clips)
    ]


def _unbeaten(wins: Callable[[Sequence[str]], set[tuple[str, str]]], names: Sequence[str]) -> list[str]:
    """Candidates to which no other one is better."""
    beaten = {worse for _, worse in wins(names)}
    return [name for name in names if name not in beaten]


def _least(values: Mapping[str, float], names: Sequence[str], share: float = 0.0) -> list[str]:
    """Candidates whose value is at most 1 + `share` times the lowest value."""
    lowest = min(values[name] for name in names)
    return [name for name in names if values[name] <= lowest * (1 + share)]


def _highest(contest: Contest, names: Sequence[str]) -> list[str]:
    """Candidates with the best mean."""
    gains = {name: contest.gain(name, names[0]) for name in names}
    return [name for name in names if gains[name] == max(gains.values())]
