"""A terminal: prompts, typed commands, coloured output that scrolls."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vsr_lab.data.screen.canvas import Canvas, mix
from vsr_lab.data.screen.style import Style, pick
from vsr_lab.data.screen.text import Line, command, fill

_BOLD = ("green", "red", "yellow")  # prompts and verdicts, not whole lines


class Terminal:
    """Lines of coloured text, the newest at the bottom once the view is full."""

    def __init__(self, style: Style, rng: np.random.Generator, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        self._rng = rng
        self._prompt: Line = [
            (fill(rng, "{name1}@{noun1}").lower(), "green"),
            (":", "fg"),
            (fill(rng, "~/{noun1}", "~/src/{noun1}", "/srv/{noun1}"), "blue"),
            ("$ ", "fg"),
        ]
        self.title = "".join(text for text, _ in self._prompt[:-1])
        self.row_height = round(style.code_size * pick(rng, (1.2, 1.3, 1.4)))
        self._lines: list[Line] = []
        self._queue: list[Line] = []
        self.typed = ""
        self._pace = 1.0
        self._due = 0.0
        self._age = 0
        self._strips: dict[tuple[tuple[str, str], ...], Image.Image] = {}
        for _ in range(2):
            typed, output = command(rng)
            for line in ([*self._prompt, (typed, "fg")], *output[:12]):
                self._lines += self._fold(line)

    @property
    def busy(self) -> bool:
        """Whether output is still to come."""
        return bool(self._queue)

    def next_command(self) -> str:
        """A command to be typed; its output waits for `run`."""
        typed, self._output = command(self._rng)
        return typed

    def run(self) -> None:
        """The return key: the typed command becomes a line, its output starts to come."""
        self._lines += self._fold([*self._prompt, (self.typed, "fg")])
        self.typed = ""
        self._queue += self._output
        self._pace = float(self._rng.uniform(0.6, 1.8))

    def tick(self) -> None:
        """One frame passes: output comes at its pace, with hiccups."""
        self._age += 1
        self._due = min(4.0, self._due + self._pace) if self._queue else 0.0
        while self._queue and self._due >= 1:
            self._due -= 1
            self._lines += self._fold(self._queue.pop(0))
        if self._queue and self._due >= 0 and self._rng.random() < 0.04:
            self._due -= 5 * self._pace

    def _fold(self, line: Line) -> list[Line]:
        """A line in as many rows as the width asks for."""
        columns = max(1, int((self.width - 12) // self.style.code().cell))
        rows: list[Line] = [[]]
        room = columns
        for text, tint in line:
            while text:
                if not room:
                    rows.append([])
                    room = columns
                rows[-1].append((text[:room], tint))
                text, room = text[room:], max(0, room - len(text))
        return rows

    def paint(self) -> Image.Image:
        """The whole view."""
        ink, cell = self.style.shell, self.style.code().cell
        canvas = Canvas(self.width, self.height, self.style.zoom, ink.back)
        last = [] if self._queue else self._fold([*self._prompt, (self.typed, "fg")])
        room = (self.height - 8) // self.row_height
        shown = [*self._lines[-room:], *last][-room:]
        for index, line in enumerate(shown):
            canvas.paste(0, 4 + index * self.row_height, self._strip(tuple(line)))
        if not self._queue and self._age % 26 < 16:
            x = 6 + cell * sum(len(text) for text, _ in shown[-1])
            y = 4 + (len(shown) - 1) * self.row_height
            canvas.rect(x, y + 1, cell, self.row_height - 2, mix(ink.back, ink.tint["fg"], 0.8))
        return canvas.image

    def _strip(self, line: tuple[tuple[str, str], ...]) -> Image.Image:
        if line not in self._strips:
            if len(self._strips) > 400:
                self._strips.clear()
            ink, style = self.style.shell, self.style
            canvas = Canvas(self.width, self.row_height, style.zoom, ink.back)
            base = (self.row_height + style.code_size * 0.7) // 2
            x = 6.0
            for text, tint in line:
                font = style.code(bold=tint in _BOLD and len(text) < 15)
                x = canvas.text(x, base, text, font, ink.tint[tint])
            self._strips[line] = canvas.image
        return self._strips[line]
