"""votes.json: what people preferred in blind pairs, and which metrics agree with them."""

from typing import ClassVar, Literal

from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.evaluation import ProtocolFacts


class Strength(Part):
    """Strength of a candidate in the Bradley-Terry model of the votes.

    Attributes:
        strength: logarithm of the odds that it is preferred to an average candidate.
        low, high: ends of the 95 % interval over clips; None below 2 clips.
    """

    candidate: str
    strength: float
    low: float | None
    high: float | None


class PairVotes(Part):
    """Votes on two candidates: for the first, for the second, and for neither."""

    candidate: str
    other: str
    wins: int
    losses: int
    ties: int


class Agreement(Part):
    """Agreement of a metric with the votes.

    Attributes:
        pairs: number of pairs of candidates on a clip that have a majority of votes and a difference of the metric.
        share: fraction of them in which the metric prefers the candidate that most votes prefer, in [0, 1].
        low, high: ends of its 95 % interval (Wilson), which treats pairs as independent.
    """

    metric: str
    pairs: int
    share: float
    low: float
    high: float


class Votes(Record):
    """votes.json: the result of a blind vote between candidates.

    Attributes:
        voters: name of a voter -> number of pairs on which they voted.
        left_out: voters who missed more than a third of their catch trials; their votes are not counted.
        strengths: strength of each candidate, the highest first.
    """

    command: ClassVar[str] = "vote"
    record: Literal["votes"] = "votes"
    schema_version: Literal[1] = 1
    protocol: ProtocolFacts
    seed: int
    voters: dict[str, int]
    left_out: list[str]
    strengths: list[Strength]
    pairs: list[PairVotes]
    agreement: list[Agreement]
