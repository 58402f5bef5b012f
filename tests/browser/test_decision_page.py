"""The decision in a real browser: what ships, why, and by which numbers, read and opened by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.reporting.test_decision import decide

pytestmark = pytest.mark.timeout(120)
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two contents of three clips; for animation drawn ships and twin is equal, for screens typed ships."""
    root = tmp_path_factory.mktemp("decided")
    decide(root, ["a", "b", "c"], drawn=2.0, twin=1.99, typed=-1.0)
    return root / "compare" / "report.html"


@pytest.fixture(scope="module")
def opened(open_report: Open, decided: Path) -> Any:
    return open_report(decided)


def test_the_page_begins_with_what_ships_for_each_content(opened: Any, decided: Path) -> None:
    page = opened.page
    rows = page.locator("table.ships tbody tr")
    assert [row.split("\t")[:2] for row in rows.all_inner_texts()] == [
        ["animation", "drawn"],
        ["screen_capture", "typed"],
    ]
    box = page.locator("table.ships").bounding_box()
    assert box["y"] + box["height"] < 900, "without scrolling"
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [decided.as_uri()]


def test_the_reasons_are_given(opened: Any) -> None:
    article = opened.page.locator("article.decision").first
    text = article.inner_text()
    assert article.locator("h3").inner_text().startswith("drawn ships for animation")
    for reason in (
        "2 of 2 gates are passed",
        "better on 3 of 3 clips",
        "Tied with it: twin",
        "Stability: leaving out one clip, the choice is the same in",
        "typed: refused by psnr",
        "By typed, which ships for screen_capture: a clear loss: PSNR",
    ):
        assert reason in text.replace("\n", " "), reason


def test_every_gate_has_its_number_and_bound(opened: Any) -> None:
    opened.page.locator("article.decision summary").first.focus()
    opened.page.keyboard.press("Enter")
    gates = opened.page.locator("table.gates").first
    cells = gates.locator("tbody td").all_inner_texts()
    assert gates.locator("thead th").all_inner_texts()[1].startswith("drawn")
    assert [cell.split()[1] for cell in cells[:5]] == ["pass", "pass", "fail", "pass", "pass"]
    assert all("bound" in cell or "not tested" in cell for cell in cells)


def test_gates_are_opened_by_the_keyboard_alone(opened: Any) -> None:
    page = opened.page
    second = page.locator("article.decision details").nth(1)
    assert not second.evaluate("element => element.open")
    page.locator("article.decision summary").first.focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if second.locator("summary").evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    assert second.locator("table.gates").is_visible()


def test_clips_show_their_gains_and_the_cost_its_table(opened: Any) -> None:
    page = opened.page
    clips = page.locator("#clips [data-panel]:visible")
    assert clips.locator("tbody tr").first.locator(".gain").count() == 3, "all but the baseline"
    assert "3 of 6" in clips.locator("tfoot").inner_text()
    assert page.locator("#cost svg circle.ships").count() == 2
    page.locator("#cost summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#cost table tbody tr").count() == 8
    assert opened.complaints == []
