"""What votes show: Bradley-Terry strengths, votes by pair, and the agreement of metrics with them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vsr_lab.core.records.votes import Agreement, PairVotes, Strength, Votes
from vsr_lab.evaluation.objective import metric_facts, sign
from vsr_lab.evaluation.results import Run
from vsr_lab.reporting.saved import TRUTH
from vsr_lab.workflows.vote.store import Vote

_MISSED = 1 / 3  # of the catch trials, above which a voter is left out
_RESAMPLES = 1000
_PRIOR = 0.5  # votes for each side of every pair, which keep the strength of one that wins always finite
Wins = npt.NDArray[np.float64]


def count_votes(votes: Sequence[Vote], runs: Sequence[Run], seed: int) -> Votes:
    """Compute the result of a vote: strengths of the candidates and agreement of the metrics with the votes.

    Args:
        votes: all votes.
        runs: the evaluations that were voted on.
        seed: seed of the ballot, also used for resampling.
    """
    left_out = _careless(votes)
    counted = [vote for vote in votes if vote.voter not in left_out and not vote.trial.catch]
    names = sorted({run.candidate for run in runs})
    return Votes(
        protocol=runs[0].summary.protocol,
        seed=seed,
        voters=dict(Counter(vote.voter for vote in votes)),
        left_out=left_out,
        strengths=_strengths(counted, names, seed),
        pairs=_pairs(counted, names),
        agreement=_agreements(counted, runs),
    )


def _careless(votes: Iterable[Vote]) -> list[str]:
    """Voters who missed too many catch trials."""
    found: dict[str, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.trial.catch:
            found[vote.voter].append(_preferred(vote) == TRUTH)
    return sorted(voter for voter, right in found.items() if 1 - sum(right) / len(right) > _MISSED)


def _preferred(vote: Vote) -> str | None:
    """The view that a vote is for; None if for neither."""
    return {"left": vote.trial.left, "right": vote.trial.right, "equal": None}[vote.answer]


def _wins(votes: Iterable[Vote], names: Sequence[str]) -> Wins:
    """Votes for the candidate of the row against that of the column; a tie counts half for each."""
    wins = np.zeros((len(names), len(names)))
    for vote in votes:
        left, right = names.index(vote.trial.left), names.index(vote.trial.right)
        share = {"left": 1.0, "right": 0.0, "equal": 0.5}[vote.answer]
        wins[left, right] += share
        wins[right, left] += 1 - share
    return wins


def bradley_terry(wins: Wins) -> npt.NDArray[np.float64]:
    """Fit the Bradley-Terry model by maximum likelihood.

    The method is the iteration of Hunter, "MM algorithms for generalized Bradley-Terry models", 2004, eq. 3.

    Args:
        wins: number of votes for the row against the column, (n, n).

    Returns:
        Logarithms of the strengths, with mean 0, (n,).
    """
    played = wins + wins.T
    strength = np.ones(len(wins))
    for _ in range(1000):
        before = strength
        pair_sums = strength[:, None] + strength[None, :]
        strength = wins.sum(1) / (played / pair_sums).sum(1)
        strength /= np.exp(np.log(strength).mean())
        if np.allclose(strength, before, rtol=1e-9):
            break
    return np.log(strength)


def _strengths(votes: Sequence[Vote], names: Sequence[str], seed: int) -> list[Strength]:
    prior = _PRIOR * (1 - np.eye(len(names)))
    by_clip: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        by_clip[vote.trial.suite, vote.trial.clip].append(vote)
    tables = np.array([_wins(own, names) for own in by_clip.values()]).reshape(-1, len(names), len(names))
    found = bradley_terry(tables.sum(0) + prior)
    low = high = [None] * len(names)
    if len(tables) > 1:  # clips are independent, the votes on one are not
        picks = np.random.default_rng(seed).integers(0, len(tables), (_RESAMPLES, len(tables)))
        again = np.array([bradley_terry(tables[pick].sum(0) + prior) for pick in picks])
        low, high = (np.percentile(again, q, axis=0).tolist() for q in (2.5, 97.5))
    rows = zip(names, found.tolist(), low, high, strict=True)
    strengths = [Strength(candidate=name, strength=own, low=a, high=b) for name, own, a, b in rows]
    return sorted(strengths, key=lambda one: -one.strength)


def _pairs(votes: Iterable[Vote], names: Sequence[str]) -> list[PairVotes]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for vote in votes:
        first, second = sorted((names.index(vote.trial.left), names.index(vote.trial.right)))
        counts[names[first], names[second]][_preferred(vote) or ""] += 1
    return [
        PairVotes(candidate=a, other=b, wins=found[a], losses=found[b], ties=found[""])
        for (a, b), found in sorted(counts.items())
    ]


def _agreements(votes: Iterable[Vote], runs: Sequence[Run]) -> list[Agreement]:
    from scipy.stats import binomtest  # takes most of a second to import

    majorities = _majorities(votes)
    means = {(run.suite, run.candidate): run.summary.per_clip for run in runs}
    agreements: list[Agreement] = []
    for metric in metric_facts(dict.fromkeys(name for run in runs for name in run.summary.metrics)):
        same: list[bool] = []
        for (suite, clip, a, b), preferred in majorities.items():
            values = [means[suite, name][clip].get(metric.name) for name in (a, b)]
            if values[0] is not None and values[1] is not None and values[0] != values[1]:
                better = a if sign(metric) * (values[0] - values[1]) > 0 else b
                same.append(better == preferred)
        if same:
            ends = binomtest(sum(same), len(same)).proportion_ci(method="wilson")
            agreements.append(
                Agreement(
                    metric=metric.name,
                    pairs=len(same),
                    share=sum(same) / len(same),
                    low=float(ends.low),
                    high=float(ends.high),
                )
            )
    return sorted(agreements, key=lambda agreement: -agreement.share)


def _majorities(votes: Iterable[Vote]) -> Mapping[tuple[str, str, str, str], str]:
    """(suite, clip, candidate, other) -> the one that more votes prefer, without ties."""
    counts: dict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for vote in votes:
        a, b = sorted((vote.trial.left, vote.trial.right))
        if preferred := _preferred(vote):
            counts[vote.trial.suite, vote.trial.clip, a, b][preferred] += 1
    return {pair: max(own, key=own.__getitem__) for pair, own in counts.items() if own[pair[2]] != own[pair[3]]}
