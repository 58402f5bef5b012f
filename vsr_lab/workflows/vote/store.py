"""Votes in an SQLite file, from which a vote continues."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import make_folder
from vsr_lab.workflows.vote.ballot import Trial

Answer = Literal["left", "right", "equal"]
_TABLES = """
CREATE TABLE IF NOT EXISTS ballot (fingerprint TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS votes (
  voter TEXT, number INTEGER, suite TEXT, clip TEXT, "left" TEXT, "right" TEXT, catch INTEGER, answer TEXT,
  seconds REAL, time TEXT, PRIMARY KEY (voter, number)
);
"""


@dataclass(frozen=True)
class Vote:
    """A voter's answer to a trial."""

    voter: str
    trial: Trial
    answer: Answer


class VoteStore:
    """SQLite file in which votes are stored.

    Args:
        path: the file; it is created if it does not exist.
        fingerprint: hash of the ballot.

    Raises:
        UserError: the file belongs to another vote, or is not an SQLite file.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        make_folder(path.parent)
        try:
            with self._open() as database:
                database.executescript(_TABLES)
                database.execute("INSERT OR IGNORE INTO ballot VALUES (?)", (fingerprint,))
                found = [row[0] for row in database.execute("SELECT fingerprint FROM ballot")]
        except sqlite3.DatabaseError as error:
            raise UserError(path, f"cannot be used ({error})", "choose another database=") from error
        if found != [fingerprint]:
            with self._open() as database:
                database.execute("DELETE FROM ballot WHERE fingerprint = ?", (fingerprint,))
            raise UserError(path, "holds votes on other candidates or clips", "choose another database=")

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as database, database:
            yield database

    def add(self, vote: Vote, number: int, seconds: float) -> None:
        """Store the answer to trial `number` of a voter; a second answer to it replaces the first."""
        trial = astuple(vote.trial)
        row = (vote.voter, number, *trial, vote.answer, seconds, datetime.now(UTC).isoformat(timespec="seconds"))
        with self._open() as database:
            database.execute(f"INSERT OR REPLACE INTO votes VALUES ({', '.join('?' * len(row))})", row)

    def answered(self, voter: str) -> set[int]:
        """Numbers of the trials that a voter has answered."""
        with self._open() as database:
            return {row[0] for row in database.execute("SELECT number FROM votes WHERE voter = ?", (voter,))}

    def votes(self) -> list[Vote]:
        """All votes, in the order of voters and trials."""
        columns = 'voter, suite, clip, "left", "right", catch, answer'
        with self._open() as database:
            rows = database.execute(f"SELECT {columns} FROM votes ORDER BY voter, number").fetchall()
        return [
            Vote(voter, Trial(suite, clip, left, right, bool(catch)), answer)
            for voter, suite, clip, left, right, catch, answer in rows
        ]
