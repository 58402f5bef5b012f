"""Preference of people between candidates, from the votes of `vsr-lab vote`."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record
from vsr_lab.core.records.votes import PairVotes, Votes
from vsr_lab.evaluation.results import Run
from vsr_lab.evaluation.statistics import holm

_LEVEL = 0.05
_FEWEST_CLIPS = 6  # that all agree are significant: 2 / 2^6 is 0.03
_PRIOR = 0.5  # votes for each side of every pair, which keep the strength of one that wins always finite
Wins = npt.NDArray[np.float64]


def read_votes(path: Path, runs: Iterable[Run], baseline: str) -> list[PairVotes]:
    """Read votes.json, and check that the votes are on these evaluations.

    Args:
        path: votes.json.
        runs: evaluations of the candidates; votes on the baseline are not required.
        baseline: name of the baseline.

    Raises:
        UserError: the file is not votes.json, or the votes are on other candidates, clips or settings, or on fewer than
            6 clips of a suite.
    """
    if path.suffix == ".sqlite":
        raise UserError(
            path, "contains the single votes, not their result", "give votes.json of vsr-lab vote serve=false"
        )
    votes = read_record(path, Votes)
    for run in runs:
        clips = {row.clip for row in votes.pairs if row.suite == run.suite}
        known = votes.evaluations.get(run.suite, {}).get(run.candidate)
        if known is None and run.candidate != baseline:
            raise UserError(
                path,
                f"has no votes on candidate {run.candidate} on suite {run.suite}",
                "vote on it, or remove it from runs=",
            )
        if known not in (None, run.summary.fingerprint):
            reason = f"has votes on other weights of {run.candidate} or other clips of {run.suite} than {run.folder}"
            raise UserError(path, reason, "vote on the evaluations in runs=")
        if len(clips) < _FEWEST_CLIPS:
            reason = f"has votes on {len(clips)} clips of {run.suite}, too few for a preference to be significant"
            raise UserError(path, reason, f"vote on {_FEWEST_CLIPS} clips or more (vsr-lab vote clips={_FEWEST_CLIPS})")
    return votes.pairs


class Duel(NamedTuple):
    """Votes of people on two candidates, a first and a second one.

    Attributes:
        wins: number of votes for the first candidate.
        losses: number of votes for the second candidate.
        votes: number of all votes, including ties.
        clips_won: number of clips on which the first candidate got more votes.
        clips_lost: number of clips on which the second candidate got more votes.
        p: p-value of the two-sided sign test over clips.
    """

    wins: int
    losses: int
    votes: int
    clips_won: int
    clips_lost: int
    p: float

    @property
    def lost(self) -> bool:
        """Whether people significantly prefer the second candidate."""
        return self.clips_lost > self.clips_won and self.p <= _LEVEL

    def __str__(self) -> str:
        clips = f"preferred on {self.clips_won} clips and not on {self.clips_lost}"
        return f"{clips} (p = {self.p:.2g}), {self.wins} of {self.votes} votes against {self.losses}"


def duel(votes: Iterable[PairVotes], candidate: str, other: str) -> Duel:
    """Compare two candidates by the votes of people. The test is over clips, since votes on one clip are dependent."""
    from scipy.stats import binomtest  # takes most of a second to import

    rows = [(v.wins, v.losses, v.ties) for v in votes if (v.candidate, v.other) == (candidate, other)]
    rows += [(v.losses, v.wins, v.ties) for v in votes if (v.candidate, v.other) == (other, candidate)]
    won, lost = sum(a > b for a, b, _ in rows), sum(a < b for a, b, _ in rows)
    wins, losses, ties = (sum(column) for column in zip((0, 0, 0), *rows, strict=True))
    p = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    return Duel(wins, losses, wins + losses + ties, won, lost, p)


def preferred(votes: Sequence[PairVotes], names: Sequence[str]) -> list[str]:
    """The most preferred candidate, followed by those that are not significantly less preferred (Holm's correction)."""
    if len(names) == 1:
        return list(names)
    top = names[int(strengths(wins(votes, names)).argmax())]
    p = holm({name: duel(votes, top, name).p for name in names if name != top})
    return [top, *(name for name in p if p[name] > _LEVEL)]


def wins(votes: Iterable[PairVotes], names: Sequence[str]) -> Wins:
    """Count the votes between n candidates. Returns (n, n): entry [i, j] is the number of votes for i against j.

    A tie counts as half a vote for i and half a vote for j.
    """
    table = np.zeros((len(names), len(names)))
    for row in votes:
        if row.candidate in names and row.other in names:
            a, b = names.index(row.candidate), names.index(row.other)
            table[a, b] += row.wins + row.ties / 2
            table[b, a] += row.losses + row.ties / 2
    return table


def strengths(wins: Wins) -> npt.NDArray[np.float64]:
    """Bradley-Terry strength of each candidate, see `bradley_terry`.

    In every pair, half a vote is added to both candidates, so that the strength of a candidate that won or lost all of
    its votes is finite.
    """
    return bradley_terry(wins + _PRIOR * (1 - np.eye(len(wins))))


def bradley_terry(wins: Wins) -> npt.NDArray[np.float64]:
    """Fit the Bradley-Terry model by maximum likelihood.

    The method is the iteration of Hunter, "MM algorithms for generalized Bradley-Terry models", 2004, eq. 3.

    Args:
        wins: numbers of votes, (n, n), as returned by `wins`.

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
