"""A real Chromium, and a comparison to show in it: invented numbers over pictures drawn for the purpose."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from tests.browser.painting import FRAMES, Entry, chance, paint, quality
from vsr_lab.core.records.comparison import Comparison
from vsr_lab.reporting import write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install .[dev]")

NO_BROWSER = "no Chromium on the PATH: the report's browser tests did not run (apt install chromium)"
METRICS: list[tuple[Any, ...]] = [
    # name, label, unit, better, digits, a good value, what losing all sharpness costs, what noise costs
    ("psnr", "PSNR-Y", "dB", "higher", 2, 36.0, -6.0, -2.0),
    ("ssim", "SSIM-Y", "", "higher", 4, 0.975, -0.08, -0.02),
    ("lpips", "LPIPS", "", "lower", 4, 0.05, 0.21, -0.03),
    ("st_lpips", "ST-LPIPS", "", "lower", 4, 0.04, 0.18, -0.03),
    ("tof", "tOF", "px", "lower", 3, 0.12, 0.3, 0.25),
    ("tlp", "tLP", "×100", "lower", 2, 0.4, 0.5, 1.8),
    ("warp_error", "Warp error", "levels", "lower", 2, 2.1, -0.5, 2.5),
    ("flicker", "Flicker", "levels", "lower", 2, 0.9, 0.2, 2.6),
    ("lr_consistency", "LR consistency", "dB", "higher", 1, 52.0, -3.0, -9.0),
]
BICUBIC: Entry = {"name": "bicubic", "parameters": 0, "ms_per_frame": 1.2, "content": None}
PROTOCOL: Entry = {
    "name": "content-x2-bi-y",
    "fingerprint": "1a2b3c4d",
    "scale": 2,
    "description": "Every candidate enlarges the same clips twofold and is judged on luma.",
}
NOTES = [
    "Intervals: 2000 bootstrap resamples of whole clips, seed 0.",
    "st_lpips: weights under CC BY-NC-SA, for non-commercial use only.",
]


def chromium() -> str | None:
    """The first Chromium on the PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say it where it is seen: a skip's own reason is not printed unless asked for."""
    if chromium() is None:
        terminalreporter.write_line(f"WARNING: {NO_BROWSER}", yellow=True, bold=True)


def measure(candidate: Entry, suite: Entry, metric: tuple[Any, ...]) -> float:
    """One invented mean."""
    sharp, noise = quality(candidate, suite)
    *_, good, soft, rough = metric
    luck = 0.05 * (chance(suite["name"] + candidate["name"]) - 0.5)
    return good + (1 - sharp) * soft + noise * rough + abs(soft) * luck


def cell(candidate: Entry, suite: Entry, metric: tuple[Any, ...]) -> Entry:
    """One invented cell."""
    mean = measure(candidate, suite, metric)
    gap = mean - measure(BICUBIC, suite, metric)
    half = 0.06 * abs(metric[-2]) + 0.02 * abs(metric[-1])
    return {
        "candidate": candidate["name"],
        "suite": suite["name"],
        "metric": metric[0],
        "mean": mean,
        "low": mean - 20 * half,  # as of the mean of two clips
        "high": mean + 20 * half,
        "truth": 2.4 if metric[0] == "warp_error" else None,
        "about": "clips",
        "difference": {"mean": gap, "low": gap - half, "high": gap + half, "about": "clips"},
    }


def curves(suite: Entry, clip: str, candidates: list[Entry]) -> list[Entry]:
    """Every candidate's values in a clip: up and down together, and flicker's first frame without one."""
    random = np.random.default_rng(0)
    wave = np.sin(np.arange(FRAMES) / 5 + 6 * chance(clip)) * 0.4
    found: list[Entry] = []
    for metric in (metric for metric in METRICS if metric[0] in ("psnr", "flicker")):
        for candidate in candidates:
            values = (measure(candidate, suite, metric) + wave + random.normal(0, 0.08, FRAMES)).tolist()
            entry: Entry = {"suite": suite["name"], "clip": clip, "metric": metric[0]}
            first = None if metric[0] == "flicker" else values[0]
            found.append(entry | {"candidate": candidate["name"], "values": [first, *values[1:]]})
    return found


def front(suite: Entry, candidates: list[Entry]) -> list[str]:
    """The candidates that no other beats at both PSNR and flicker."""
    psnr, flicker = METRICS[0], next(metric for metric in METRICS if metric[0] == "flicker")
    at = {c["name"]: (measure(c, suite, psnr), measure(c, suite, flicker)) for c in candidates}
    return [
        name
        for name, (sharp, rough) in at.items()
        if not any(other_sharp > sharp and other_rough < rough for other_sharp, other_rough in at.values())
    ]


def comparison(root: Path, contents: list[str], rivals: list[str], clips: int = 1) -> Entry:
    """A whole comparison with a specialist per content and some rivals, its pictures written under root."""
    suites: list[Entry] = [
        {
            "name": name,
            "content": name,
            "clips": [f"{name}_{n}" for n in range(clips)],
            "frames": FRAMES * clips,
        }
        for name in contents
    ]
    specialists = [
        {"name": f"{name}-specialist", "parameters": 103_000, "ms_per_frame": 20.1 + n, "content": name}
        for n, name in enumerate(contents)
    ]
    others = [
        {"name": name, "parameters": 1_240_000 * (n + 1), "ms_per_frame": 48.0 + 9 * n, "content": None}
        for n, name in enumerate(rivals)
    ]
    candidates: list[Entry] = [BICUBIC, *specialists, *others]
    shown = [(suite, clip) for suite in suites for clip in suite["clips"]]
    painted = [paint(root, suite, suite["clips"][0], candidates, seed) for seed, suite in enumerate(suites)]
    cells = [cell(one, suite, metric) for one in candidates for suite in suites for metric in METRICS]
    return {
        "title": "Cross-content comparison",
        "baseline": "bicubic",
        "protocol": PROTOCOL,
        "suites": suites,
        "candidates": candidates,
        "metrics": [
            dict(zip(("name", "label", "unit", "better", "digits"), metric, strict=False))
            | {"note": f"About {metric[1]}."}
            for metric in METRICS
        ],
        "cells": [c for c in cells if (c["candidate"], c["metric"]) != ("bicubic", "st_lpips")],
        "pairs": [],
        "clip_means": [],
        "selection": None,
        "origins": [],
        "front": {"psnr": 1, "flicker": -1},
        "pareto": {suite["name"]: front(suite, candidates) for suite in suites},
        "curves": [curve for suite, clip in shown for curve in curves(suite, clip, candidates)],
        "pictures": [clip for clip, _ in painted],
        "worst": [place for _, places in painted for place in places],
        "notes": NOTES,
    }


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a comparison with three suites, five candidates and two clips per suite."""
    root = tmp_path_factory.mktemp("report")
    path = root / "report.html"
    shown = comparison(root, ["animation", "screen", "nature"], ["general-gan"], clips=2)
    write_report(Comparison.model_validate(shown), root, path)
    return path


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A report whose specialist and content are named to break out of the page, and that name."""
    root = tmp_path_factory.mktemp("hostile")
    name = "</script><script>alert(1)</script><img src=https://example.org/x onerror=alert(2)>%{x}&lt;"
    bad = comparison(root, [name], [])
    write_report(Comparison.model_validate(bad), root, root / "report.html")
    return root / "report.html", f"{name}-specialist"


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of one suite with SSIM alone: no pictures, no curves, no PSNR to set against flicker."""
    root = tmp_path_factory.mktemp("bare")
    whole = comparison(root, ["animation"], [])
    metrics = [metric for metric in whole["metrics"] if metric["name"] == "ssim"]
    whole |= {"metrics": metrics, "curves": [], "pictures": [], "worst": [], "front": {}, "pareto": {}}
    write_report(Comparison.model_validate(whole), root, root / "report.html")
    return root / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for all tests here, and closed before others are timed beside it."""
    found = chromium()
    if found is None:
        pytest.skip(NO_BROWSER)
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page with the report in it, and whatever it asked of the network or complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self.refuse)
        page.on("request", lambda request: self.requests.append(request.url))

    def refuse(self, dialog: Dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()


Open = Callable[..., Opened]


@pytest.fixture(scope="module")
def open_report(browser: Browser) -> Open:
    """Open a report at a width and in a colour scheme; closed with the browser."""

    def open_(path: Path, width: int = 1280, scheme: Literal["light", "dark"] = "light") -> Opened:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened = Opened(page)
        opened.page.goto(path.as_uri())
        return opened

    return open_


@pytest.fixture
def open_address(browser: Browser) -> Iterator[Callable[[str], Opened]]:
    """Open a served page, which is closed after the test, before its server."""
    page = browser.new_page()

    def open_(address: str) -> Opened:
        opened = Opened(page)
        page.goto(address)
        return opened

    yield open_
    page.close()


@pytest.fixture(scope="module")
def page(open_report: Open, report: Path) -> Page:
    """One open report for the tests that keep to a section of their own: opening costs most of a test."""
    return open_report(report).page
