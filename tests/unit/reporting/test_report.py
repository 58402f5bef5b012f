"""The report without a browser: what is in the file, whatever is missing from the comparison or meant ill."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from vsr_lab.core.errors import UserError
from vsr_lab.reporting import page, write_report
from vsr_lab.reporting.schema import Comparison, Lookup
from vsr_lab.reporting.tables import CellView, full_tables, heat_tables
from vsr_lab.reporting.verdict import Verdict, at_home, verdicts

Entry = dict[str, Any]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script>",
    '"><img src=x onerror=alert(1)>',
    "<!--<script>",
    "{{ 7 * 7 }}",
]


def cell(candidate: str, mean: float | None, gap: float | None = None, **others: Any) -> Entry:
    """A PSNR cell on animation with intervals of ±0.2 around its mean and its difference."""
    difference = None if gap is None else {"mean": gap, "ci95": [gap - 0.2, gap + 0.2]}
    ci95 = None if mean is None else [mean - 0.2, mean + 0.2]
    entry: Entry = {
        "candidate": candidate,
        "suite": "animation",
        "metric": "psnr",
        "mean": mean,
        "ci95": ci95,
    }
    return entry | {"truth": None, "difference": difference} | others


@pytest.fixture
def comparison(tmp_path: Path) -> Entry:
    """Bicubic, the animation specialist and another on one suite of one clip, its pictures in tmp_path."""
    names = ["bicubic", "animator", "other"]
    for name in ("lr", "hr", "hr_xt", *(f"{kind}-{name}" for name in names for kind in ("sr", "xt"))):
        Image.new("RGB", (6, 4), (200, len(name), 0)).save(tmp_path / f"{name}.png")
    shown = [{"candidate": name, "sr": f"sr-{name}.png", "sr_xt": f"xt-{name}.png"} for name in names]
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
        "schema": 1,
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
        "pareto": {"animation": ["animator"]},
        "curves": [],
        "pictures": [
            {"suite": "animation", "clip": "bunny_0", "lr": "lr.png", "hr": "hr.png", "hr_xt": "hr_xt.png",
             "frame": 12, "row": 2, "candidates": shown}
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
    write_report(comparison, root, root / "report.html")
    return Page(root / "report.html")


def lookup(comparison: Entry) -> Lookup:
    return Lookup(cast("Comparison", comparison))


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
    assert page.tags.count("script") == 4, "the two of data, Plotly's and the page's own"


def test_pictures_are_embedded_once_with_their_size(comparison: Entry, tmp_path: Path) -> None:
    comparison["pictures"].append(comparison["pictures"][0] | {"clip": "again"})
    pictures = json.loads(write(comparison, tmp_path).scripts[1])
    assert len(pictures) == 9
    assert all(p["uri"].startswith("data:image/png;base64,") for p in pictures.values())
    assert {(p["width"], p["height"]) for p in pictures.values()} == {(6, 4)}


def test_pictures_may_lie_beside_the_comparison(comparison: Entry, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    text = json.dumps(comparison)
    for path in tmp_path.glob("*.png"):
        text = text.replace(f'"{path.name}"', f'"../{path.name}"')
    write_report(json.loads(text), tmp_path / "report", tmp_path / "report" / "report.html")
    assert "../sr-animator.png" in json.loads(Page(tmp_path / "report" / "report.html").scripts[1])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(comparison: Entry, tmp_path: Path, name: str) -> None:
    plain = write(comparison, tmp_path).tags
    bad = json.loads(json.dumps(comparison).replace('"animator"', json.dumps(name)))
    bad["notes"], bad["title"] = [name], name
    bad["suites"][0]["clips"] = [name]
    page = write(bad, tmp_path)
    assert page.tags == plain, "no name makes a tag of its own"
    assert page.handlers == []
    assert json.loads(page.scripts[0]) == bad, "and the data come back as they went in"


def test_missing_and_null_cells_are_dashes(comparison: Entry, tmp_path: Path) -> None:
    comparison["cells"] = [cell("bicubic", 30.0), cell("animator", None)]
    for candidate in (1, 2):
        found = heat(comparison, candidate)
        assert (found.mean, found.spread, found.difference, found.best) == ("–", "", "", False)
    assert heat(comparison, 0).best
    comparison["candidates"][1] |= {"parameters": None, "ms_per_frame": None}
    row = full_tables(lookup(comparison))[0].rows[1]
    assert (row.parameters, row.ms_per_frame) == ("–", "–")
    write(comparison, tmp_path)


def test_a_comparison_of_nothing_is_still_a_page(comparison: Entry, tmp_path: Path) -> None:
    comparison |= {"suites": [], "candidates": [], "metrics": [], "cells": [], "pareto": {}, "pictures": []}
    write(comparison, tmp_path)
    assert "Nothing was measured." in (tmp_path / "report.html").read_text("utf-8")


def test_numbers_json_cannot_hold_become_null(comparison: Entry, tmp_path: Path) -> None:
    comparison["cells"].append(cell("other", math.inf) | {"metric": "flicker"})
    comparison["cells"].append(cell("animator", math.nan) | {"metric": "flicker"})
    embedded = json.loads(write(comparison, tmp_path).scripts[0])
    assert [each["mean"] for each in embedded["cells"][-2:]] == [None, None]
    assert embedded["cells"][-1]["ci95"] == [None, None]


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
DOUBT = "the interval reaches zero, so this is not a clear gain."
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
            "animator is best at 31.00 dB; there is no difference to bicubic to give.",
        ),
        ([cell("animator", None)], "none", "nothing was measured by PSNR-Y."),
    ],
)
def test_verdict_in_plain_words(comparison: Entry, cells: list[Entry], tone: str, sentence: str) -> None:
    comparison["cells"] = cells
    found = verdict(comparison)
    assert (found.tone, found.sentence.replace("\N{NO-BREAK SPACE}", " ")) == (tone, sentence)


def test_specialists_at_home_are_counted(comparison: Entry) -> None:
    assert at_home(lookup(comparison)) == "Specialists win at home in 1 of 1 suite."
    comparison["candidates"][1]["content"] = None
    assert at_home(lookup(comparison)) == ""


@pytest.mark.parametrize(
    ("picture", "problem"),
    [("gone.png", "cannot read"), ("text.png", "not a PNG"), ("../gone.png", "cannot read")],
)
def test_unusable_pictures_are_named(comparison: Entry, tmp_path: Path, picture: str, problem: str) -> None:
    (tmp_path / "text.png").write_text("hello")
    comparison["pictures"][0]["lr"] = picture
    with pytest.raises(UserError, match=problem) as raised:
        write(comparison, tmp_path)
    assert picture in str(raised.value)
    assert not (tmp_path / "report.html").exists()


def test_another_schema_is_refused(comparison: Entry, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="schema 2 where 1 is read"):
        write(comparison | {"schema": 2}, tmp_path)


def test_a_failed_write_leaves_the_old_report_and_no_litter(
    comparison: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "report.html"
    write_report(comparison, tmp_path, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(page.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(comparison | {"title": "Newer"}, tmp_path, path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_names_that_are_not_unicode_do_not_cost_the_report(comparison: Entry, tmp_path: Path) -> None:
    comparison["notes"] = ["clip caf\udce9.mp4"]
    write(comparison, tmp_path)
    assert "clip caf?.mp4" in (tmp_path / "report.html").read_text("utf-8")
