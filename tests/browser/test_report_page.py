"""The report in a real browser: it opens from disk alone, and everything that can be worked on it works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(120)
Open = Callable[..., Any]


def shown_metric(page: Any) -> str:
    return page.locator('[data-panel="heat"]:visible').get_attribute("data-metric")


def overflow(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_from_disk_without_complaint_or_network(open_report: Open, report: Path, scheme: str) -> None:
    opened = open_report(report, scheme=scheme)
    opened.page.wait_for_timeout(500)  # after the load event; a paused video keeps the network from being idle
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
    assert opened.page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth)")
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(246, 247, 249)") == (scheme == "light")
    verdicts = opened.page.locator(".verdicts li p").all_inner_texts()
    assert len(verdicts) == 3
    assert verdicts[0].startswith("animation: animation-specialist is best, +")
    assert "over bicubic [" in verdicts[0]


def test_metric_picker_changes_the_table(page: Any) -> None:
    assert shown_metric(page) == "psnr"
    page.get_by_text("Flicker", exact=True).first.click()
    assert shown_metric(page) == "flicker"
    page.keyboard.press("ArrowRight")
    assert shown_metric(page) == "lr_consistency"


def test_headings_sort_best_first_and_then_turn_round(page: Any) -> None:
    table = page.locator("[data-sortable]:visible")

    def column(index: int) -> list[str]:
        return table.locator(f"tbody tr > :nth-child({index})").evaluate_all(
            "cells => cells.map((cell) => cell.dataset.value)"
        )

    psnr = [float(value) for value in column(2)]
    for direction, expected in (("descending", sorted(psnr, reverse=True)), ("ascending", sorted(psnr))):
        table.get_by_role("button", name="PSNR-Y").click()
        assert [float(value) for value in column(2)] == expected
        assert table.locator("thead th").nth(1).get_attribute("aria-sort") == direction
    for _ in range(2):
        table.get_by_role("button", name="ST-LPIPS").click()
        assert column(5)[-1] == "", "what was not measured stays last"
    table.get_by_role("button", name="Candidate").click()
    assert column(1) == sorted(column(1))
    assert table.locator("[aria-sort]").count() == 1


def test_plots_are_drawn_and_follow_the_pickers(page: Any) -> None:
    lines = page.locator("#curve-plot .scatterlayer path.js-line")
    assert lines.count() == 5
    assert page.locator("#tradeoff-plots .drawing").count() == 3
    assert page.locator("#tradeoff-plots .scatterlayer .points path").count() == 15
    before = lines.first.get_attribute("d")
    page.select_option("#curve-metric", "flicker")
    assert lines.first.get_attribute("d") != before
    assert "Flicker" in page.locator("#curve-plot .ytitle").text_content()
    page.select_option("#curve-clip", label="nature / nature_1")
    assert page.locator("#curve-metric").input_value() == "flicker", "the metric is kept"


def test_points_fill_their_panels_however_wide_the_intervals_are(page: Any) -> None:
    """Two clips have intervals of many decibels, which are not drawn either."""
    panels = page.evaluate("""[...document.querySelectorAll("#tradeoff-plots .drawing")].map(({ data, layout }) =>
        ["x", "y"].map((axis) => [layout[axis + "axis"].range, data.map((trace) => trace[axis][0]),
            data.map((trace) => trace["error_" + axis].visible)]))""")
    assert len(panels) == 3
    for (low, high), values, bars in (axis for panel in panels for axis in panel):
        assert low < min(values) <= max(values) < high
        assert high - low < 1.5 * (max(values) - min(values))
        assert bars == [False] * 5


def test_legend_hides_a_candidate_in_every_plot(page: Any) -> None:
    button = page.locator("#curves .legend button", has_text="general-gan")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert page.locator("#tradeoff .legend [aria-pressed=false]").inner_text() == "general-gan"
    assert page.locator("#curve-plot .scatterlayer path.js-line").count() == 4
    assert page.locator("#tradeoff-plots .scatterlayer .points path").count() == 12
    page.locator("#tradeoff .legend button", has_text="general-gan").click()
    assert page.locator("#curve-plot .scatterlayer path.js-line").count() == 5


def test_nothing_is_wider_than_a_phone(open_report: Open, report: Path) -> None:
    page = open_report(report, width=400).page
    assert overflow(page) == 0
    box = page.locator('[data-panel="heat"]:visible .scroll')
    assert box.evaluate("element => element.scrollWidth > element.clientWidth"), "the table scrolls in its box"


def test_hostile_names_stay_text(open_report: Open, hostile: tuple[Path, str]) -> None:
    path, name = hostile
    opened = open_report(path, width=400)
    page = opened.page
    page.locator("#curve-plot .nsewdrag").hover()
    page.locator("#curve-plot .hoverlayer .legendtext, #curve-plot .hoverlayer text").first.wait_for()
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert overflow(page) == 0
    assert page.locator(".heat tbody .name").nth(1).inner_text() == name
    assert name in page.locator("#curve-plot .hoverlayer").text_content()
    assert page.locator("#right-name option:checked").inner_text() == name


def test_sections_with_nothing_to_show_say_so(open_report: Open, bare: Path) -> None:
    opened = open_report(bare)
    assert opened.complaints == []
    assert opened.page.locator("section .empty").count() == 3
    assert shown_metric(opened.page) == "ssim"
