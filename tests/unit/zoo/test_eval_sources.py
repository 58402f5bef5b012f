"""Clips of the zoo's evaluation: fetched once, exactly as the table describes them, and into their folder alone."""

import hashlib
import io
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from tests.conftest import write_moving_clip
from vsr_lab.core.errors import UserError
from vsr_lab.footage.shots import ShotSelection, find_shots
from vsr_lab.footage.tables import read_rows, write_rows

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"
TABLE = Path(__file__).parents[3] / "results/zoo/eval.csv"
CONTENT = b"a clip"
ROW = {
    "name": "a",
    "path": "animation/a.mp4",
    "split": "eval",
    "content_type": "animation",
    **dict.fromkeys(("start", "stop", "downscale", "crop", "cuts"), ""),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "repository": "owner/name",
    "commit": "0" * 40,
    "file": "videos/a b.mp4",
    "licence": "CC0",
}


class Response(io.BytesIO):
    """What a server answers."""

    url = "https://raw.githubusercontent.com/x"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were asked for; each has CONTENT."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    addresses: list[str] = []

    def answer(address: str, timeout: float) -> Response:
        assert timeout
        addresses.append(address)
        return Response(CONTENT)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    return addresses


def run(folder: Path, *rows: dict[str, str], vid4: Path | None = None) -> None:
    from eval_sources import main

    write_rows(folder / "table.csv", rows)
    main(folder / "out", vid4, folder / "table.csv")


def test_a_file_is_fetched_once_and_listed(asked: list[str], tmp_path: Path) -> None:
    run(tmp_path, ROW)
    run(tmp_path, ROW)
    assert asked == [f"https://raw.githubusercontent.com/owner/name/{'0' * 40}/videos/a%20b.mp4"]
    assert (tmp_path / "out/animation/a.mp4").read_bytes() == CONTENT
    assert [row["name"] for row in read_rows(tmp_path / "out/table.csv")] == ["a"]


def test_vid4_is_listed_from_where_it_is(asked: list[str], tmp_path: Path) -> None:
    for seed, name in enumerate(("calendar", "city", "foliage", "walk", "other")):
        write_moving_clip(tmp_path / f"vid4/{name}.mkv", 3, 32, 32, seed)
    run(tmp_path, vid4=tmp_path / "vid4")
    found = find_shots(tmp_path / "out/table.csv", ShotSelection(content="vid4"))
    assert [shot.name for shot in found] == ["calendar", "city", "foliage", "walk"]
    assert not asked


@pytest.mark.parametrize("path", ["../a.mp4", "/tmp/a.mp4", "a/../../b.mp4"])
def test_a_path_that_leads_out_of_the_folder_is_refused(asked: list[str], tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="cannot be the name of a file"):
        run(tmp_path, ROW | {"path": path})
    assert not asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "owner/../name"},
        {"repository": "owner@host/name"},
        {"commit": "main"},
        {"file": "../../a.mp4"},
    ],
)
def test_an_address_is_made_of_checked_parts(asked: list[str], tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(UserError):
        run(tmp_path, ROW | wrong)
    assert not asked


def test_another_file_is_refused_and_not_written(asked: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not the file that the table describes"):
        run(tmp_path, ROW | {"sha256": "0" * 64})
    assert len(asked) == 1
    assert not (tmp_path / "out/animation/a.mp4").exists()


def test_a_redirect_to_http_is_refused(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Response, "url", "http://host/x")
    with pytest.raises(UserError, match="is not the file"):
        run(tmp_path, ROW)
    assert len(asked) == 1


@pytest.mark.usefixtures("asked")
def test_without_a_network_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(UserError, match=r"^a\.mp4: could not be fetched from .* \(.*no network.*\); run it with"):
        run(tmp_path, ROW)


def test_the_table_names_eight_independent_sources_of_every_content_type(asked: list[str]) -> None:
    from eval_sources import Source

    rows = read_rows(TABLE)
    for content in ("live_action", "animation", "screen_capture"):
        own = [row for row in rows if row["content_type"] == content]
        assert len({row["source"] for row in own}) == len(own) >= 8
    for row in rows:
        assert Source(row["repository"], row["commit"], row["file"]).address.startswith("https://")
        assert row["licence"]
        assert int(row["stop"]) - int(row["start"]) <= 24
    assert len({row["name"] for row in rows}) == len(rows)
    assert not asked
