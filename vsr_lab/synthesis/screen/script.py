"""Actions of the user at the desktop: an endless random sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from vsr_lab.synthesis.drawing.style import pick
from vsr_lab.synthesis.screen.desktop import Desktop, Window
from vsr_lab.synthesis.screen.popups import Dialog, Menu, Popup, Toast
from vsr_lab.synthesis.views.editor import Editor
from vsr_lab.synthesis.views.page import Page
from vsr_lab.synthesis.views.sheet import Sheet
from vsr_lab.synthesis.views.slides import Slides
from vsr_lab.synthesis.views.terminal import Terminal

Action = Iterator[None]  # one item a frame
_SPEEDS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0)


class Script:
    """Generates actions of a user. An action is an iterator: each step changes the desktop a little, for one frame."""

    def __init__(self, desk: Desktop, rng: np.random.Generator) -> None:
        self._desk, self._rng = desk, rng

    def _whole(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high))

    def _real(self, low: float, high: float) -> float:
        return float(self._rng.uniform(low, high))

    def play(self) -> Action:
        """Play all actions in random order, again and again, with occasional pauses."""
        deck: list[Callable[[], Action]] = []
        while True:
            if not deck:
                actions = self._actions()
                deck = [actions[int(index)] for index in self._rng.permutation(len(actions))]
            yield from deck.pop()()
            if self._rng.random() < 0.3:
                yield from self._wait(self._whole(3, 8))

    def _actions(self) -> list[Callable[[], Action]]:
        actions: list[Callable[[], Action]] = []
        if self._desk.width >= 280 and self._desk.height >= 160:  # smaller ones would be covered
            actions += [self._menu, self._dialog, self._notify]
        for window in self._desk.windows:
            view = window.view
            if isinstance(view, Editor):
                actions += [partial(self._write, window, view)] * 2 + [partial(self._mark, window, view)]
            if isinstance(view, Page):
                actions += [partial(self._follow, window, view), partial(self._highlight, window, view)]
            if isinstance(view, Terminal):
                actions += [partial(self._command, window, view)] * 2
            if isinstance(view, Sheet):
                actions += [partial(self._enter, window, view)] * 2
            if isinstance(view, Slides):
                actions += [partial(self._present, window, view)] * 2
            if isinstance(view, Editor | Page | Sheet):
                actions += [partial(self._scroll, window, view)] * 2
            if window.loose:
                actions += [partial(self._drag, window)]
        return actions

    def _wait(self, frames: int) -> Action:
        for _ in range(frames):
            yield

    def _travel(self, x: float, y: float, beam: bool = False) -> Action:
        """Move the cursor on a slightly bent path, slow at both ends."""
        (fromx, fromy), away = self._desk.cursor, self._real(-0.15, 0.15)
        length = abs(x - fromx) + abs(y - fromy)
        frames = int(min(24, 5 + length / 22 + self._whole(0, 4)))
        for step in range(1, frames + 1):
            t = step / frames
            t = t * t * (3 - 2 * t)
            bend = away * 4 * t * (1 - t)
            dx, dy = x - fromx, y - fromy
            self._point(fromx + dx * t + dy * bend, fromy + dy * t - dx * bend)
            yield
        self._desk.beam = beam

    def _point(self, x: float, y: float) -> None:
        self._desk.cursor = (
            int(min(max(0.0, x), self._desk.width - 2.0)),
            int(min(max(0.0, y), self._desk.height - 2.0)),
        )

    def _front(self, window: Window) -> Action:
        """Bring a window to the front by a click on its title bar."""
        desk = self._desk
        desk.beam = False
        if window is not desk.windows[-1]:
            x = window.x + window.width * self._real(0.3, 0.7)
            yield from self._travel(x, window.y + window.bar / 2)
            desk.windows.remove(window)
            desk.windows.append(window)
            yield from self._wait(2)

    def _write(self, window: Window, view: Editor) -> Action:
        yield from self._front(window)
        text = view.draft()
        click = view.place(view.caret[0], view.caret[1] + self._whole(4, 18))
        yield from self._travel(*window.inside(*click), beam=True)
        at = 0
        for _ in range(self._whole(35, 80)):
            keys = int(self._rng.random() < 0.85) + int(self._rng.random() < 0.2)
            for char in text[at : at + keys]:
                view.type(char)
            at += keys
            while at < len(text) and view.caret[1] == 0 and text[at] == " ":
                indent = len(text[at:]) - len(text[at:].lstrip(" "))
                for char in text[at : at + indent]:
                    view.type(char)
                at += indent
            yield
            if at >= len(text):
                break
        view.offers, view.left_over = [], text[at:]

    def _mark(self, window: Window, view: Editor) -> Action:
        """Drag a selection over a few rows."""
        yield from self._front(window)
        first, count = view.visible_rows()
        start = first + self._whole(0, max(1, count // 2))
        yield from self._travel(*window.inside(*view.place(start, 2)), beam=True)
        x, y = self._desk.cursor
        for step in range(1, self._whole(12, 30)):
            self._point(x + step * 2, y + step * view.row_height * 0.22)
            view.selected = (start, start + 1 + int(step * 0.22 + 0.5))
            view.caret, view.left_over = (min(view.selected[1], len(view.rows)) - 1, 0), ""
            yield
        yield from self._wait(5)
        view.selected = (0, 0)

    def _highlight(self, window: Window, view: Page) -> Action:
        """Drag a selection over lines of an article."""
        yield from self._front(window)
        shown = view.shown(view.article.lines)
        if len(shown) < 3:
            yield from self._scroll(window, view)
            return
        start = pick(self._rng, shown[: len(shown) // 2 + 1])
        for line in range(start, min(start + self._whole(2, 6), shown[-1])):
            x, y, wide, tall = view.article.lines[line]
            x += wide * self._real(0.2, 0.9)
            yield from self._travel(*window.inside(x, view.area[1] + y + tall / 2 - view.top), beam=True)
            view.selected = (start, line + 1)
        yield from self._wait(6)
        view.selected = (0, 0)

    def _follow(self, window: Window, view: Page) -> Action:
        """Click a link, which opens another article."""
        yield from self._front(window)
        shown = view.shown(view.article.links)
        if shown:
            x, y, wide, tall = view.article.links[pick(self._rng, shown)]
            yield from self._travel(*window.inside(x + wide / 2, view.area[1] + y + tall / 2 - view.top))
        else:
            yield from self._travel(*window.inside(30, view.area[1] - 15))
        view.open()
        yield from self._wait(8)
        yield from self._scroll(window, view)

    def _scroll(self, window: Window, view: Editor | Page | Sheet) -> Action:
        yield from self._front(window)
        left, top, wide, tall = view.area
        share = self._rng.uniform(0.3, 0.7, 2)
        yield from self._travel(*window.inside(left + wide * float(share[0]), top + tall * float(share[1])))
        sign = -1 if view.top > view.reach() * self._real(0.4, 0.9) else 1
        for place in self._places(view.top, sign):
            before = view.top
            view.scroll_to(place)
            if view.top == before:
                break
            yield
        view.scroll_to(float(int(view.top)))

    def _places(self, top: float, sign: int) -> Iterator[float]:
        """Yield scroll positions frame by frame; consecutive positions are different."""
        way = self._whole(0, 3)
        if way == 0:  # a wheel: notches, each eased
            for _ in range(self._whole(3, 7)):
                notch = self._whole(40, 110)
                yield from (top + sign * round(notch * (1 - (1 - step / 5) ** 2)) for step in range(1, 6))
                top += sign * notch
        elif way == 1:  # a flick: fast, then ever slower
            speed = self._real(12, 32)
            while speed > 0.8:
                yield (top := top + sign * round(speed))
                speed *= 0.92
        else:  # steady; whole and half pixels a frame
            speed = pick(self._rng, _SPEEDS)
            for _ in range(self._whole(25, 55)):
                yield (top := top + sign * speed)

    def _command(self, window: Window, view: Terminal) -> Action:
        """Work in a terminal, possibly after switching to another tab, and move the mouse."""
        yield from self._front(window)
        if view.tabs > 1 and self._rng.random() < 0.5:
            tab = self._whole(0, view.tabs)
            yield from self._travel(*window.inside(*view.tab_place(tab)))
            view.switch(tab)
            yield from self._wait(3)
        yield from view.work(self._rng)
        place = (view.width * self._real(0.4, 0.9), view.height * self._real(0.3, 0.9))
        yield from self._travel(*window.inside(*place))

    def _enter(self, window: Window, view: Sheet) -> Action:
        """Fill a few cells, one below the other."""
        yield from self._front(window)
        row, column = (self._whole(0, 9), self._whole(0, 6))
        view.choose(row, column)
        yield from self._travel(*window.inside(*view.place()))
        for _ in range(self._whole(3, 7)):
            text = f"{self._real(-90, 900):.2f}"
            for length in range(1, len(text) + 1):
                view.type(text[:length])
                yield
            view.down()
            yield

    def _present(self, window: Window, view: Slides) -> Action:
        """Click through points and slides, and point at them."""
        yield from self._front(window)
        for _ in range(self._whole(3, 8)):
            view.advance()
            yield from self._wait(self._whole(3, 9))
            x, y = view.width * self._real(0.4, 0.9), view.height * self._real(0.2, 0.8)
            yield from self._travel(*window.inside(x, y))

    def _drag(self, window: Window) -> Action:
        yield from self._front(window)
        desk, bar = self._desk, window.bar
        yield from self._travel(window.x + window.width * self._real(0.3, 0.7), window.y + bar / 2)
        gripx, gripy = desk.cursor[0] - window.x, desk.cursor[1] - window.y
        left, top, wide, tall = desk.room
        x = left + (wide - window.width) * self._real(-0.2, 1.2) + gripx
        y = top + (tall - window.height) * self._real(0, 1.2) + gripy
        for _ in self._travel(x, y):
            window.x, window.y = desk.cursor[0] - gripx, max(top, desk.cursor[1] - gripy)
            yield

    def _menu(self) -> Action:
        """Open a context menu, move over some items, and choose one."""
        desk = self._desk
        window, menu = desk.windows[-1], Menu(desk.style, self._rng)
        desk.beam = False
        x, y = window.inside(*(self._rng.uniform(0.2, 0.6, 2) * (window.width, window.height - window.bar)))
        yield from self._travel(x, y)
        menu.x = float(min(desk.cursor[0] + 1, max(0, desk.width - menu.width - 4)))
        menu.y = float(min(desk.cursor[1] + 1, max(0, desk.height - menu.height - 4)))
        desk.popups.append(menu)
        yield from self._fade(menu)
        last = self._whole(2, menu.count)
        for row in range(last + 1):
            yield from self._travel(*menu.place(row))
            menu.hovered = row
        yield from self._wait(4)
        desk.popups.remove(menu)

    def _dialog(self) -> Action:
        """Open a dialog and answer it."""
        desk = self._desk
        desk.beam = False
        dialog = Dialog(desk.style, self._rng, width=desk.width, height=desk.height)
        desk.popups.append(dialog)
        yield from self._fade(dialog)
        while 0 <= dialog.progress < 1:
            dialog.progress = min(1.0, dialog.progress + self._real(0.01, 0.06))
            yield
        yield from self._travel(*dialog.place())
        dialog.hovered = True
        yield from self._wait(4)
        desk.popups.remove(dialog)

    def _fade(self, popup: Popup) -> Action:
        for step in range(1, 5):
            popup.opacity = step / 4
            yield

    def _notify(self) -> Action:
        """Show a notification for a while."""
        desk, toast = self._desk, Toast(self._desk.style, self._rng)
        toast.x, toast.y = float(desk.width), float(desk.height - desk.panel - toast.height - 12)
        desk.popups.append(toast)
        yield from self._wait(6)
