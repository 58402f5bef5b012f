"""Quality over cost: where candidates are drawn, and what is said where their cost is not known."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.unit.reporting.test_decision import decide
from vsr_lab.core.records.comparison import Comparison
from vsr_lab.reporting.cost import CostPanel, cost_panels, cost_rows
from vsr_lab.reporting.lookup import Lookup


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return decide(tmp_path_factory.mktemp("cost"), drawn=2.0, typed=-1.0)[1]


def panels(comparison: Comparison, **costs: tuple[float | None, int | None]) -> list[CostPanel]:
    competitors = [
        candidate.model_copy(update=dict(zip(("ms_per_frame", "parameters"), costs[candidate.name], strict=True)))
        for candidate in comparison.candidates
    ]
    return cost_panels(Lookup(comparison.model_copy(update={"candidates": competitors})))


def test_candidates_are_at_their_cost_and_quality(comparison: Comparison) -> None:
    time, size = panels(comparison, bicubic=(1.0, 0), drawn=(10.0, 1000), typed=(100.0, 100_000))
    assert (time.title, size.title) == ("milliseconds per frame", "parameters")
    points = {point.name: point for point in time.plots[0].points}
    assert points["bicubic"].x < points["drawn"].x < points["typed"].x
    assert points["drawn"].x == pytest.approx((points["bicubic"].x + points["typed"].x) / 2), "logarithmic"
    assert points["drawn"].y < points["bicubic"].y < points["typed"].y, "the best is at the top"
    assert {name: point.role for name, point in points.items()} == {
        "bicubic": "baseline",
        "drawn": "ships",
        "typed": "candidate",
    }
    assert size.plots[0].x_ticks[0].text == "0"
    assert "drawn: 32.0" in time.plots[0].description and "at 10 milliseconds per frame" in time.plots[0].description


def test_a_cost_that_was_not_measured_is_said(comparison: Comparison) -> None:
    time, size = panels(comparison, bicubic=(1.0, 0), drawn=(10.0, None), typed=(None, None))
    assert time.plots[0].missing == ["typed"]
    assert size.plots[0].missing == ["drawn", "typed"]
    nothing = dict.fromkeys(("bicubic", "drawn", "typed"), (None, None))
    assert panels(comparison, **nothing) == []
    rows = cost_rows(Lookup(comparison))
    assert [row.parameters for row in rows] == ["not known"] * 6


def test_labels_do_not_cover_each_other(comparison: Comparison) -> None:
    same = dict.fromkeys(("bicubic", "drawn", "typed"), (5.0, 10))
    labels = [point.label_y for point in panels(comparison, **same)[0].plots[0].points]
    assert all(b - a >= 14 for a, b in itertools.pairwise(labels))


def test_the_page_draws_and_lists_them(tmp_path: Path) -> None:
    decide(tmp_path, drawn=2.0)
    html = (tmp_path / "compare" / "report.html").read_text("utf-8")
    assert html.count('<figure class="plot cost">') == 2, "a suite each; the number of parameters is not known"
    assert 'aria-label="PSNR over milliseconds per frame on animation: ' in html
