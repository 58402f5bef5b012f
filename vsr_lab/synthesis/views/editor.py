"""A code editor: tabs, file tree, line numbers, highlighted text, caret, completion list, minimap."""

from __future__ import annotations

from math import ceil

import numpy as np
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, mix, rgb, scrolled
from vsr_lab.synthesis.drawing.style import Style, pick
from vsr_lab.synthesis.drawing.text import file_name, fill
from vsr_lab.synthesis.views.code import LANGUAGES, block, program, tokens

_MAP_WIDTH = 46
_NAMES = ("name", "call", "type")  # the kinds of token that are completed


class Editor:
    """A document in an editor. `top` is the first visible logical row of pixels, `caret` a (row, column)."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        self._rng = rng
        self._language = pick(rng, tuple(LANGUAGES))
        self.title = fill(rng, "{noun1}_{noun2}.", "{noun1}.") + self._language
        self.rows = program(rng, self._language, int(rng.integers(70, 140)))
        self.row_height = round(style.code_size * pick(rng, (1.35, 1.5, 1.6)))
        self.side = 110 if width > 420 and rng.random() < 0.6 else 0
        self.tabs = 25 if height > 110 and rng.random() < 0.8 else 0
        self.status = 18 if height > 150 else 0
        self._map = _MAP_WIDTH if width - self.side > 300 and rng.random() < 0.6 else 0
        self._gutter = round(style.code().cell * 4) + 14 if width > 200 else 6
        self.area = (self.side, self.tabs, width - self.side - self._map, height - self.tabs - self.status)
        self.caret: tuple[int, int] = (0, 0)
        self.selected: tuple[int, int] = (0, 0)  # first row and the one after the last
        self.offers: list[str] = []
        self.left_over = ""
        self.top = 0.0
        self._age = 0
        self._strips: dict[tuple[int, str, bool, bool], Image.Image] = {}
        self._marks: dict[str, Image.Image] = {}
        self._frame = self._paint_frame()
        self.scroll_to(float(int(rng.integers(0, self.reach() // 2 + 1))))

    def reach(self) -> int:
        """The maximum of `top`."""
        return max(0, len(self.rows) * self.row_height - self.area[3] + 4 * self.row_height)

    def scroll_to(self, top: float) -> None:
        """Scroll, within the limits of the document."""
        self.top = min(max(0.0, top), float(self.reach()))

    def visible_rows(self) -> tuple[int, int]:
        """First fully visible row, and number of fully visible rows."""
        return ceil(self.top / self.row_height), max(1, self.area[3] // self.row_height - 1)

    def draft(self) -> str:
        """Insert empty rows between two blocks, in view if possible, and return program text to be typed there.

        Text that was left unfinished is returned first, at its own position.
        """
        first, count = self.visible_rows()
        if self.left_over and first <= self.caret[0] < first + count:
            return self.left_over
        middle = first + int(self._rng.integers(count // 4, count * 3 // 4 + 1))
        gaps = [row for row, text in enumerate(self.rows) if not text]
        row = min(gaps, key=lambda gap: abs(gap - middle)) + 1
        if not first <= row < first + count:
            self.scroll_to(float((row - count // 2) * self.row_height))
        self.rows[row:row] = ["", ""]
        self.caret = (row, 0)
        return "\n".join(block(self._rng, self._language)[:-1])

    def type(self, char: str) -> None:
        """Type a key: a character at the caret, or a new line without indentation."""
        self._age = 0
        row, column = self.caret
        text = self.rows[row]
        if char == "\n":
            self.rows[row : row + 1] = [text[:column], text[column:]]
            self.caret = (row + 1, 0)
        else:
            self.rows[row] = text[:column] + char + text[column:]
            self.caret = (row, column + 1)
        self._offer()
        bottom = (self.caret[0] + 2) * self.row_height
        if bottom > self.top + self.area[3]:
            self.scroll_to(float(bottom - self.area[3]))

    def _offer(self) -> None:
        row, column = self.caret
        word, kind = [("", ""), *tokens(self.rows[row][:column])][-1]
        self.offers = []
        if kind in _NAMES and 2 <= len(word) <= 6:
            known = {text for line in self.rows for text, kind in tokens(line) if kind in _NAMES}
            self.offers = sorted(name for name in known if name[:2] == word[:2] and name != word)[:6]

    def place(self, row: int, column: int) -> tuple[float, float]:
        """Position of the middle of a character in the view."""
        x = self._gutter + (column + 0.5) * self.style.code().cell - self._aside()
        return self.area[0] + x, self.area[1] + (row + 0.5) * self.row_height - self.top

    def _aside(self) -> float:
        """Horizontal scroll that keeps the caret in view."""
        return max(0.0, self._gutter + self.caret[1] * self.style.code().cell + 30 - self.area[2])

    def tick(self) -> None:
        """Advance by one frame: the caret blinks."""
        self._age += 1

    def paint(self) -> Image.Image:
        """Draw the view."""
        canvas = Canvas(1, 1, self.style.zoom, colour=self.style.ink.back)
        canvas.image = self._frame.copy()
        canvas.paste(self.area[0], self.area[1], scrolled(self._text, self.top, self.style.zoom))
        if self._map:
            self._paint_map(canvas)
        if self.offers:
            self._paint_offers(canvas)
        if self.status:
            place = f"Ln {self.caret[0] + 1}, Col {self.caret[1] + 1}    Spaces: 4    UTF-8"
            font = self.style.label(-1)
            x = self.width - font.width(place) - 10
            canvas.text(x, self.height - 5, place, font, rgb("ffffff"))
        return canvas.image

    def _text(self, first: int) -> Image.Image:
        """Draw the text area from device row `first` of the document on."""
        ink, step = self.style.ink, self.row_height
        canvas = Canvas(self.area[2], self.area[3], self.style.zoom, colour=ink.back)
        row = int(first / canvas.zoom) // step
        aside = canvas.px(self._aside())
        while row < len(self.rows) and canvas.px(row * step) - first < canvas.image.height:
            strip, top = self._strip(row), canvas.px(row * step) - first
            canvas.image.paste(strip, (-aside, top))
            if aside:
                canvas.image.paste(strip.crop((0, 0, canvas.px(self._gutter), strip.height)), (0, top))
            row += 1
        if self._age % 26 < 14:
            left = canvas.px(self._gutter + self.caret[1] * self.style.code().cell) - aside
            top = canvas.px(self.caret[0] * step + 1) - first
            box = (left, top, left + max(1, canvas.px(1.5)), top + canvas.px(step - 2))
            canvas.image.paste(ink.tint["name"], box)
        share = self.area[3] / (self.area[3] + self.reach())
        y = self.top / max(1, self.reach()) * (1 - share) * self.area[3]
        canvas.rect(self.area[2] - 7, y, 6, share * self.area[3], mix(ink.back, ink.number, 0.45), 3)
        return canvas.image

    def _strip(self, row: int) -> Image.Image:
        current, chosen = row == self.caret[0], self.selected[0] <= row < self.selected[1]
        key = (row, self.rows[row], current, chosen)
        if key not in self._strips:
            if len(self._strips) > 400:
                self._strips.clear()
            self._strips[key] = self._paint_strip(*key)
        return self._strips[key]

    def _paint_strip(self, row: int, text: str, current: bool, chosen: bool) -> Image.Image:
        ink, cell, height = self.style.ink, self.style.code().cell, self.row_height
        wide = max(self.area[2], self._gutter + (len(text) + 8) * cell)
        canvas = Canvas(wide, height, self.style.zoom, colour=ink.line if current else ink.back)
        number = str(row + 1)
        base = (height + self.style.code_size * 0.7) // 2
        bright = ink.tint["name"] if current else ink.number
        if self._gutter > 6:
            canvas.text(self._gutter - 12 - len(number) * cell, base, number, self.style.code(), bright)
        if chosen:
            canvas.rect(self._gutter, 0, max(1, len(text)) * cell, height, ink.select)
        for column in range(4, len(text) - len(text.lstrip()), 4):
            canvas.rect(self._gutter + column * cell, 0, 1, height, mix(ink.back, ink.number, 0.4))
        fonts = {"comment": self.style.code(italic=True), "keyword": self.style.code(bold=True)}
        spans = [(part, fonts.get(kind, self.style.code()), ink.tint[kind]) for part, kind in tokens(text)]
        canvas.spans(self._gutter, base, spans)
        return canvas.image

    def _paint_map(self, canvas: Canvas) -> None:
        """Draw the minimap, with two pixels per row."""
        ink, x = self.style.ink, self.width - self._map
        canvas.rect(x, self.tabs, self._map, self.area[3], ink.back)
        first = max(0, int(self.top / self.row_height) - self.area[3] // 6)
        y = self.tabs + int(self.top / self.row_height - first) * 2
        canvas.rect(x, y, self._map, 2 * self.visible_rows()[1], ink.line)
        for index, text in enumerate(self.rows[first : first + self.area[3] // 2]):
            if text not in self._marks:
                self._marks[text] = self._paint_mark(text)
            canvas.paste(x + 4, self.tabs + 2 * index, self._marks[text])

    def _paint_mark(self, text: str) -> Image.Image:
        ink = self.style.ink
        canvas, x = Canvas(self._map - 8, 1, self.style.zoom, colour=ink.back), 0.0
        for part, kind in tokens(text):
            if part.strip():
                canvas.rect(x, 0, len(part) * 0.7, 1, mix(ink.back, ink.tint[kind], 0.7))
            x += len(part) * 0.7
        return canvas.image

    def _paint_offers(self, canvas: Canvas) -> None:
        ink, font, step = self.style.ink, self.style.code(-1), self.style.code_size + 6
        x, y = self.place(*self.caret)
        wide, high = max(map(font.width, self.offers)) + 34, len(self.offers) * step + 4
        y += self.row_height / 2 + 1 if y + high + self.row_height < self.height - self.status else -high - 10
        x, y = float(int(x - 20)), float(int(y))
        back = mix(ink.back, ink.tint["name"], 0.06)
        canvas.rect(x, y, wide, high, back, border=mix(ink.back, ink.number, 0.6))
        canvas.rect(x + 1, y + 2, wide - 2, step, mix(back, self.style.accent, 0.45))
        for index, name in enumerate(self.offers):
            base = y + 2 + index * step + self.style.code_size
            canvas.rect(x + 7, base - 8, 8, 8, ink.tint[("call", "type", "number")[len(name) % 3]], 2)
            canvas.text(x + 24, base, name, font, ink.tint["name"])

    def _paint_frame(self) -> Image.Image:
        style, ink = self.style, self.style.ink
        shade = mix(ink.back, rgb("000000"), 0.18 if sum(ink.back) < 380 else 0.06)
        canvas = Canvas(self.width, self.height, style.zoom, colour=shade)
        x = self.side
        if self.tabs:
            for name in [self.title, *(file_name(self._rng) for _ in range(4))]:
                front, wide = name == self.title, round(style.label().width(name)) + 34
                if front:
                    canvas.rect(x, 0, wide, self.tabs, ink.back)
                    canvas.rect(x, 0, wide, 2, style.accent)
                colour = ink.tint["name"] if front else ink.number
                canvas.text(x + 10, self.tabs - 8, name, style.label(), colour)
                right, middle = x + wide - 13, self.tabs / 2
                for way in (-3, 3):
                    canvas.line([(right - way, middle - 3), (right + way, middle + 3)], colour)
                x += wide + 1
        canvas.rect(0, 0, self.side, self.height, shade)
        if self.side:
            self._paint_tree(canvas)
        if self.status:
            canvas.rect(0, self.height - self.status, self.width, self.status, style.accent)
            canvas.text(10, self.height - 5, fill(self._rng, "main*   0 problems", "dev   2 warnings"),
                        style.label(-1), rgb("ffffff"))  # fmt: skip
        return canvas.image

    def _paint_tree(self, canvas: Canvas) -> None:
        style, ink, y = self.style, self.style.ink, 18
        canvas.text(10, y, fill(self._rng, "{NOUN1}"), style.label(-1, bold=True), ink.number)
        depth = 0
        while (y := y + style.ui_size + 8) < self.height - self.status:
            name, folder = file_name(self._rng), self._rng.random() < 0.25
            x = 12 + 10 * depth
            if folder:
                canvas.polygon([(x, y - 6), (x + 7, y - 6), (x + 3.5, y - 2)], ink.number)
                depth, name = 1, name.split(".")[0].split("-")[0]
            else:
                tint = ("string", "number", "call", "type", "keyword")[len(name.split(".")[-1]) % 5]
                canvas.rect(x, y - 8, 7, 8, ink.tint[tint], 1)
            canvas.text(x + 12, y, name, style.label(), mix(ink.number, ink.tint["name"], 0.6))
        canvas.rect(self.side - 1, 0, 1, self.height, mix(ink.back, ink.number, 0.35))
