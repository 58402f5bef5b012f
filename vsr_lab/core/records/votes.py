"""votes.json: what people preferred in blind pairs, and which metrics agree with them."""

from typing import Literal

from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.evaluation import ProtocolFacts


class Strength(Part):
    """Strength of a candidate in the Bradley-Terry model of the votes on a suite.

    Attributes:
        strength: natural logarithm of the odds that the candidate is preferred to an average candidate (strength 0).
        low, high: ends of the 95 % confidence interval of `strength` over clips; None for fewer than 2 clips.
    """

    suite: str
    candidate: str
    strength: float
    low: float | None
    high: float | None


class PairVotes(Part):
    """Numbers of votes on a clip: for `candidate` (wins), for `other` (losses), and for neither (ties)."""

    suite: str
    clip: str
    candidate: str
    other: str
    wins: int
    losses: int
    ties: int


class Agreement(Part):
    """Agreement of a metric with the votes.

    Attributes:
        pairs: number of pairs (two candidates on one clip) in which the candidates differ in votes and in the metric.
        share: fraction of these pairs in which the candidate with more votes has the better metric, in [0, 1].
        low, high: ends of the 95 % confidence interval of `share` (Wilson), for independent pairs.
    """

    metric: str
    pairs: int
    share: float
    low: float
    high: float


class Votes(Record, command="vote"):
    """votes.json: the result of a blind vote between candidates.

    Attributes:
        voters: name of a voter -> number of trials that this person answered, catch trials included.
        left_out: voters whose votes are not counted, because in more than a third of their catch trials (pairs of LR
            and ground truth) they did not prefer the ground truth.
        seed: seed of the order of the trials.
        evaluations: suite -> candidate -> fingerprint of the evaluation whose frames were shown.
        strengths: how strongly each candidate is preferred, a `Strength` for each suite and candidate. The candidates
            of a suite are sorted by strength, the most preferred first.
        pairs: numbers of votes, a `PairVotes` for each clip and each pair of candidates that were compared on the clip.
        agreement: how well each metric agrees with the votes, the best metric first.
    """

    record: Literal["votes"] = "votes"
    schema_version: Literal[1] = 1
    protocol: ProtocolFacts
    seed: int
    voters: dict[str, int]
    left_out: list[str]
    evaluations: dict[str, dict[str, str]]
    strengths: list[Strength]
    pairs: list[PairVotes]
    agreement: list[Agreement]
