"""Rendered screen footage: repeatable, different by seed, moving, full of text, the same at every zoom."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from importlib.machinery import ModuleSpec
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vsr_lab.core.errors import UserError
from vsr_lab.synthesis.drawing.fonts import Font, covers, file_of, find_fonts, stamp
from vsr_lab.synthesis.drawing.scripts import LATIN, SCRIPTS, letters
from vsr_lab.synthesis.drawing.style import SHELLS, draw_style
from vsr_lab.synthesis.drawing.text import paragraph
from vsr_lab.synthesis.screen import render_screen
from vsr_lab.synthesis.screen.desktop import Desktop
from vsr_lab.synthesis.views.cells import cut, fold, look
from vsr_lab.synthesis.views.code import LANGUAGES, program, tokens
from vsr_lab.synthesis.views.outputs import command
from vsr_lab.synthesis.views.sessions import Monitor, Pager, Session, Shell, Vi
from vsr_lab.synthesis.views.slides import Slides
from vsr_lab.synthesis.views.terminal import Terminal

Frames = NDArray[np.uint8]
SEEDS = range(4)
SECOND = 25
_MONO = [
    f"fontpkg_{name}"
    for name in ["jetbrains_mono", "ibm_plex_mono", "source_code_pro", "fira_code", "roboto_mono", "inconsolata"]
]


@lru_cache(maxsize=32)
def _clip(seed: int, frames: int = 2 * SECOND, height: int = 180, width: int = 320, zoom: float = 1.0) -> Frames:
    return np.stack(list(render_screen(seed, frames, height=height, width=width, zoom=zoom)))


def _halved(clip: Frames) -> NDArray[np.float32]:
    """Every 2x2 pixels averaged."""
    corners = [clip[:, row::2, column::2].astype(np.float32) for row in (0, 1) for column in (0, 1)]
    return sum(corners[1:], corners[0]) / np.float32(4)


def _gap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).mean())


def _hide(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    find = importlib.util.find_spec

    def find_some(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in missing else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_some)


def test_frames_are_rgb_bytes_of_the_size_asked_for() -> None:
    clip = _clip(3, frames=4, height=181, width=323)
    assert clip.shape == (4, 181, 323, 3)
    assert clip.dtype == np.uint8
    assert list(render_screen(3, 0, height=180, width=320)) == []


def test_equal_arguments_give_equal_bytes() -> None:
    assert all(map(np.array_equal, render_screen(1, 2 * SECOND, height=180, width=320), _clip(1)))


def test_a_longer_clip_begins_like_a_shorter_one() -> None:
    assert np.array_equal(_clip(2)[:15], _clip(2, frames=15))


def test_seeds_differ() -> None:
    first = [_clip(seed)[0].astype(np.float32) for seed in SEEDS]
    assert min(_gap(one, other) for one, other in combinations(first, 2)) > 8


@pytest.mark.parametrize("seed", SEEDS)
def test_most_frames_move_and_no_two_seconds_are_still(seed: int) -> None:
    clip = render_screen(seed, 6 * SECOND + 1, height=360, width=640)
    moved = np.array([not np.array_equal(before, after) for before, after in pairwise(clip)])
    assert moved.mean() >= 0.75  # measured over 24 seeds: 0.83 and more
    assert all(one.any() or after.any() for one, after in pairwise(np.split(moved, 6)))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_moves_is_more_than_a_cursor(seed: int) -> None:
    clip = _clip(seed, frames=4 * SECOND)
    assert (clip[::5] != clip[0]).any((0, 3)).mean() > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_zoom_two_is_the_same_scene_with_more_detail(seed: int) -> None:
    small, large = _clip(seed)[::7].astype(np.float32), _clip(seed, height=360, width=640, zoom=2.0)[::7]
    halved = _halved(large)
    apart = max(map(_gap, halved, small))
    assert apart < 7  # measured over 24 seeds: up to 4.2, from other hinting; different seeds are 27 and more apart
    assert _gap(halved[0], _clip((seed + 1) % len(SEEDS))[0].astype(np.float32)) > 3 * apart
    assert _gap(halved.repeat(2, 1).repeat(2, 2), large.astype(np.float32)) > 0.3  # that zoom 1 has not
    for here, there in zip(small.mean(3), halved.mean(3), strict=True):
        gaps = {(y, x): _gap(np.roll(there, (y, x), (0, 1)), here) for y in (-1, 0, 1) for x in (-1, 0, 1)}
        assert min(gaps, key=lambda shift: gaps[shift]) == (0, 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_frame_shows_text_and_colour(seed: int) -> None:
    clip = _clip(seed)
    edges = np.abs(np.diff(clip[..., 1].astype(np.int16), axis=2)) > 30
    assert edges.mean((1, 2)).min() > 0.02  # measured over 24 seeds: 0.028 and more
    assert (np.ptp(clip[::10], axis=3) > 60).mean((1, 2)).min() > 0.005


def test_tokens_keep_the_text() -> None:
    rng = np.random.default_rng(0)
    for language in LANGUAGES:
        for row in program(rng, language, 80):
            assert "".join(text for text, _ in tokens(row)) == row


def test_prose_is_written_in_several_scripts_by_fonts_that_have_the_letters() -> None:
    fonts, seen = find_fonts(), set()
    for seed in range(60):
        style = draw_style(np.random.default_rng([seed, 0]), fonts, 1.0)
        seen.add(style.script)
        assert covers(style.prose, letters(style.script))
        assert covers(style.sans, letters(style.script))
    assert seen == set(SCRIPTS)
    assert not covers(fonts.mono[-1], letters("cyrillic"))  # a typewriter face without them: covers can say no


@pytest.mark.parametrize("script", [script for script in SCRIPTS if script != LATIN])
def test_a_paragraph_of_another_script_needs_no_other_letters(script: str) -> None:
    said = paragraph(np.random.default_rng(0), script=script)
    assert set(said.lower()) - set(letters(script)) <= set(" .!?")


def test_every_face_is_a_file_with_its_weight() -> None:
    fonts = find_fonts()
    faces = {face for family in (*fonts.mono, *fonts.sans, *fonts.serif) for face in vars(family).values()}
    assert all(Path(file_of(face)).is_file() for face in faces)
    for family in fonts.mono[:-1]:  # the typewriter has one weight
        assert _ink(family.regular) < _ink(family.bold)


def _ink(face: str) -> int:
    canvas = Image.new("RGB", (60, 30))
    stamp(canvas, 2, 22, text="Rg8", font=Font(face, 16, soft=True), zoom=1.0, colour=(255, 255, 255))
    return int(np.array(canvas).sum())


def _slides(zoom: float = 1.0) -> Slides:
    look = np.random.default_rng([3, 0])
    return Slides(draw_style(look, find_fonts(), zoom), look, width=480, height=270)


def test_slides_build_up_point_by_point_and_stand_still_between() -> None:
    view, seen = _slides(), []
    for _ in range(12):
        view.advance()
        for _ in range(12):
            view.tick()
        seen.append(view.paint().tobytes())
        view.tick()
        assert view.paint().tobytes() == seen[-1]
    assert len(set(seen)) == 12


def test_slides_show_the_same_at_every_zoom() -> None:
    small, large = np.array(_slides().paint(), np.float32), np.array(_slides(2.0).paint())
    halved = _halved(large[None])[0]
    assert _gap(halved, small) < 7


def _terminal(seed: int, zoom: float = 1.0) -> tuple[Terminal, np.random.Generator]:
    look = np.random.default_rng([seed, 0])
    return Terminal(draw_style(look, find_fonts(), zoom), look, width=400, height=240), np.random.default_rng(seed)


def test_every_command_prints_lines_in_known_colours() -> None:
    rng, tints = np.random.default_rng(0), set[str]()
    for _ in range(120):
        typed, lines = command(rng)
        assert typed
        assert lines
        assert "{" not in typed
        tints |= {tint for line in lines for _, tint in line}
    for tint in tints:  # look() must understand all of them
        manner = look(tint)
        assert {manner.fore, manner.ground or "fg"} <= {*SHELLS[0].tint, "back", "select", "line"}
    assert any(look(tint).ground for tint in tints)
    assert any(look(tint).italic for tint in tints)


@pytest.mark.parametrize("kind", [Shell, Vi, Monitor, Pager])
def test_a_session_shows_no_more_than_its_room_and_changes_when_used(kind: type[Session]) -> None:
    rng = np.random.default_rng(1)
    session = kind(rng)
    seen = set[str]()
    for high, columns in ((24, 80), (7, 31), (1, 5)):
        for _ in session.work(rng):
            session.tick()
            rows, caret = session.rows(high, columns)
            assert len(rows) <= high
            assert caret is None or caret[0] < high
            seen.add(str((rows, caret)))
    assert len(seen) > 30


def test_a_terminal_shows_the_tab_that_was_chosen() -> None:
    view, _ = next(one for one in map(_terminal, range(20)) if one[0].tabs > 1)
    before, title = view.paint().tobytes(), view.title
    view.switch(1)
    assert view.paint().tobytes() != before
    assert view.title != title


def test_folding_and_cutting_keep_to_the_width() -> None:
    line = [("abc", "red"), ("defgh", "bold green on line")]
    assert fold(line, 3) == [[("abc", "red")], [("def", line[1][1])], [("gh", line[1][1])]]
    assert cut(line, 4) == [("abc", "red"), ("d", line[1][1]), ("", "fg")]
    assert cut([("ab", "fg")], 4, "cyan") == [("ab", "fg"), ("  ", "fg on cyan")]


def test_only_the_views_asked_for_are_shown() -> None:
    for seed in range(6):
        look = np.random.default_rng(seed)
        desk = Desktop(draw_style(look, find_fonts(), 1.0), look, width=480, height=270, views=("terminal",))
        assert {type(window.view) for window in desk.windows} == {Terminal}
    with pytest.raises(UserError, match="choose from editor, page, terminal, sheet, slides"):
        render_screen(0, 1, height=180, width=320, views=["terminals"])


def test_without_fonts_the_user_is_told_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "matplotlib", "font_roboto", *_MONO)
    with pytest.raises(UserError, match=r"needs fonts that are not installed.*pip install 'vsr-lab\[demo\]'"):
        render_screen(0, 1, height=180, width=320)


def test_one_package_without_a_monospaced_font_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "matplotlib", *_MONO)
    with pytest.raises(UserError, match="fonts that are not installed"):
        render_screen(0, 1, height=180, width=320)


def test_one_package_with_a_monospaced_font_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "font_roboto", *_MONO)
    assert all(frame.any() for seed in SEEDS for frame in render_screen(seed, 2, height=180, width=320))


def test_a_screen_too_small_for_a_window_is_refused() -> None:
    with pytest.raises(UserError, match="has a side of less than"):
        render_screen(0, 1, height=90, width=320, zoom=2.0)
    assert _clip(0, frames=30, height=64, width=64).shape == (30, 64, 64, 3)
