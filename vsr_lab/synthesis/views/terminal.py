"""A terminal window with tabs and panes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, mix
from vsr_lab.synthesis.drawing.style import Style, pick
from vsr_lab.synthesis.drawing.text import Line, clock, fill
from vsr_lab.synthesis.views.cells import Cells
from vsr_lab.synthesis.views.sessions import Monitor, Pager, Session, Shell, Vi

_SESSIONS: tuple[Callable[[np.random.Generator], Session], ...] = (Shell, Shell, Shell, Vi, Vi, Monitor, Pager)
_EDGE = 6


class Terminal:
    """A terminal window with `tabs` tabs, each with one session or two side by side."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        larger = [size for size in (-1, 0, 0, 0, 1, 2, 4, 6) if style.code(size).cell * 36 < width]
        size = pick(rng, larger) if larger else 0
        row_height = round((style.code_size + size) * pick(rng, (1.15, 1.2, 1.25, 1.3, 1.4)))
        self._cells = Cells(style, size, row_height, heavy=rng.random() < 0.15)
        roomy = height > 140
        self.tabs = int(rng.integers(2, 5)) if roomy and rng.random() < 0.5 else 1
        self._bar = 2 + row_height if self.tabs > 1 else 0
        self._state = self._status(rng) if roomy and rng.random() < 0.3 else []
        self._columns = max(1, int((width - 2 * _EDGE) // self._cells.cell))
        self._panes = 2 if self._columns > 100 or (self._columns > 70 and rng.random() < 0.4) else 1
        self._sessions = [[pick(rng, _SESSIONS)(rng) for _ in range(self._panes)] for _ in range(self.tabs)]
        self._caret = pick(rng, ("block", "block", "beam", "hollow", "under"))
        self._caret_tint = pick(rng, ("fg", "fg", "magenta", "green", "yellow"))
        self._tab = self._age = 0
        self._strips: dict[tuple[tuple[tuple[str, str], ...], int], Image.Image] = {}

    def _status(self, rng: np.random.Generator) -> Line:
        """Status line of a multiplexer: its windows on the left, host and time on the right."""
        ground = pick(rng, ("green", "blue", "select", "line", "magenta"))
        tint = f"fg on {ground}" if ground in ("select", "line") else f"back on {ground}"
        windows = " ".join(fill(rng, f"{index}:{{verb1}}") for index in range(int(rng.integers(2, 6))))
        right = fill(rng, '"{noun1}" ') + clock(int(rng.integers(86400)))[:5] + " 26-May-26 "
        room = max(1, int(self.width // self._cells.cell) + 1 - len(right) - 7)
        return [("[main] ", f"bold {tint}"), (f"{windows:<{room}}"[:room], tint), (right, tint)]

    @property
    def title(self) -> str:
        """Title of the session in front."""
        name = self._sessions[self._tab][0].title
        return f"[{self._tab + 1}/{self.tabs}] {name}" if self.tabs > 1 else name

    def tab_place(self, index: int) -> tuple[float, float]:
        """The middle of a tab."""
        return (index + 0.5) * self._tab_width(), self._bar / 2

    def _tab_width(self) -> float:
        return min(self.width / self.tabs, 24 * self._cells.cell)

    def switch(self, index: int) -> None:
        """Switch to a tab."""
        self._tab = index

    def work(self, rng: np.random.Generator) -> Iterator[None]:
        """Use a visible session; yields once per frame."""
        return pick(rng, self._sessions[self._tab]).work(rng)

    def tick(self) -> None:
        """Advance all sessions by one frame."""
        self._age += 1
        for session in (session for tab in self._sessions for session in tab):
            session.tick()

    def paint(self) -> Image.Image:
        """Draw the view."""
        ink, cells = self.style.shell, self._cells
        canvas = Canvas(self.width, self.height, self.style.zoom, colour=ink.back)
        if self._bar:
            self._paint_tabs(canvas)
        foot = cells.row if self._state else 0
        high = max(1, int(self.height - self._bar - foot - 6) // cells.row)
        columns = (self._columns - (self._panes - 1)) // self._panes
        wide = int(columns * cells.cell)
        for pane, session in enumerate(self._sessions[self._tab]):
            left, top = _EDGE + pane * int((columns + 1) * cells.cell), self._bar + 3
            rows, caret = session.rows(high, columns)
            for index, line in enumerate(rows[:high]):
                canvas.paste(left, top + index * cells.row, self._strip(line, wide))
            if pane:
                canvas.rect(left - cells.cell // 2, self._bar, 1, self.height - self._bar - foot, ink.tint["green"])
            elif caret and self._age % 26 < 16:
                self._paint_caret(canvas, left + caret[1] * cells.cell, top + caret[0] * cells.row)
        if self._state:
            cells.draw(canvas, 0, self.height - foot, self._state)
        return canvas.image

    def _paint_tabs(self, canvas: Canvas) -> None:
        ink, cells, wide = self.style.shell, self._cells, self._tab_width()
        canvas.rect(0, 0, self.width, self._bar, ink.line)
        for index, tab in enumerate(self._sessions):
            front = index == self._tab
            if front:
                canvas.rect(index * wide, 0, wide - 1, self._bar, ink.select)
            room = max(1, int((wide - 14) // cells.cell))
            cells.draw(canvas, index * wide + 6, 1, [(tab[0].title[:room], "fg" if front else "dim")])
        cells.draw(canvas, self.tabs * wide + 6, 1, [("+", "dim")])

    def _paint_caret(self, canvas: Canvas, x: float, y: float) -> None:
        ink, cell, row = self.style.shell, self._cells.cell, self._cells.row
        colour = mix(ink.back, ink.tint[self._caret_tint], 0.85)
        if self._caret == "hollow":
            for box in ((x, y, cell, 1), (x, y + row - 1, cell, 1), (x, y, 1, row), (x + cell - 1, y, 1, row)):
                canvas.rect(*box, colour)
        else:
            left, top, wide, high = {
                "block": (0, 0, cell, row),
                "beam": (0, 0, 2, row),
                "under": (0, row - 2, cell, 2),
            }[self._caret]
            canvas.rect(x + left, y + top, wide, high, colour)

    def _strip(self, line: Line, wide: int) -> Image.Image:
        key = (tuple(line), wide)
        if key not in self._strips:
            if len(self._strips) > 400:
                self._strips.clear()
            canvas = Canvas(wide, self._cells.row, self.style.zoom, colour=self.style.shell.back)
            self._cells.draw(canvas, 0, 0, line)
            self._strips[key] = canvas.image
        return self._strips[key]
