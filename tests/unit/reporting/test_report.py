"""The report without a browser: what is in the file, whatever is missing from the comparison or meant ill."""

from __future__ import annotations

import base64
import io
import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.records.comparison import Comparison
from vsr_lab.reporting import write_report
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.media import fitting
from vsr_lab.reporting.places import Crop
from vsr_lab.reporting.tables import CellView, full_tables, heat_tables
from vsr_lab.reporting.verdict import Verdict, at_home, verdicts
from vsr_lab.reporting.wipe import write_wipes
from vsr_lab.video import VideoWriter, read_video
from vsr_lab.video.disclosure import find_disclosure

Entry = dict[str, Any]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "{{ 7 * 7 }}",
]


def cell(candidate: str, mean: float, gap: float | None = None) -> Entry:
    """A PSNR cell on animation with intervals of ±0.2 around its mean and its difference."""
    difference = None if gap is None else interval(gap)
    entry: Entry = {"candidate": candidate, "suite": "animation", "metric": "psnr", **interval(mean)}
    return entry | {"truth": None, "difference": difference}


def interval(mean: float) -> Entry:
    return {"mean": mean, "low": mean - 0.2, "high": mean + 0.2, "about": "clips"}


def write_clip(path: Path, scale: int) -> None:
    """Three frames of noise that the name seeds."""
    frames = np.random.default_rng(len(path.stem)).integers(0, 255, (3, 24 * scale, 32 * scale, 3), np.uint8)
    with VideoWriter(path, frames.shape[1:3], Fraction(25)) as writer:
        writer.write(frames, [0, 0.04, 0.08])


@pytest.fixture
def comparison(tmp_path: Path) -> Entry:
    """Bicubic, the animation specialist and another on one suite of one clip, its pictures in tmp_path."""
    names = ["bicubic", "animator", "other"]
    for name in ("lr", "hr", *names):
        write_clip(tmp_path / f"{name}.mkv", 1 if name == "lr" else 2)
    shown = [{"candidate": name, "sr": f"{name}.mkv"} for name in names]
    psnr = {
        "name": "psnr",
        "label": "PSNR-Y",
        "unit": "dB",
        "better": "higher",
        "digits": 2,
        "note": "On luma.",
    }
    flicker = {"name": "flicker", "label": "Flicker", "unit": "levels", "better": "lower", "digits": 2}
    return {
        "title": "Cross-content comparison",
        "protocol": {"name": "content-x2", "fingerprint": "1a2b3c4d", "scale": 2, "description": "Words."},
        "baseline": "bicubic",
        "suites": [{"name": "animation", "content": "animation", "clips": ["bunny_0"], "frames": 48}],
        "candidates": [
            {"name": name, "parameters": 103_000, "ms_per_frame": 20.1, "content": content}
            for name, content in zip(names, (None, "animation", None), strict=True)
        ],
        "metrics": [psnr, flicker],
        "cells": [cell("bicubic", 30.0), cell("animator", 31.62, 1.62), cell("other", 29.9, -0.1)],
        "pairs": [],
        "clip_means": [],
        "selection": None,
        "origins": [],
        "front": {"psnr": 1, "flicker": -1},
        "pareto": {"animation": ["animator"]},
        "curves": [],
        "pictures": [
            {"suite": "animation", "clip": "bunny_0", "lr": "lr.mkv", "hr": "hr.mkv", "frame": 12, "row": 20,
             "column": 30, "first": 11, "saved": 3, "rate": 25.0, "candidates": shown}
        ],
        "notes": ["A note."],
    }  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of the file: its tags, everything they refer to, and its scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script":
            self.scripts[-1] += data


def write(comparison: Entry, root: Path) -> Page:
    write_report(Comparison.model_validate(comparison), root, root / "report.html")
    return Page(root / "report.html")


def decode(uri: str) -> Frames:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


def lookup(comparison: Entry) -> Lookup:
    return Lookup(Comparison.model_validate(comparison))


def heat(comparison: Entry, candidate: int) -> CellView:
    """The cell of a candidate in the first metric's table, in the first suite."""
    return heat_tables(lookup(comparison))[0].rows[candidate].cells[0]


def verdict(comparison: Entry) -> Verdict:
    return verdicts(lookup(comparison))[0]


def test_file_refers_to_nothing_outside_itself(comparison: Entry, tmp_path: Path) -> None:
    page = write(comparison, tmp_path)
    assert page.references, "it has links within the page"
    assert [to for to in page.references if not to.startswith(("#", "data:"))] == []
    style = (tmp_path / "report.html").read_text("utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert "default-src 'none'" in (tmp_path / "report.html").read_text("utf-8")
    assert page.tags.count("script") == 8, "the numbers, a clip, Plotly's and the page's own five"


def test_a_clip_is_embedded_losslessly_where_it_is_judged(comparison: Entry, tmp_path: Path) -> None:
    media = json.loads(write(comparison, tmp_path).scripts[1])
    assert media["views"] == ["low resolution", "ground truth", "bicubic", "animator", "other"]
    assert (media["first"], media["count"], media["width"], media["height"]) == (11, 3, 64, 48)
    assert media["video"].startswith("data:video/mp4;base64,")
    first = media["crops"][0]
    assert (first["title"], first["frame"]) == ("most motion and detail", 12)
    hr = read_video(tmp_path / "hr.mkv").eight_bit()
    found = decode(first["images"][1])
    assert np.array_equal(found, hr[1, first["y"] : first["y"] + 48, first["x"] : first["x"] + 48])
    assert decode(first["images"][0]).shape == (24, 24, 3)
    slices = decode(media["slices"][0])
    rows = media["rows"]
    assert np.array_equal(slices.reshape(len(rows), 3, 64, 3), hr[:, rows].swapaxes(0, 1))
    assert len(media["maps"]["error"]) == len(media["maps"]["flicker"]) == 3


def test_a_wipe_shows_the_baseline_and_what_is_best_and_says_that_it_is_upscaled(
    comparison: Entry, tmp_path: Path
) -> None:
    (path,) = write_wipes(Comparison.model_validate(comparison), tmp_path, tmp_path)
    assert path.name == "wipe_animation.mp4"
    assert "upscaled" in find_disclosure(path)
    found = read_video(path).eight_bit().astype(int)
    assert len(found) == 102, "3 frames are repeated until 4 seconds are over"
    sides = [read_video(tmp_path / f"{name}.mkv").eight_bit().astype(int) for name in ("bicubic", "animator")]
    near = [np.abs(found[99, :32, :8] - side[0, :32, :8]).mean() for side in sides]  # the divider is in the middle
    assert near[0] < near[1]
    near = [np.abs(found[99, :32, -8:] - side[0, :32, -8:]).mean() for side in sides]
    assert near[0] > near[1]


def test_clips_that_do_not_fit_are_named(comparison: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison["pictures"] += [comparison["pictures"][0] | {"clip": name} for name in ("second", "third")]
    size = len(write(comparison, tmp_path).scripts[1])
    whole = (tmp_path / "report.html").stat().st_size
    monkeypatch.setattr("vsr_lab.reporting.page._NAMES", 200)
    monkeypatch.setattr("vsr_lab.reporting.page._LARGEST", limit := whole - size // 2)
    page = write(comparison, tmp_path)
    assert page.tags.count("script") == 9
    assert "below 25 MB: animation / third." in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "report.html").stat().st_size <= limit


def test_a_page_of_large_clips_keeps_to_its_size_and_says_what_it_reduced(
    comparison: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise, which hardly compresses: 12 frames of 96x128 in five views are 2 MB."""
    names = ("lr", "hr", "bicubic", "animator", "other")
    random = np.random.default_rng(0)
    for name in names:
        side = 48 if name == "lr" else 96
        with VideoWriter(tmp_path / f"{name}.mkv", (side, side * 4 // 3), Fraction(25)) as writer:
            writer.write(random.integers(0, 255, (12, side, side * 4 // 3, 3), np.uint8), np.arange(12) / 25)
    comparison["pictures"][0] |= {"saved": 12, "frame": 14, "row": 60, "column": 60}
    comparison["pictures"] += [comparison["pictures"][0] | {"clip": "second"}]
    write(comparison | {"pictures": []}, tmp_path)
    limit = (tmp_path / "report.html").stat().st_size + 2_100_000
    monkeypatch.setattr("vsr_lab.reporting.page._LARGEST", limit)
    page = write(comparison, tmp_path)
    html = (tmp_path / "report.html").read_text("utf-8")
    assert limit - 1_000_000 < (tmp_path / "report.html").stat().st_size <= limit
    assert page.tags.count("script") == 9, "both clips are shown"
    assert "Reduced, to keep this page below 25 MB: animation / bunny_0: lossy video of" in html
    assert "Left out" not in html


def test_places_that_do_not_fit_are_counted() -> None:
    def place(size: int) -> list[Crop]:
        return [Crop("", [], 0, 0, 0, 8, 8, True, ["x" * size])]

    crops, dropped = fitting([place(50), place(40), place(30), place(1)], 100)
    assert ([len(crop.images[0]) for crop in crops], dropped) == ([50, 40], 2)
    assert [len(crop.images[0]) for crop in fitting([place(500), place(1)], 100)[0]] == [500], "the first always"


def test_values_of_frames_that_do_not_fit_are_named(
    comparison: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = {"suite": "animation", "clip": "bunny_0", "metric": "psnr", "candidate": "other", "values": [30.123456789]}
    comparison["curves"] = [curve, curve | {"clip": "second"}]
    monkeypatch.setattr("vsr_lab.reporting.page._CURVES", 10)
    data = json.loads(write(comparison, tmp_path).scripts[0])
    assert [curve["values"] for curve in data["curves"]] == [[30.1235]]
    assert "below 25 MB: animation / second." in (tmp_path / "report.html").read_text("utf-8")


def test_pictures_may_lie_beside_the_comparison(comparison: Entry, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    text = re.sub(r'"(\w+\.mkv)"', r'"../\1"', json.dumps(comparison))
    record = Comparison.model_validate_json(text)
    write_report(record, tmp_path / "report", tmp_path / "report" / "report.html")
    assert len(Page(tmp_path / "report" / "report.html").scripts) == 8


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(comparison: Entry, tmp_path: Path, name: str) -> None:
    plain = write(comparison, tmp_path).tags
    bad = json.loads(json.dumps(comparison).replace('"animator"', json.dumps(name)))
    bad["notes"], bad["title"] = [name], name
    bad["suites"][0]["clips"] = [name]
    page = write(bad, tmp_path)
    assert page.tags == plain, "no name makes a tag of its own"
    assert page.handlers == []
    assert Comparison.model_validate_json(page.scripts[0]) == Comparison.model_validate(bad)


def test_missing_cells_are_dashes(comparison: Entry, tmp_path: Path) -> None:
    comparison["cells"] = [cell("bicubic", 30.0)]
    for candidate in (1, 2):
        found = heat(comparison, candidate)
        assert (found.mean, found.spread, found.difference, found.best) == ("–", "", "", False)
    assert heat(comparison, 0).best
    comparison["candidates"][1] |= {"parameters": None}
    assert full_tables(lookup(comparison))[0].rows[1].parameters == "–"
    write(comparison, tmp_path)


def test_a_comparison_of_nothing_is_still_a_page(comparison: Entry, tmp_path: Path) -> None:
    comparison |= {"suites": [], "candidates": [], "metrics": [], "cells": [], "pareto": {}, "pictures": []}
    write(comparison, tmp_path)
    assert "Nothing was measured." in (tmp_path / "report.html").read_text("utf-8")


def test_table_marks_home_best_and_clear_differences(comparison: Entry) -> None:
    home, away = heat(comparison, 1), heat(comparison, 2)
    assert (home.mean, home.spread, home.difference) == ("31.62", "±0.20", "+1.62")
    assert home.difference_interval == "[1.42, 1.82]"
    assert (home.home, home.best, home.clear, home.tone, home.strength) == (True, True, True, "better", 100)
    assert (away.home, away.best, away.clear, away.tone, away.strength) == (False, False, False, "worse", 6)
    assert away.difference == "\N{MINUS SIGN}0.10"


def test_lower_is_better_turns_best_and_tone_round(comparison: Entry) -> None:
    comparison["metrics"][0]["better"] = "lower"
    assert (heat(comparison, 1).tone, heat(comparison, 2).tone) == ("worse", "better")
    assert [heat(comparison, candidate).best for candidate in range(3)] == [False, False, True]


def test_truth_has_a_row_where_the_metric_has_a_truth(comparison: Entry) -> None:
    assert heat_tables(lookup(comparison))[0].truth == []
    comparison["cells"][1]["truth"] = 2.4
    assert heat_tables(lookup(comparison))[0].truth == ["2.40"]


BASE = cell("bicubic", 30.0)
DOUBT = "the interval contains zero, so this is not a clear gain."
OWN = "Its own specialist, animator, is 0.50 dB behind."


@pytest.mark.parametrize(
    ("cells", "tone", "sentence"),
    [
        (
            [BASE, cell("animator", 31.62, 1.62)],
            "clear",
            "animator is best, +1.62 dB over bicubic [1.42, 1.82].",
        ),
        (
            [BASE, cell("animator", 30.15, 0.15)],
            "unclear",
            f"animator is best, +0.15 dB over bicubic [\N{MINUS SIGN}0.05, 0.35]; {DOUBT}",
        ),
        (
            [BASE, cell("animator", 29.5, -0.5)],
            "unclear",
            f"nothing beats the baseline, bicubic, at 30.00 dB. {OWN}",
        ),
        (
            [cell("animator", 31.0), cell("other", 31.5, 1.5)],
            "clear",
            f"other is best, +1.50 dB over bicubic [1.30, 1.70]. {OWN}",
        ),
        (
            [cell("animator", 31.0)],
            "unclear",
            "animator is best at 31.00 dB; its difference to bicubic was not measured.",
        ),
        ([], "none", "nothing was measured by PSNR-Y."),
    ],
)
def test_verdict_in_plain_words(comparison: Entry, cells: list[Entry], tone: str, sentence: str) -> None:
    comparison["cells"] = cells
    found = verdict(comparison)
    assert (found.tone, found.sentence.replace("\N{NO-BREAK SPACE}", " ")) == (tone, sentence)


@pytest.mark.parametrize(
    ("about", "doubt"),
    [
        ({"trained_with": "adversarial"}, "it was trained adversarially"),
        ({}, "its file does not say how it was trained"),
    ],
)
def test_what_may_invent_detail_is_not_called_best_by_psnr(comparison: Entry, about: Entry, doubt: str) -> None:
    comparison["cells"] = [BASE, cell("animator", 31.62, 1.62)]
    origin: Entry = {"candidate": "animator", "suite": "animation", "facts": {"kind": "checkpoint", "about": about}}
    comparison["origins"] = [{**origin, "suite_fingerprint": "a", "versions": {}, "machine": ""}]
    found = verdict(comparison)
    assert found.tone == "unclear" and "animator is best" not in found.sentence and doubt in found.sentence
    origin["facts"]["about"] = {"trained_with": "fidelity"}
    assert "animator is best" in verdict(comparison).sentence


def test_a_clip_without_an_interval_says_nothing_about_others(comparison: Entry) -> None:
    comparison["cells"] = [BASE, {**cell("animator", 31.62, 1.62), "difference": {"mean": 1.62}}]
    found = verdict(comparison)
    why = "one clip is too few to conclude anything about others."
    sentence = f"animator is best, +1.62 dB over bicubic; {why}"
    assert (found.tone, found.sentence.replace("\N{NO-BREAK SPACE}", " ")) == ("unclear", sentence)


def test_specialists_at_home_are_counted(comparison: Entry) -> None:
    assert at_home(lookup(comparison)) == "Specialists are best on their own content type in 1 of 1 suites."
    comparison["candidates"][1]["content"] = None
    assert at_home(lookup(comparison)) == ""


@pytest.mark.parametrize(
    ("picture", "problem"),
    [
        ("gone.mkv", "not found"),
        ("text.mkv", "is not a video"),
        ("lr.mkv", "has another size or length than evaluate saved"),
    ],
)
def test_unusable_pictures_are_named(comparison: Entry, tmp_path: Path, picture: str, problem: str) -> None:
    (tmp_path / "text.mkv").write_text("hello")
    comparison["pictures"][0]["candidates"][1]["sr"] = picture
    with pytest.raises(UserError, match=problem) as raised:
        write(comparison, tmp_path)
    assert Path(picture).name in str(raised.value)
    assert not (tmp_path / "report.html").exists()


def test_a_suite_of_unknown_content_has_no_specialist(comparison: Entry, tmp_path: Path) -> None:
    """bicubic is of no content type either, and is not at home there."""
    comparison["suites"][0]["content"] = None
    assert not any(heat(comparison, candidate).home for candidate in range(3))
    write(comparison, tmp_path)
    assert "None" not in re.sub(r"<script.*?</script>", "", (tmp_path / "report.html").read_text("utf-8"), flags=re.S)


def test_the_axes_of_the_front_are_stated(comparison: Entry, tmp_path: Path) -> None:
    write(comparison, tmp_path)
    assert "the Pareto front of psnr, flicker:" in (tmp_path / "report.html").read_text("utf-8")


def test_a_failed_write_leaves_the_old_report_and_no_litter(
    comparison: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "report.html"
    write_report(Comparison.model_validate(comparison), tmp_path, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(Comparison.model_validate(comparison | {"title": "Newer"}), tmp_path, path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
