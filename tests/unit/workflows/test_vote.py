"""A blind vote: its trials, its file, its server, and what the votes show."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.records.evaluation import CandidateFacts, Evaluated, ProtocolFacts, Shown
from vsr_lab.evaluation.preference import Duel, bradley_terry, duel
from vsr_lab.evaluation.results import Run, read_run, write_results
from vsr_lab.reporting.saved import LOW, TRUTH
from vsr_lab.video import VideoWriter, read_video
from vsr_lab.workflows.vote import Ballot, Trial, Vote, VoteServer, VoteStore, count_votes

CLIPS = [f"clip_{n}" for n in range(4)]
LEVELS = {"good": 200, "fair": 150, "poor": 100}  # the brightness by which the views are told apart here


def write_clip(path: Path, level: int, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, size, Fraction(25)) as writer:
        writer.write(np.full((2, *size, 3), level, np.uint8), [0, 0.04])


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """Three candidates on four clips; PSNR orders them good, fair, poor, and flicker the other way round."""
    found: list[Run] = []
    for place, (name, level) in enumerate(LEVELS.items()):
        folder = tmp_path / name
        for clip in CLIPS:
            for file, own, size in (("lr", 50, (16, 24)), ("hr", 250, (32, 48)), ("sr", level, (32, 48))):
                write_clip(folder / "pictures" / clip / f"{file}.mkv", own, size)
        scores = {clip: {"psnr": np.full(2, 30.0 - place), "flicker": np.full(2, 3.0 - place)} for clip in CLIPS}
        shown = [Shown(clip=clip, frame=1, row=16, column=24, first=0, saved=2, rate=25.0) for clip in CLIPS]
        evaluated = Evaluated(
            candidate=name,
            candidate_facts=CandidateFacts(kind="checkpoint", sha256=name),
            suite="film",
            content=None,
            suite_fingerprint="abc",
            protocol=ProtocolFacts(name="p", fingerprint="f", scale=2, description=""),
            metric_fingerprints={},
            ms_per_frame=1.0,
            pictures=shown,
        )
        write_results(folder, evaluated, scores)
        found.append(read_run(folder))
    return found


@pytest.fixture
def ballot(runs: list[Run]) -> Ballot:
    return Ballot(runs, 4, seed=7)


def vote_all(ballot: Ballot, voter: str, prefer: list[str]) -> list[Vote]:
    """The votes of one who always prefers what is earlier in a list."""
    order = [TRUTH, *prefer, LOW]
    return [
        Vote(voter, trial, "left" if order.index(trial.left) < order.index(trial.right) else "right")
        for trial in ballot.trials(voter)
    ]


def test_every_pair_is_shown_on_every_clip_on_sides_of_each_voters_own(ballot: Ballot) -> None:
    trials = ballot.trials("ann")
    assert trials == ballot.trials("ann") != ballot.trials("bob")
    pairs = [(t.clip, frozenset((t.left, t.right))) for t in trials if not t.catch]
    assert len(pairs) == len(set(pairs)) == 4 * 3
    assert sum(trial.catch for trial in trials) == 2
    many = [
        trial
        for n in range(40)
        for trial in ballot.trials(f"voter {n}")
        if {trial.left, trial.right} == {"good", "poor"}
    ]
    assert 0.35 < np.mean([trial.left == "good" for trial in many]) < 0.65


def test_clips_are_spread_over_how_much_the_candidates_differ(runs: list[Run]) -> None:
    assert len(Ballot(runs, 2, seed=0).clips) == 2
    with pytest.raises(UserError, match="has one candidate"):
        Ballot(runs[:1], 2, seed=0).trials("ann")


def test_votes_are_kept_and_a_file_of_another_vote_is_refused(tmp_path: Path, ballot: Ballot, runs: list[Run]) -> None:
    votes = vote_all(ballot, "ann", list(LEVELS))
    store = VoteStore(tmp_path / "votes.sqlite", ballot)
    for number, vote in enumerate(votes[:5]):
        store.add(vote, number, 1.5)
    store.add(votes[0], 0, 2.0)
    again = VoteStore(tmp_path / "votes.sqlite", ballot)
    assert again.answered("ann") == set(range(5))
    assert again.votes() == votes[:5]
    with pytest.raises(UserError, match="other candidates or clips"):
        VoteStore(tmp_path / "votes.sqlite", Ballot(runs[:2], 4, seed=7))
    assert VoteStore(tmp_path / "votes.sqlite", ballot).votes() == votes[:5]
    (tmp_path / "text").write_text("no database, but long enough to be read as one" * 20)
    with pytest.raises(UserError, match="cannot be used"):
        VoteStore(tmp_path / "text", ballot)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE votes SET answer = 'both'",
        "UPDATE votes SET number = 99",
        "UPDATE votes SET voter = 'bob'",
        "UPDATE votes SET \"left\" = 'poor', \"right\" = 'poor'",
        "UPDATE votes SET clip = x'00ff'",
    ],
)
def test_votes_that_no_page_sent_are_not_counted(tmp_path: Path, ballot: Ballot, change: str) -> None:
    path = tmp_path / "votes.sqlite"
    with VoteStore(path, ballot) as store:
        store.add(vote_all(ballot, "ann", list(LEVELS))[0], 0, 1.5)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(change)
    with VoteStore(path, ballot) as store, pytest.raises(UserError, match="on a pair that was not shown"):
        store.votes()


def test_strengths_are_those_of_the_model_that_drew_the_votes() -> None:
    true = np.array([0.8, 0.1, -0.9])
    odds = np.exp(true)
    wins = 1000 * odds[:, None] / (odds[:, None] + odds[None, :]) * (1 - np.eye(3))
    assert bradley_terry(wins) == pytest.approx(true, abs=1e-4)


def test_votes_rank_candidates_and_metrics(ballot: Ballot, runs: list[Run]) -> None:
    votes = [vote for name in ("ann", "bob") for vote in vote_all(ballot, name, ["good", "fair", "poor"])]
    careless = vote_all(ballot, "cat", ["poor", "fair", "good"])
    votes += [
        Vote(v.voter, v.trial, "right" if v.trial.left == TRUTH else "left") if v.trial.catch else v for v in careless
    ]
    found = count_votes(votes, runs, seed=0)
    assert found.left_out == ["cat"]
    assert found.voters == {"ann": 14, "bob": 14, "cat": 14}
    assert [one.candidate for one in found.strengths] == ["good", "fair", "poor"]
    best = found.strengths[0]
    assert best.low is not None and best.high is not None
    assert 0 < best.low <= best.strength <= best.high
    assert [(p.clip, p.candidate, p.other, p.wins, p.losses, p.ties) for p in found.pairs[:3]] == [
        ("clip_0", "fair", "good", 0, 2, 0), ("clip_0", "fair", "poor", 2, 0, 0), ("clip_0", "good", "poor", 2, 0, 0),
    ]  # fmt: skip
    assert duel(found.pairs, "good", "fair") == Duel(8, 0, 8, 4, 0, p=2 / 2**4)
    assert found.evaluations == {"film": {run.candidate: run.summary.fingerprint for run in runs}}
    agreement = {one.metric: one for one in found.agreement}
    assert (agreement["psnr"].share, agreement["psnr"].pairs) == (1, 12)
    assert agreement["psnr"].low < 0.8
    assert agreement["flicker"].share == 0


def test_one_clip_and_ties_have_no_interval(ballot: Ballot, runs: list[Run]) -> None:
    trial = Trial("film", "clip_0", "good", "poor", catch=False)
    found = count_votes([Vote("ann", trial, "equal")], runs, seed=0)
    assert [one.strength for one in found.strengths] == pytest.approx([0, 0, 0])
    assert all(one.low is None for one in found.strengths)
    assert found.agreement == []


@pytest.fixture
def server(tmp_path: Path, ballot: Ballot) -> Iterator[VoteServer]:
    with (
        VoteStore(tmp_path / "v.sqlite", ballot) as store,
        VoteServer(ballot, store, tmp_path / "videos", port=0) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: VoteServer, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json", **headers} if data else headers)
    response = connection.getresponse()
    return response.status, response.read()


VOTE = {"voter": "ann", "number": 0, "answer": "left", "seconds": 2.0}


def test_the_server_shows_a_pair_and_takes_its_vote(server: VoteServer, tmp_path: Path) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert json.loads(ask(server, "GET", "/next?voter=ann")[1]) == {"number": 0, "done": 0, "trials": 14}
    status, data = ask(server, "GET", "/video?voter=ann&number=0")
    (tmp_path / "got.mp4").write_bytes(data)
    frame = read_video(tmp_path / "got.mp4").eight_bit()[0]
    trial = server.ballot.trials("ann")[0]
    levels = {**LEVELS, TRUTH: 250, LOW: 50}
    assert status == 200
    assert abs(int(frame[16, 20, 0]) - levels[trial.left]) < 4
    assert abs(int(frame[16, -20, 0]) - levels[trial.right]) < 4
    origin = f"http://127.0.0.1:{server.server_port}"
    assert json.loads(ask(server, "POST", "/vote", VOTE, Origin=origin)[1])["done"] == 1
    assert [vote.trial for vote in server.store.votes()] == [trial]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Host": "evil.example"}, VOTE, 403),
        ({"Origin": "http://evil.example"}, VOTE, 403),
        ({"Origin": "null"}, VOTE, 403),
        ({"Sec_Fetch_Site": "cross-site"}, VOTE, 403),
        ({"Content_Type": "text/plain"}, VOTE, 400),
        ({}, VOTE | {"answer": "neither"}, 400),
        ({}, VOTE | {"number": 14}, 400),
        ({}, VOTE | {"number": -1}, 400),
        ({}, VOTE | {"voter": " "}, 400),
        ({}, [1], 400),
        ({}, VOTE | {"voter": "x" * 5000}, 400),
        ({}, VOTE | {"voter": "\ud800"}, 400),
        ({}, VOTE | {"number": "9" * 4000}, 400),
        ({}, VOTE | {"seconds": float("nan")}, 400),
    ],
)
def test_votes_from_elsewhere_or_malformed_are_refused(
    server: VoteServer, headers: dict[str, str], body: Any, status: int
) -> None:
    assert ask(server, "POST", "/vote", body, **headers)[0] == status
    assert server.store.votes() == []


def test_no_request_prints_a_traceback(server: VoteServer, capsys: pytest.CaptureFixture[str]) -> None:
    nested = "[" * 4000
    assert ask(server, "GET", f"/video?voter=ann&number={'9' * 5000}")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("POST", "/vote", nested, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 400
    with socket.create_connection(("127.0.0.1", server.server_port)) as gone:  # it does not wait
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.sendall(f"GET /video?voter=ann&number=0 HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
    ask(server, "GET", "/video?voter=ann&number=0")  # which waits for the one before
    assert "Traceback" not in capsys.readouterr().err


def test_no_label_reaches_the_voter(server: VoteServer, tmp_path: Path) -> None:
    sent = b"".join(
        ask(server, "GET", path)[1] for path in ("/", "/page.js", "/next?voter=ann", "/video?voter=ann&number=1")
    )
    assert not any(name.encode() in sent for name in (*LEVELS, *CLIPS, "film"))
    assert not any(name in path.name for path in (tmp_path / "videos").iterdir() for name in (*LEVELS, *CLIPS))
    assert ask(server, "GET", "/../votes.sqlite")[0] == 404
