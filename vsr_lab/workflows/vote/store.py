"""Trials of a vote, and storage of the votes in an SQLite file.

A trial is a pair of candidates on a clip, or HR and LR as a check of the voter. The order of the trials, and which side
is on the left, is different for each voter.
"""

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from vsr_lab.core.database import Database
from vsr_lab.core.errors import UserError
from vsr_lab.core.records.comparison import ClipFrames
from vsr_lab.evaluation.results import Run, by_suite, check_comparable
from vsr_lab.reporting import saved_clips
from vsr_lab.reporting.saved import LOW, TRUTH

_CATCH = 8  # one trial in so many has a known answer


class Trial(NamedTuple):
    """Two versions of a clip that a voter compares; catch: True if one is the ground truth and the other one LR."""

    suite: str
    clip: str
    left: str
    right: str
    catch: bool


@dataclass(frozen=True)
class Ballot:
    """All trials of a blind vote: pairs of candidates on clips, and catch trials (HR against LR).

    Args:
        runs: evaluations with saved frames, all under one protocol.
        most: maximum number of clips of each suite. If a suite has more, its clips are sorted by the difference between
            the highest and the lowest mean PSNR of the candidates, and evenly spaced clips of this order are used.
        seed: seed that determines, together with the voter's name, the order of the trials and which candidate is on
            the left.
    """

    runs: Sequence[Run]
    most: int
    seed: int

    @cached_property
    def clips(self) -> dict[tuple[str, str], ClipFrames]:
        """Clips of the vote: (suite, clip) -> saved frames.

        Raises UserError if no frames were saved, a suite has only one candidate, or evaluations cannot be compared.
        """
        check_comparable(list(self.runs))
        found: dict[tuple[str, str], ClipFrames] = {}
        for suite, candidates in by_suite(self.runs).items():
            if len(candidates) < 2:
                raise UserError(
                    f"suite {suite!r}",
                    "has one candidate, but a vote needs two",
                    "add the evaluation of another candidate to runs=",
                )
            clips = saved_clips(candidates, Path())
            found |= {(suite, clip.clip): clip for clip in _spread(clips, candidates, self.most)}
        if not found:
            raise UserError("runs", "have no saved frames", "run vsr-lab evaluate with save_frames=32")
        return found

    def trials(self, voter: str) -> list[Trial]:
        """The trials of a voter, in order. They are the same in every call with the same name `voter`."""
        order = random.Random(f"{self.seed}/{voter}")
        pairs = [
            Trial(suite, clip, a, b, catch=False)
            for (suite, clip), facts in self.clips.items()
            for a, b in itertools.combinations([candidate.candidate for candidate in facts.candidates], 2)
        ]
        count = -(-len(pairs) // _CATCH)
        places = order.choices(list(self.clips), k=count)
        trials = pairs + [Trial(suite, clip, TRUTH, LOW, catch=True) for suite, clip in places]
        order.shuffle(trials)
        return [one._replace(left=one.right, right=one.left) if order.random() < 0.5 else one for one in trials]

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the trials depend on."""
        known = sorted(run.summary.fingerprint for run in self.runs)
        return hashlib.sha256(repr((known, sorted(self.clips), self.seed)).encode()).hexdigest()


def _spread(clips: list[ClipFrames], candidates: dict[str, Run], most: int) -> list[ClipFrames]:
    """At most `most` clips, evenly spaced in the order of the difference between the candidates in PSNR."""

    def difference(facts: ClipFrames) -> tuple[float, str]:
        means = [run.summary.per_clip[facts.clip].get("psnr") for run in candidates.values()]
        known = [mean for mean in means if mean is not None]
        return (max(known) - min(known) if known else 0.0, facts.clip)

    ordered = sorted(clips, key=difference)
    if len(ordered) <= most:
        return ordered
    return [ordered[round(place * (len(ordered) - 1) / max(most - 1, 1))] for place in range(most)]


Answer = Literal["left", "right", "equal"]
_TABLES = (
    "CREATE TABLE ballot (fingerprint TEXT PRIMARY KEY)",
    'CREATE TABLE votes (voter TEXT, number INTEGER, suite TEXT, clip TEXT, "left" TEXT, "right" TEXT, catch INTEGER,'
    " answer TEXT, seconds REAL, time TEXT, PRIMARY KEY (voter, number))",
)
_HINT = "choose another database="


class Vote(NamedTuple):
    """Answer of a voter to a trial: "left", "right" or "equal"."""

    voter: str
    trial: Trial
    answer: Answer


class VoteStore(Database):
    """SQLite file in which votes are stored. The object is a context manager.

    Args:
        path: the file; it is created if it does not exist.
        ballot: the trials that are voted on.

    Raises:
        UserError: the file belongs to another vote, or was not written by this package.
    """

    def __init__(self, path: Path, ballot: Ballot) -> None:
        super().__init__(path, _TABLES, _HINT)
        self._ballot = ballot
        with self.transaction():
            known = self.execute("SELECT fingerprint FROM ballot") or [(ballot.fingerprint,)]
            self.execute("INSERT OR IGNORE INTO ballot VALUES (?)", known[0])
        if known != [(ballot.fingerprint,)]:
            self.__exit__()
            raise UserError(path, "contains votes on other candidates or clips", _HINT)

    def add(self, vote: Vote, number: int, seconds: float) -> None:
        """Store a vote. A second answer of a voter to the same trial replaces the first.

        Args:
            vote: the vote.
            number: index of the trial among the trials of the voter.
            seconds: time that the voter needed.
        """
        time = datetime.now(UTC).isoformat(timespec="seconds")
        row = (vote.voter, number, *vote.trial, vote.answer, seconds, time)
        self.execute(f"INSERT OR REPLACE INTO votes VALUES ({', '.join('?' * len(row))})", row)

    def answered(self, voter: str) -> set[int]:
        """Numbers of the trials that a voter has answered."""
        return {row[0] for row in self.execute("SELECT number FROM votes WHERE voter = ?", (voter,))}

    def votes(self) -> list[Vote]:
        """All votes, sorted by voter and trial. Raises UserError if a vote does not belong to a trial of the ballot."""
        columns = 'CAST(voter AS TEXT), number, suite, clip, "left", "right", catch, answer'
        rows = self.execute(f"SELECT {columns} FROM votes ORDER BY voter, number")
        trials = {voter: dict(enumerate(self._ballot.trials(voter))) for voter, *_ in rows}
        for voter, number, *trial, answer in rows:
            if trials[voter].get(number) != Trial(*trial) or answer not in get_args(Answer):
                raise UserError(self._path, f"contains a vote of {voter} on a pair that was not shown", _HINT)
        return [Vote(voter, trials[voter][number], answer) for voter, number, *_, answer in rows]
