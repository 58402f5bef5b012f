"""The worst frame and tile of every candidate, wherever in the clip they are, and the pictures of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsr_lab.core.clip import Frames
from vsr_lab.core.records.comparison import Comparison
from vsr_lab.core.records.evaluation import WorstPlace
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation.candidates import frames as frames_of
from vsr_lab.evaluation.candidates import interpolation
from vsr_lab.evaluation.evaluator import evaluate
from vsr_lab.evaluation.protocol import Protocol, Suite
from vsr_lab.metrics import psnr
from vsr_lab.reporting import compare
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.worst_table import worst_tables

WriteVideo = Callable[..., Path]
PROTOCOL = Protocol("base", "as it is", 2, ResizeDown(2), metrics={"psnr": psnr})
BAD = 1  # frame with the fault; frames 3 and 4 are saved


@pytest.fixture
def judged(tmp_path: Path, write_video: WriteVideo, frames: Frames) -> dict[Path, list[WorstPlace]]:
    """A candidate that is HR but for a black tile in a frame that is not saved, bicubic, and one worse everywhere."""
    write_video("clips/walk.mkv", frames)
    faulty = frames.copy()
    faulty[BAD, 16:32, 32:48] = 0
    write_video("theirs/walk.mkv", faulty)
    candidates = {
        tmp_path / "faulty": frames_of(str(tmp_path / "theirs"), "faulty"),
        tmp_path / "bicubic": interpolation("bicubic", 2),
        tmp_path / "nearest": interpolation("nearest", 2),
    }
    suite = Suite("film", str(tmp_path / "clips"))
    return {folder: summary.worst for folder, summary in evaluate(candidates, suite, PROTOCOL, save_frames=2).items()}


def test_a_fault_in_a_frame_that_is_not_saved_is_found(
    tmp_path: Path, judged: dict[Path, list[WorstPlace]], frames: Frames
) -> None:
    frame, tile = judged[tmp_path / "faulty"]
    assert (tile.kind, tile.frame, tile.top, tile.left) == ("tile", BAD, 16, 32)
    assert tile.error == pytest.approx(frames[BAD, 16:32, 32:48].mean(), abs=1e-3)
    assert (frame.kind, frame.frame) == ("frame", BAD)
    assert [place.kind for place in judged[tmp_path / "bicubic"]] == ["frame"], "no tile is worse than its own"


def test_pictures_of_every_candidate_at_the_place_are_saved(
    tmp_path: Path, judged: dict[Path, list[WorstPlace]], frames: Frames
) -> None:
    def crop(candidate: str, view: str) -> Frames:
        return np.asarray(Image.open(tmp_path / candidate / f"pictures/walk/{view}-{BAD}-32-16.webp"))

    assert judged
    square = frames[BAD, :, 24:56]  # frames are 32 pixels high
    assert np.array_equal(crop("faulty", "hr"), square)
    assert (crop("faulty", "sr")[16:32, 8:24] == 0).all()
    assert np.array_equal(crop("faulty", "sr")[:16], square[:16])
    assert crop("faulty", "lr").shape == (16, 16, 3)
    assert not np.array_equal(crop("nearest", "sr"), crop("bicubic", "sr"))
    assert Image.open(tmp_path / "bicubic" / f"pictures/walk/sr-{BAD}.jpg").size == (64, 32)


def test_what_is_found_does_not_depend_on_the_other_candidates(
    tmp_path: Path, judged: dict[Path, list[WorstPlace]]
) -> None:
    alone = {tmp_path / "alone": interpolation("nearest", 2)}
    found = evaluate(alone, Suite("film", str(tmp_path / "clips")), PROTOCOL)[tmp_path / "alone"]
    assert found.worst == judged[tmp_path / "nearest"]
    none = evaluate(alone, Suite("film", str(tmp_path / "clips")), PROTOCOL, save_frames=0)[tmp_path / "alone"]
    assert none.worst == []


def shown(comparison: Comparison, html: Path) -> list[dict[str, object]]:
    assert comparison.pictures
    text = html.read_text("utf-8").split('class="clip-media"')[1]
    return json.loads(text.partition(">")[2].partition("</script>")[0])["crops"]


def test_the_page_names_and_shows_the_places(tmp_path: Path, judged: dict[Path, list[WorstPlace]]) -> None:
    comparison = compare(judged, tmp_path / "compared")
    tiles, frames = worst_tables(Lookup(comparison))
    assert [row.candidate for row in tiles.first] == ["faulty", "nearest"]
    row = tiles.first[0]
    assert (row.clip, row.frame, row.where, row.key) == ("walk", BAD, "x 32, y 16", "tile of faulty")
    assert [row.candidate for row in frames.first] == ["faulty", "nearest"]
    assert frames.first[0].amount == pytest.approx(
        Lookup(comparison).at("bicubic", "film", "walk", BAD) - Lookup(comparison).at("faulty", "film", "walk", BAD)  # type: ignore[operator]
    )
    costs = {candidate.name: candidate.ms_per_frame for candidate in comparison.candidates}
    assert costs["faulty"] is None and costs["bicubic"], "reading frames is no cost of them"
    assert next(origin for origin in comparison.origins if origin.candidate == "faulty").facts.sha256
    crops = shown(comparison, tmp_path / "compared" / "report.html")
    (crop,) = [crop for crop in crops if "tile of faulty" in crop["keys"]]  # type: ignore[operator]
    assert (crop["frame"], crop["lossless"]) == (BAD, True)
    assert all(str(image).startswith("data:image/webp") for image in crop["images"])  # type: ignore[attr-defined]


def test_a_candidate_of_another_pass_has_no_picture_there(tmp_path: Path, judged: dict[Path, list[WorstPlace]]) -> None:
    alone = {tmp_path / "lanczos": interpolation("lanczos", 2)}
    evaluate(alone, Suite("film", str(tmp_path / "clips")), PROTOCOL, save_frames=2)
    comparison = compare([*judged, *alone], tmp_path / "compared")
    crops = shown(comparison, tmp_path / "compared" / "report.html")
    (crop,) = [crop for crop in crops if "tile of faulty" in crop["keys"]]  # type: ignore[operator]
    views = ["low resolution", "ground truth", *(clip.candidate for clip in comparison.pictures[0].candidates)]
    assert [view for view, image in zip(views, crop["images"], strict=True) if not image] == ["lanczos"]  # type: ignore[call-overload]
