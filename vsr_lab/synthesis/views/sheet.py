"""A spreadsheet: a grid of labels and numbers, a selected cell, and input of values."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, mix, rgb, scrolled
from vsr_lab.synthesis.drawing.style import Style
from vsr_lab.synthesis.drawing.text import fill

_STEP = 20
_EDGE = 30


class Sheet:
    """A grid of text. `top` is the first visible logical row of pixels, `cell` the selected (row, column)."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        self.title = fill(rng, "{Noun1}s {num1}.csv", "{noun1}_{noun2}.csv")
        self._column = int(rng.integers(64, 92))
        self._rng = rng
        columns = max(2, (width - _EDGE) // self._column + 1)
        self.values = [[self._value(rng, row, column) for column in range(columns)] for row in range(90)]
        self._tinted = {int(column) for column in rng.integers(1, columns + 1, 2)}
        self._bar = 24 if height > 120 else 0
        self.area = (0, self._bar + _STEP, width, height - self._bar - _STEP)
        self.cell = (1, 1)
        self.top = 0.0
        self._strips: dict[tuple[int, tuple[str, ...]], Image.Image] = {}

    def _value(self, rng: np.random.Generator, row: int, column: int) -> str:
        if row == 0 or column == 0:
            return fill(rng, "{Noun1}", "{Name1}" if row and not column else "{Noun1}")
        return f"{rng.uniform(-400, 4000):.2f}" if column % 2 else str(int(rng.integers(0, 9999)))

    def reach(self) -> int:
        """The maximum of `top`."""
        return max(0, len(self.values) * _STEP - self.area[3])

    def scroll_to(self, top: float) -> None:
        """Scroll, within the limits of the grid."""
        self.top = min(max(0.0, top), float(self.reach()))

    def choose(self, row: int, column: int) -> None:
        """Select a visible cell by row and column, counted from the top left corner of the view.

        Row and column are taken modulo the number of visible rows and columns.
        """
        row = row % max(1, self.area[3] // _STEP - 1) + int(self.top / _STEP) + 1
        columns = max(2, (self.width - _EDGE) // self._column)
        self.cell = (min(row, len(self.values) - 1), 1 + column % (columns - 1))

    def down(self) -> None:
        """Select the cell below, and scroll to it."""
        self.cell = (min(self.cell[0] + 1, len(self.values) - 1), self.cell[1])
        self.scroll_to(max(self.top, (self.cell[0] + 1) * _STEP + 1.0 - self.area[3]))

    def place(self) -> tuple[float, float]:
        """The middle of the selected cell in the view."""
        row, column = self.cell
        return _EDGE + (column + 0.5) * self._column, self.area[1] + (row + 0.5) * _STEP - self.top

    def type(self, text: str) -> None:
        """Set the text of the selected cell."""
        self.values[self.cell[0]][self.cell[1]] = text

    def tick(self) -> None:
        """Do nothing."""

    def paint(self) -> Image.Image:
        """Draw the view."""
        style, ui = self.style, self.style.ui
        canvas = Canvas(self.width, self.height, style.zoom, colour=ui.panel)
        row, column = self.cell
        if self._bar:
            canvas.rect(60, 3, self.width - 68, 18, ui.window, 0, ui.border)
            canvas.text(8, 17, f"{chr(65 + column)}{row + 1}", style.label(bold=True), ui.text)
            canvas.text(66, 17, self.values[row][column], style.label(), ui.text)
        for index in range(len(self.values[0])):
            x = _EDGE + index * self._column
            if index == column:
                canvas.rect(x, self._bar, self._column, _STEP, mix(ui.panel, style.accent, 0.3))
            canvas.text(x + self._column / 2 - 4, self._bar + 14, chr(65 + index), style.label(-1), ui.muted)
            canvas.rect(x, self._bar, 1, _STEP, ui.border)
        canvas.paste(0, self.area[1], scrolled(self._grid, self.top, style.zoom))
        return canvas.image

    def _grid(self, first: int) -> Image.Image:
        style = self.style
        canvas = Canvas(self.width, self.area[3], style.zoom, colour=style.ui.window)
        row = int(first / canvas.zoom) // _STEP
        while row < len(self.values) and canvas.px(row * _STEP) - first < canvas.image.height:
            canvas.image.paste(self._strip(row), (0, canvas.px(row * _STEP) - first))
            row += 1
        x, y = _EDGE + self.cell[1] * self._column, self.cell[0] * _STEP - first / canvas.zoom
        for box in ((x, y, self._column + 1, 2), (x, y + _STEP - 1, self._column + 1, 2), (x, y, 2, _STEP),
                    (x + self._column - 1, y, 2, _STEP)):  # fmt: skip
            canvas.rect(*box, style.accent)
        return canvas.image

    def _strip(self, row: int) -> Image.Image:
        key = (row, tuple(self.values[row]))
        if key not in self._strips:
            if len(self._strips) > 400:
                self._strips.clear()
            style, ui = self.style, self.style.ui
            canvas = Canvas(self.width, _STEP, style.zoom, colour=ui.window)
            for column, text in enumerate(key[1]):
                x = _EDGE + column * self._column
                if column in self._tinted and row:
                    canvas.rect(x, 0, self._column, _STEP, mix(ui.window, style.accent, 0.12))
                font = style.label(bold=row == 0)
                colour = rgb("e03131") if text.startswith("-") else ui.text
                left = x + 5 if row == 0 or column == 0 else x + self._column - 5 - font.width(text)
                canvas.text(left, 14, text, font, colour)
                canvas.rect(x, 0, 1, _STEP, ui.border)
            canvas.rect(0, 0, _EDGE, _STEP, ui.panel)
            canvas.text(8, 14, str(row + 1), style.label(-1), ui.muted)
            canvas.rect(0, _STEP - 1, self.width, 1, ui.border)
            self._strips[key] = canvas.image
        return self._strips[key]
