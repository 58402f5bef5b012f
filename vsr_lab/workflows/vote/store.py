"""Votes in an SQLite file, from which a vote continues."""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self, get_args

from vsr_lab.core.database import Database
from vsr_lab.core.errors import UserError
from vsr_lab.workflows.vote.ballot import Ballot, Trial

Answer = Literal["left", "right", "equal"]
_TABLES = (
    "CREATE TABLE ballot (fingerprint TEXT PRIMARY KEY)",
    'CREATE TABLE votes (voter TEXT, number INTEGER, suite TEXT, clip TEXT, "left" TEXT, "right" TEXT, catch INTEGER,'
    " answer TEXT, seconds REAL, time TEXT, PRIMARY KEY (voter, number))",
)
_HINT = "choose another database="


@dataclass(frozen=True)
class Vote:
    """A voter's answer to a trial."""

    voter: str
    trial: Trial
    answer: Answer


class VoteStore:
    """SQLite file in which votes are stored. It is a context manager.

    Args:
        path: the file; it is created if it does not exist.
        ballot: the trials that are voted on.

    Raises:
        UserError: the file belongs to another vote, or was not written by this package.
    """

    def __init__(self, path: Path, ballot: Ballot) -> None:
        self._path, self._ballot = path, ballot
        self._db = Database(path, _TABLES, _HINT)
        with self._db.transaction():
            known = self._db.execute("SELECT fingerprint FROM ballot") or [(ballot.fingerprint,)]
            self._db.execute("INSERT OR IGNORE INTO ballot VALUES (?)", known[0])
        if known != [(ballot.fingerprint,)]:
            self._db.__exit__()
            raise UserError(path, "holds votes on other candidates or clips", _HINT)

    def __enter__(self) -> Self:
        self._db.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._db.__exit__()

    def add(self, vote: Vote, number: int, seconds: float) -> None:
        """Store the answer to trial `number` of a voter; a second answer to it replaces the first."""
        trial = astuple(vote.trial)
        row = (vote.voter, number, *trial, vote.answer, seconds, datetime.now(UTC).isoformat(timespec="seconds"))
        self._db.execute(f"INSERT OR REPLACE INTO votes VALUES ({', '.join('?' * len(row))})", row)

    def answered(self, voter: str) -> set[int]:
        """Numbers of the trials that a voter has answered."""
        return {row[0] for row in self._db.execute("SELECT number FROM votes WHERE voter = ?", (voter,))}

    def votes(self) -> list[Vote]:
        """All votes, sorted by voter and trial. Raises UserError if a vote does not belong to a trial of the ballot."""
        columns = 'CAST(voter AS TEXT), number, suite, clip, "left", "right", catch, answer'
        rows = self._db.execute(f"SELECT {columns} FROM votes ORDER BY voter, number")
        trials = {voter: dict(enumerate(self._ballot.trials(voter))) for voter, *_ in rows}
        for voter, number, *trial, answer in rows:
            if trials[voter].get(number) != Trial(*trial) or answer not in get_args(Answer):
                raise UserError(self._path, f"holds a vote of {voter} on a pair that was not shown", _HINT)
        return [Vote(voter, trials[voter][number], answer) for voter, number, *_, answer in rows]
