"""The clip browser by the keyboard alone: frames, wipes, maps, lossless crops and time slices."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.waiting import wait_for
from vsr_lab.video import read_video

pytestmark = pytest.mark.timeout(120)
Open = Callable[..., Any]


@pytest.fixture
def browsing(open_report: Open, report: Path) -> Any:
    """The page with the focus on the stage, at which Tab arrives after the pickers."""
    page = open_report(report).page
    page.locator("#place").focus()
    for _ in range(6):
        if page.evaluate("document.activeElement.id") == "stage":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "stage"
    wait_for(page, "video.readyState >= 2")
    return page


def caption(page: Any) -> str:
    return page.locator("#stage-caption").inner_text()


def pixels(page: Any, canvas: str = "#stage") -> np.ndarray:
    """What a canvas shows, (H, W, 3)."""
    uri = page.evaluate(f"find({canvas!r}).toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


def press(page: Any, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def settle(page: Any) -> None:
    """Wait until the video shows the frame that was asked for, and pictures are loaded."""
    wait_for(page, "!video.seeking && [...loaded.values()].every((image) => image.complete)")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")  # it is drawn


def test_frames_are_stepped_and_played(browsing: Any) -> None:
    assert "Frame 0 of 0–15, lossy video" in caption(browsing)
    settle(browsing)
    first = pixels(browsing)
    browsing.keyboard.press("ArrowRight")
    browsing.keyboard.press("ArrowRight")
    settle(browsing)
    assert "Frame 2 of 0–15" in caption(browsing)
    assert np.abs(pixels(browsing).astype(int) - first).mean() > 3, "the footage pans"
    browsing.keyboard.press("End")
    assert "Frame 15" in caption(browsing)
    browsing.keyboard.press("ArrowRight")
    assert "Frame 15" in caption(browsing)
    browsing.keyboard.press("Home")
    browsing.keyboard.press("Space")
    wait_for(browsing, "state.frame > 3")
    browsing.keyboard.press("Space")
    assert browsing.evaluate("video.paused")


def test_views_are_wiped_flipped_and_subtracted(browsing: Any) -> None:
    settle(browsing)
    assert caption(browsing).startswith("bicubic left, animation-specialist right")
    press(browsing, "a")
    assert caption(browsing).startswith("animation-specialist left")
    press(browsing, "d")
    assert pixels(browsing).max() == 0, "of a view and itself"
    press(browsing, "b")
    settle(browsing)
    assert pixels(browsing).max() > 50
    press(browsing, "w")
    whole = pixels(browsing)
    press(browsing, "[" * 10)
    assert browsing.evaluate("state.wipe") == pytest.approx(0, abs=1e-9)
    right = pixels(browsing)
    width = right.shape[1]
    assert np.array_equal(whole[:, width // 2 + 4 :], right[:, width // 2 + 4 :])
    assert not np.array_equal(whole[:, : width // 2 - 4], right[:, : width // 2 - 4])
    press(browsing, "f")
    left = pixels(browsing)
    press(browsing, "f")
    flipped = pixels(browsing)
    assert not np.array_equal(left, flipped)
    assert np.array_equal(flipped[:, 4:], right[:, 4:])
    press(browsing, "s")
    assert "flip to" in caption(browsing)


def test_crops_are_lossless_and_zoomed_together(browsing: Any, report: Path) -> None:
    titles = browsing.locator("#place option").all_inner_texts()
    assert sum("whole frame: worst frame of" in title for title in titles) >= 1
    assert any(title.startswith("most flicker of general-gan") for title in titles)
    while not browsing.locator("#place").input_value().startswith("0 "):
        press(browsing, "p")
    settle(browsing)
    assert "lossless crop" in caption(browsing)
    crop = browsing.evaluate("(({ x, y, width, frame }) => [x, y, width, frame])(state.media.crops[0])")
    x, y, side, frame = crop
    truth = read_video(report.parent / "clip-0" / "hr.mkv").eight_bit()[frame, y : y + side, x : x + side]
    shown = pixels(browsing, "#loupe canvas[data-view='1']")
    by = len(shown) // side
    assert np.array_equal(shown[by // 2 :: by, by // 2 :: by], truth)
    press(browsing, "++")
    assert browsing.locator("#zoom").input_value() == "3"
    before = [pixels(browsing, f"#loupe canvas[data-view='{view}']") for view in (1, 2)]
    press(browsing, "l")
    after = [pixels(browsing, f"#loupe canvas[data-view='{view}']") for view in (1, 2)]
    assert not any(np.array_equal(*pair) for pair in zip(before, after, strict=True))


def test_a_worst_tile_outside_the_video_is_opened_from_its_table(open_report: Open, report: Path) -> None:
    page = open_report(report).page
    link = page.locator("#worst a:visible").first
    assert "tile of" in link.get_attribute("data-place")
    link.focus()
    page.keyboard.press("Enter")
    settle(page)
    assert page.evaluate("document.activeElement.id") == "stage"
    assert "Frame 20, outside the video (0–15), lossless crop" in caption(page)
    crop = page.evaluate("(({ x, y, frame }) => [x, y, frame])(state.media.crops[state.crop])")
    assert crop[2] == 20
    view = page.evaluate("state.right")
    shown = pixels(page, f"#loupe canvas[data-view='{view}']")
    by = len(shown) // 128  # the crop is as high as the frame
    y, x = (64 - crop[1] + 8) * by, (32 - crop[0] + 8) * by
    assert (shown[y, x] == 0).all(), "the black tile"
    bicubic = pixels(page, "#loupe canvas[data-view='2']")
    assert (bicubic[y, x] > 0).any()
    while "whole frame" not in page.locator("#place option:checked").inner_text():
        press(page, "p")
    frame = page.evaluate("state.frame")
    assert "lossy picture" in caption(page)
    settle(page)
    assert pixels(page).max() > 50
    assert f"frame {frame}, lossless" in page.locator("#loupe-caption").inner_text()


def test_maps_show_where_a_candidate_is_worse(browsing: Any) -> None:
    settle(browsing)
    press(browsing, "e")
    assert "error of animation-specialist, mean of these frames; white is" in caption(browsing)
    shown = pixels(browsing)
    press(browsing, "k")
    assert "flicker of animation-specialist" in caption(browsing)
    assert not np.array_equal(shown, pixels(browsing))


def test_time_slices_of_a_chosen_row(browsing: Any, report: Path) -> None:
    settle(browsing)
    press(browsing, "R")
    row = browsing.evaluate("state.media.rows[state.row]")
    assert browsing.locator("#row-caption").inner_text() == f"row {row}"
    shown = pixels(browsing, "#slice-list canvas")
    truth = read_video(report.parent / "clip-0" / "hr.mkv").eight_bit()[:, row]
    by = shown.shape[1] // truth.shape[1], shown.shape[0] // truth.shape[0]
    assert np.array_equal(shown[by[1] // 2 :: by[1], by[0] // 2 :: by[0]], truth)


def test_keys_are_listed_and_act_in_the_browser_only(browsing: Any) -> None:
    press(browsing, "?")
    assert browsing.locator("#keys").is_visible()
    assert browsing.locator("#keys kbd").count() >= 20
    browsing.keyboard.press("Escape")
    assert not browsing.locator("#keys").is_visible()
    press(browsing, "c")
    assert browsing.locator("#clip option:checked").inner_text() == "screen / screen_0"
    assert browsing.evaluate("document.activeElement.id") == "stage"
    browsing.locator(".skip").focus()
    press(browsing, "c")
    assert browsing.locator("#clip option:checked").inner_text() == "screen / screen_0"


def test_everything_that_can_be_used_has_a_name(browsing: Any) -> None:
    nameless = browsing.evaluate("""[...document.querySelectorAll("button, select, input, canvas, dialog, [tabindex]")]
        .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby")
            || e.textContent.trim() || e.querySelector("canvas[aria-label]"))).map((e) => e.outerHTML)""")
    assert nameless == []


def test_the_page_is_small_enough_to_send(report: Path) -> None:
    assert report.stat().st_size <= 25_000_000
