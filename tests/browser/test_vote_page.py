"""A vote in a real browser, by the keyboard alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.waiting import wait_for
from vsr_lab.core.records.comparison import ClipFrames
from vsr_lab.workflows.vote import Ballot, Trial, VoteServer, VoteStore

pytestmark = pytest.mark.timeout(120)


class FixedBallot(Ballot):
    """Three trials on the first clip of the report."""

    def __init__(self, root: Path) -> None:
        paths = {name: str(root / "clip-0" / f"{name}.mkv") for name in ("lr", "hr")}
        candidates = [
            {"candidate": name, "sr": str(root / "clip-0" / str(n) / "sr.mkv")} for n, name in enumerate("ab")
        ]
        where = {"frame": 8, "row": 70, "column": 96, "first": 0, "saved": 16, "rate": 25.0}
        self.__dict__ |= {"runs": (), "seed": 0}
        self.__dict__["clips"] = {
            ("animation", "c"): ClipFrames.model_validate(
                {"suite": "animation", "clip": "c", **paths, **where, "candidates": candidates}
            )
        }

    def trials(self, voter: str) -> list[Trial]:
        return [Trial("animation", "c", left, right, catch=False) for left, right in ("ab", "ba", "ab")]


@pytest.fixture
def server(tmp_path: Path, report: Path) -> Iterator[VoteServer]:
    ballot = FixedBallot(report.parent)
    with VoteStore(tmp_path / "v.sqlite", ballot) as store, VoteServer(ballot, store, tmp_path, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def begin(page: Any) -> None:
    page.locator("#voter:focus").wait_for()  # the browser focuses it after the page is loaded; keys before are lost
    page.keyboard.type("ann")
    page.keyboard.press("Enter")


def test_a_vote_by_the_keyboard_alone_goes_on_after_a_reload(
    open_address: Callable[[str], Any], server: VoteServer
) -> None:
    opened = open_address(server.address)
    page = opened.page
    begin(page)
    progress = page.locator("#progress")
    progress.get_by_text("Pair 1 of 3").wait_for()
    wait_for(page, f"video.videoWidth === {2 * 192 + 16} && !video.paused")
    page.keyboard.press("Space")
    assert page.evaluate("video.paused")
    page.keyboard.press("ArrowLeft")
    progress.get_by_text("Pair 2 of 3").wait_for()
    page.reload()
    begin(page)
    progress.get_by_text("Pair 2 of 3").wait_for()
    page.keyboard.press("ArrowRight")
    progress.get_by_text("Pair 3 of 3").wait_for()
    page.keyboard.press("ArrowDown")
    page.locator("#done").wait_for(state="visible")
    assert [vote.answer for vote in server.store.votes()] == ["left", "right", "equal"]
    assert opened.complaints == []
    assert all(url.startswith((server.address, "data:")) for url in opened.requests)
