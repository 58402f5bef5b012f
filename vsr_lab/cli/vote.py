"""vsr-lab vote: blind votes of people between pairs of candidates, and counting of these votes."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Bool, Command, Count, Int, Runs, Seed
from vsr_lab.cli.runs import read_runs
from vsr_lab.cli.show import show, show_facts, show_table
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.parts import FilePath
from vsr_lab.core.records import write_record
from vsr_lab.core.records.votes import Votes
from vsr_lab.evaluation.preference import duel
from vsr_lab.workflows.vote import Ballot, VoteServer, VoteStore, count_votes


class VoteConfig(Command):
    """Collect blind preferences between pairs of candidates on a local page, or count them.

    Example: vsr-lab vote runs=[results/evaluate/a,results/evaluate/b]
    """

    runs: Runs
    database: FilePath
    """SQLite file of the votes. An existing one of the same vote is continued."""
    clips: Count
    """Clips of each suite that are shown, at most."""
    seed: Seed
    """Of the order of the pairs and their sides, together with the voter's name."""
    port: Annotated[Int, Field(ge=0, le=65535)]
    """Port on 127.0.0.1; 0: any that is free."""
    serve: Bool
    """Whether to serve the page until the command is stopped; false: count the votes."""

    def without_effect(self) -> dict[str, str]:
        """`run_dir` has no effect while votes are collected (serve=true), and `port` while they are counted."""
        return {"run_dir": "serve is true"} if self.serve else {"port": "serve is false"}


def run(config: VoteConfig) -> None:
    """Serve the page on which people vote or, with serve=false, write votes.json and print what people prefer."""
    runs = read_runs(config.runs)
    ballot = Ballot(runs, config.clips, config.seed)
    if config.serve:
        with (
            VoteStore(config.database, ballot) as store,
            TemporaryDirectory() as folder,
            _server(ballot, store, Path(folder), config.port) as server,
        ):
            show(f"Vote at {server.address} and stop this command by Ctrl-C.")
            show(f"Votes are kept in {config.database}; count them by the same command with serve=false.")
            server.serve_forever()
    if not config.database.is_file():
        raise UserError(config.database, "not found", "collect votes first, by the same command with serve=true")
    with VoteStore(config.database, ballot) as store:
        votes = store.votes()
    if not votes:
        raise UserError(
            config.database, "contains no votes", "collect votes first, by the same command with serve=true"
        )
    counted = count_votes(votes, runs, config.seed)
    begin_run(config)
    write_record(config.run_dir / "votes.json", counted)
    _show(counted)
    show_facts("counted", {"votes": config.run_dir / "votes.json"})


def _server(ballot: Ballot, store: VoteStore, folder: Path, port: int) -> VoteServer:
    with reported(OSError, f"port={port}", "cannot be used ({})", "set port=0 to use a free port"):
        return VoteServer(ballot, store, folder, port=port)


def _show(votes: Votes) -> None:
    voters = f"{len(votes.voters)} voters, {len(votes.left_out)} left out after missed catch trials"
    rows = [
        [one.suite, one.candidate, f"{one.strength:+.2f}", _interval(one.low, one.high, "{:+.2f}")]
        for one in votes.strengths
    ]
    titles = ["suite", "candidate", "log-strength", "95 % interval"]
    show_table(f"Preference (Bradley-Terry), {voters}", titles, rows, texts=2)
    rows = [
        [suite, a, b, *map(str, (found.wins, found.losses, found.votes - found.wins - found.losses)), f"{found.p:.2g}"]
        for suite, a, b in dict.fromkeys((row.suite, row.candidate, row.other) for row in votes.pairs)
        for found in [duel([row for row in votes.pairs if row.suite == suite], a, b)]
    ]
    titles = ["suite", "first", "second", "for first", "for second", "equal", "p (sign test over clips)"]
    show_table("Votes by pair", titles, rows, texts=3)
    rows = [
        [one.metric, f"{one.share:.0%}", _interval(one.low, one.high, "{:.0%}"), str(one.pairs)]
        for one in votes.agreement
    ]
    show_table("Metrics that prefer the same", ["metric", "share of pairs", "95 % interval", "pairs"], rows)


def _interval(low: float | None, high: float | None, form: str) -> str:
    return "too few clips" if low is None or high is None else f"[{form.format(low)}, {form.format(high)}]"
