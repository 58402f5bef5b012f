"""Result of a vote: Bradley-Terry strengths, votes on each pair, and the agreement of metrics with the votes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from vsr_lab.core.records.votes import Agreement, PairVotes, Strength, Votes
from vsr_lab.evaluation.objective import metric_facts, sign
from vsr_lab.evaluation.preference import strengths, wins
from vsr_lab.evaluation.results import Run, by_suite
from vsr_lab.reporting.saved import TRUTH
from vsr_lab.workflows.vote.store import Vote

_MISSED = 1 / 3  # of the catch trials, above which a voter is left out
_RESAMPLES = 1000


def count_votes(votes: Sequence[Vote], runs: Sequence[Run], seed: int) -> Votes:
    """Compute the result of a vote: strengths of the candidates and agreement of the metrics with the votes.

    Args:
        votes: all votes.
        runs: the evaluations that were voted on.
        seed: seed of the ballot; it is also used for the resampling by which confidence intervals are computed.
    """
    left_out = _careless(votes)
    counted = [vote for vote in votes if vote.voter not in left_out and not vote.trial.catch]
    pairs, suites = _pairs(counted), by_suite(runs)
    return Votes(
        protocol=runs[0].summary.protocol,
        seed=seed,
        voters=dict(Counter(vote.voter for vote in votes)),
        left_out=left_out,
        evaluations={
            suite: {name: run.summary.fingerprint for name, run in own.items()} for suite, own in suites.items()
        },
        strengths=[one for suite, own in suites.items() for one in _strengths(suite, pairs, sorted(own), seed)],
        pairs=pairs,
        agreement=_agreements(pairs, runs),
    )


def _careless(votes: Iterable[Vote]) -> list[str]:
    """Voters who did not prefer the ground truth in more than a third of their catch trials."""
    found: dict[str, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.trial.catch:
            found[vote.voter].append(_preferred(vote) == TRUTH)
    return sorted(voter for voter, right in found.items() if 1 - sum(right) / len(right) > _MISSED)


def _preferred(vote: Vote) -> str | None:
    """Name of the version (candidate, LR or ground truth) that a voter preferred; None if neither."""
    return {"left": vote.trial.left, "right": vote.trial.right, "equal": None}[vote.answer]


def _strengths(suite: str, pairs: Sequence[PairVotes], names: Sequence[str], seed: int) -> list[Strength]:
    by_clip: dict[str, list[PairVotes]] = defaultdict(list)
    for row in pairs:
        if row.suite == suite:
            by_clip[row.clip].append(row)
    tables = np.array([wins(own, names) for own in by_clip.values()]).reshape(-1, len(names), len(names))
    found = strengths(tables.sum(0))
    low = high = [None] * len(names)
    if len(tables) > 1:  # clips are independent, the votes on one are not
        picks = np.random.default_rng(seed).integers(0, len(tables), (_RESAMPLES, len(tables)))
        again = np.array([strengths(tables[pick].sum(0)) for pick in picks])
        low, high = (np.percentile(again, q, axis=0).tolist() for q in (2.5, 97.5))
    rows = zip(names, found.tolist(), low, high, strict=True)
    ranked = [Strength(suite=suite, candidate=name, strength=own, low=a, high=b) for name, own, a, b in rows]
    return sorted(ranked, key=lambda one: -one.strength)


def _pairs(votes: Iterable[Vote]) -> list[PairVotes]:
    counts: dict[tuple[str, str, str, str], Counter[str]] = defaultdict(Counter)
    for vote in votes:
        a, b = sorted((vote.trial.left, vote.trial.right))
        counts[vote.trial.suite, vote.trial.clip, a, b][_preferred(vote) or ""] += 1
    return [
        PairVotes(suite=suite, clip=clip, candidate=a, other=b, wins=found[a], losses=found[b], ties=found[""])
        for (suite, clip, a, b), found in sorted(counts.items())
    ]


def _agreements(pairs: Sequence[PairVotes], runs: Sequence[Run]) -> list[Agreement]:
    from scipy.stats import binomtest  # takes most of a second to import

    means = {(run.suite, run.candidate): run.summary.per_clip for run in runs}
    agreements: list[Agreement] = []
    for metric in metric_facts(dict.fromkeys(name for run in runs for name in run.summary.metrics)):
        same: list[bool] = []
        for row in pairs:
            ours, theirs = (means[row.suite, name][row.clip].get(metric.name) for name in (row.candidate, row.other))
            if ours is not None and theirs is not None and ours != theirs and row.wins != row.losses:
                same.append((sign(metric) * (ours - theirs) > 0) == (row.wins > row.losses))
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
