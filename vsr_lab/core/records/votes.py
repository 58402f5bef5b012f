"""votes.json: what people preferred in blind pairs, and which metrics agree with them."""

from typing import ClassVar, Literal

from vsr_lab.core.records import Part, Record
from vsr_lab.core.records.evaluation import ProtocolFacts


class Strength(Part):
    """A candidate by Bradley and Terry: the logarithm of its odds against an average candidate.

    Attributes:
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
    """How often a metric prefers the candidate that most votes of a pair on a clip prefer.

    Attributes:
        pairs: pairs on clips with a majority and a difference of the metric.
        share: of them, those in which both prefer the same.
        low, high: ends of the 95 % interval (Wilson), as if pairs were independent.
    """

    metric: str
    pairs: int
    share: float
    low: float
    high: float


class Votes(Record):
    """votes.json: the result of a vote.

    Attributes:
        voters: who voted, and how many pairs each.
        left_out: voters who missed more than a third of their catch trials; their votes are not counted.
        strengths: the strongest first.
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
