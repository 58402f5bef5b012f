"""Web server of a vote, which only this machine can reach."""

import json
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from vsr_lab.core.clip import Frames
from vsr_lab.core.files import atomic_path
from vsr_lab.core.progress import report
from vsr_lab.reporting.saved import SavedClip
from vsr_lab.video.writer import even_size, write_mp4
from vsr_lab.workflows.vote.store import Answer, Ballot, Trial, Vote, VoteStore

_HERE = Path(__file__).parent
_STATIC = {"/": ("page.html", "text/html"), "/page.js": ("page.js", "text/javascript")}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; media-src 'self';"
    " connect-src 'self'"
)
_LONGEST = 4096  # bytes of a vote
_NAME = 60  # letters
_GAP = 16  # pixels between the two sides
_SIDE = 960  # pixels of the longer side of a picture, at most


class VoteServer(ThreadingHTTPServer):
    """Web server of a blind vote: serves the page and the videos, and stores votes. Only this machine can reach it.

    Args:
        ballot: the pairs of candidates to vote on.
        store: storage of the votes.
        folder: folder for the videos, whose names do not reveal the candidates.
        port: TCP port; 0: any free one.
    """

    daemon_threads = True

    def __init__(self, ballot: Ballot, store: VoteStore, folder: Path, *, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.ballot = ballot
        self.store = store
        self._folder = folder
        self._encoding = threading.Lock()
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def next_trial(self, voter: str) -> dict[str, Any]:
        """Next trial of a voter, as JSON for the page.

        Returns:
            "number" -> number of the first trial without an answer, or None; "done" -> number of answered trials;
            "trials" -> number of all trials.
        """
        trials, done = self.ballot.trials(voter), self.store.answered(voter)
        left = [number for number in range(len(trials)) if number not in done]
        return {"number": left[0] if left else None, "done": len(done), "trials": len(trials)}

    def video(self, trial: Trial) -> bytes:
        """MP4 file, as bytes, that shows both sides of a trial in one picture, so that they are always synchronous."""
        clip = SavedClip(self.ballot.clips[trial.suite, trial.clip], Path())
        views = list(clip.videos)
        name = f"{list(self.ballot.clips).index((trial.suite, trial.clip))}-{views.index(trial.left)}"
        path = self._folder / f"{name}-{views.index(trial.right)}.mp4"
        with self._encoding:
            if not path.is_file():
                with atomic_path(path) as temporary:
                    write_mp4(temporary, _sides(clip, trial), clip.facts.rate, crf=12)
        return path.read_bytes()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print why a request failed, unless the browser closed the connection, as it does while a video loads."""
        error = sys.exception()
        if not isinstance(error, (ConnectionError, TimeoutError)):
            report(f"{type(error).__name__}: {error}")


def _sides(clip: SavedClip, trial: Trial) -> Iterator[Frames]:
    size = even_size(clip.size, _SIDE)
    gap = np.full((size[1], _GAP, 3), 128, np.uint8)
    for pair in zip(clip.frames(trial.left), clip.frames(trial.right), strict=True):
        sides = [
            cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC if frame.shape[1] < size[0] else cv2.INTER_AREA)
            for frame in pair
        ]
        yield np.concatenate([sides[0], gap, sides[1]], axis=1).astype(np.uint8)


class _Given(BaseModel):
    """JSON that the page sends for a vote."""

    voter: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_NAME)]
    number: int
    answer: Answer
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Handler(BaseHTTPRequestHandler):
    server: VoteServer  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 60  # seconds without a byte, after which a connection ends

    def do_GET(self) -> None:
        if not self._is_from_here():
            return
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        voter, number = query.get("voter", "").strip()[:_NAME], query.get("number", "")
        if url.path in _STATIC:
            name, kind = _STATIC[url.path]
            self._send((_HERE / "static" / name).read_bytes(), f"{kind}; charset=utf-8")
        elif url.path == "/next" and voter:
            self._send_json(self.server.next_trial(voter))
        elif url.path == "/video" and voter and (trial := self._trial(voter, number)):
            self._send(self.server.video(trial), "video/mp4")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        if not self._is_from_here():
            return
        length = self.headers.get("Content-Length", "")
        is_json = self.headers.get_content_type() == "application/json"  # which a form of another site cannot send
        if self.path != "/vote" or not is_json or not length.isdecimal() or int(length) > _LONGEST:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        try:
            given = _Given.model_validate_json(self.rfile.read(int(length)))
        except ValidationError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        trial = self._trial(given.voter, str(given.number))
        if trial is None:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self.server.store.add(Vote(given.voter, trial, given.answer), given.number, given.seconds)
        self._send_json(self.server.next_trial(given.voter))

    def _is_from_here(self) -> bool:
        """Whether the request is for this server and comes from its own page. If not, an error is sent.

        Pages of other sites could post to this port, or read it by a name that resolves to 127.0.0.1 (DNS rebinding).
        """
        origin = self.headers.get("Origin")
        fine = self.headers.get("Host") in self.server.hosts
        fine = fine and (origin is None or origin in {f"http://{host}" for host in self.server.hosts})
        fine = fine and self.headers.get("Sec-Fetch-Site") in {None, "none", "same-origin"}
        if not fine:
            self.send_error(HTTPStatus.FORBIDDEN)
        return fine

    def _trial(self, voter: str, number: str) -> Trial | None:
        trials = {str(n): trial for n, trial in enumerate(self.server.ballot.trials(voter))}
        return trials.get(number)

    def _send_json(self, value: dict[str, Any]) -> None:
        self._send(json.dumps(value).encode(), "application/json")

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing, so that requests are not printed."""
