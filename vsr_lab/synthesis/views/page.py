"""A browser: tabs, address bar, and articles with headings, links, pictures, tables, charts and buttons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops

from vsr_lab.synthesis.drawing.canvas import Canvas, Colour, mix, rgb, rounded, scrolled
from vsr_lab.synthesis.drawing.fonts import Font
from vsr_lab.synthesis.drawing.style import Style, pick
from vsr_lab.synthesis.drawing.text import fill, paragraph, sentence, title
from vsr_lab.synthesis.views.code import LANGUAGES, block, tokens
from vsr_lab.synthesis.views.pictures import chart, landscape

Box = tuple[float, float, float, float]
_WHITE, _BLACK = rgb("ffffff"), rgb("000000")


class Article:
    """A long document, drawn once. `image` is the picture; `lines` and `links` are boxes in it."""

    def __init__(self, style: Style, rng: np.random.Generator, width: int, *, length: int) -> None:
        self._style, self._rng = style, rng
        self._size = int(rng.integers(12, 16))
        self.name = title(rng, style.script)
        self.lines: list[Box] = []
        self.links: list[Box] = []
        self._canvas = Canvas(width, length + 500, style.zoom, colour=style.ui.window)
        self._wide = min(width - 24, int(rng.integers(420, 680)))
        self._x = pick(rng, (12, (width - self._wide) // 2))
        self._y = self._masthead(width)
        self._text(self.name, style.text(self._size + 11, bold=True), style.ui.text, 1.2)
        self._byline()
        blocks = (self._prose, self._prose, self._picture, self._list, self._listing, self._table,
                  self._chart, self._buttons, self._cards, self._quote, self._section)  # fmt: skip
        deck: list[Callable[[], None]] = [self._prose]
        while self._y < length:
            if not deck:
                deck = [blocks[int(index)] for index in rng.permutation(len(blocks))]
            deck.pop()()
        self.length = int(self._y)
        self.image = self._canvas.image.crop((0, 0, self._canvas.image.width, self._canvas.px(self.length)))

    def _masthead(self, width: int) -> float:
        style, canvas = self._style, self._canvas
        back = pick(self._rng, (style.accent, style.ui.panel, mix(style.accent, _BLACK, 0.6)))
        ink = style.ui.text if back == style.ui.panel else _WHITE
        canvas.rect(0, 0, width, 36, back)
        canvas.disc(24, 18, 8, mix(back, _WHITE, 0.7))
        name = fill(self._rng, "The {Noun1}", "{Noun1}{noun2}")
        x = canvas.text(40, 23, name, style.label(3, bold=True), ink)
        while (x := x + 22) < min(width - 90, 560):
            x = canvas.text(x, 22, fill(self._rng, "{Noun1}s", "{Verb1}"), style.label(), ink)
        return 52.0

    def _text(self, said: str, font: Font, colour: Colour, leading: float = 1.5, indent: float = 0) -> None:
        self._flow([(word, font, colour) for word in said.split()], font.size * leading, indent)

    def _flow(self, words: list[tuple[str, Font, Colour]], leading: float, indent: float = 0) -> None:
        """Set words in lines of the column; words in the link colour are underlined and can be clicked."""
        left, right = self._x + indent, self._x + self._wide
        step, x, start = round(leading), float(left), len(self.lines)
        following = [*(colour for _, _, colour in words[1:]), None]
        for (word, font, colour), after in zip(words, following, strict=True):
            wide = font.width(word)
            if x > left and x + wide > right:
                x, self._y = float(left), self._y + step
            if x == left:
                self.lines.append((left, self._y, right - left, step))
            base = self._y + round(step * 0.72)
            self._canvas.text(x, base, word, font, colour)
            if colour == self._style.ui.link:
                under = wide + font.width(" ") * (after == colour)
                self._canvas.rect(x, base + 2, under, 1, mix(self._style.ui.window, colour, 0.6))
                self.links.append((x, self._y, wide, step))
            x += wide + font.width(" ")
        self._y += step if len(self.lines) > start else 0
        self._y += round(step * 0.4)

    def _byline(self) -> None:
        said = fill(self._rng, "{Name1}, {num1} minutes ago, {Noun1}s", "{Place1}, {num1} comments")
        self._text(said, self._style.label(), self._style.ui.muted)

    def _prose(self) -> None:
        style, plain = self._style, self._style.text(self._size)
        words = [(word, plain, style.ui.text) for word in paragraph(self._rng, script=style.script).split()]
        code = (style.code(self._size - 1 - style.code_size), mix(style.ui.text, style.accent, 0.6))
        strong, leaning = (style.text(self._size, bold=True), style.text(self._size, italic=True))
        link = (plain, style.ui.link)
        kinds = (link, link, code, (strong, style.ui.text), (leaning, style.ui.text))
        for start in range(int(self._rng.integers(3, 9)), len(words) - 3, int(self._rng.integers(9, 22))):
            font, colour = pick(self._rng, kinds)
            for index in range(start, start + (1 if font.mono else int(self._rng.integers(1, 4)))):
                words[index] = (words[index][0], font, colour)
        self._flow(words, plain.size * 1.55)

    def _section(self) -> None:
        self._y += 8
        self._text(
            title(self._rng, self._style.script), self._style.text(self._size + 5, bold=True), self._style.ui.text, 1.3
        )
        self._canvas.rect(self._x, self._y - 4, self._wide, 1, self._style.ui.border)
        self._y += 4

    def _picture(self) -> None:
        wide = int(self._wide * pick(self._rng, (0.6, 0.8, 1.0)))
        high = int(wide * pick(self._rng, (0.42, 0.5, 0.5625)))
        self._canvas.paste(self._x, self._y, landscape(self._rng, wide, high, self._style.zoom))
        self._y += high + 4
        self._text(sentence(self._rng, self._style.script), self._style.label(-1), self._style.ui.muted)

    def _list(self) -> None:
        for _ in range(int(self._rng.integers(3, 6))):
            self._canvas.disc(self._x + 10, self._y + self._size * 0.8, 2, self._style.accent)
            linked = self._rng.random() < 0.3
            colour = self._style.ui.link if linked else self._style.ui.text
            said = (title if linked else sentence)(self._rng, self._style.script)
            self._text(said, self._style.text(self._size), colour, 1.4, indent=22)
        self._y += 4

    def _listing(self) -> None:
        style, ink = self._style, self._style.ink
        rows = block(self._rng, pick(self._rng, tuple(LANGUAGES)))[:-1]
        step, high = round(style.code_size * 1.4), len(rows) * round(style.code_size * 1.4) + 14
        edge = mix(style.ui.border, ink.back, 0.4)
        self._canvas.rect(self._x, self._y, self._wide, high, ink.back, 5, edge)
        room = int((self._wide - 20) // style.code().cell)
        for index, row in enumerate(rows):
            spans = [(text, style.code(), ink.tint[kind]) for text, kind in tokens(row[:room])]
            self._canvas.spans(self._x + 10, self._y + 7 + (index + 0.75) * step, spans)
        self._y += high + 14

    def _table(self) -> None:
        ui = self._style.ui
        columns, rows = (4, 6) if self._wide > 360 else (3, 5)
        for row in range(rows):
            back = ui.panel if row == 0 else ui.window if row % 2 else mix(ui.window, ui.panel, 0.6)
            self._canvas.rect(self._x, self._y, self._wide, 23, ui.border)
            self._canvas.rect(self._x + 1, self._y + 1, self._wide - 2, 22, back)
            for column in range(columns):
                said = fill(self._rng, "{num1}.{num2}" if row and column else "{Noun1}")
                colour = ui.link if row and not column else ui.text
                x = self._x + 8 + column * self._wide / columns
                self._canvas.text(x, self._y + 16, said, self._style.label(bold=row == 0), colour)
            self._y += 22
        self._canvas.rect(self._x, self._y, self._wide, 1, ui.border)
        self._y += 20

    def _chart(self) -> None:
        high = int(min(170, self._wide * 0.4))
        chart(self._rng, self._canvas, (self._x, self._y, self._wide, high), self._style)
        self._y += high + 12

    def _buttons(self) -> None:
        x, style, radius = float(self._x), self._style, pick(self._rng, (4, 13))
        main = (style.accent, style.accent)
        for index in range(3):
            said = fill(self._rng, "{Verb1} {noun1}", "{Verb1}")
            wide = style.label(bold=True).width(said) + 26
            back, edge, ink = (style.ui.panel, style.ui.border, style.ui.text) if index else (*main, _WHITE)
            self._canvas.rect(x, self._y, wide, 27, back, radius, edge)
            self._canvas.text(x + 13, self._y + 18, said, style.label(bold=True), ink)
            x += wide + 10
        self._y += 42

    def _cards(self) -> None:
        count = 3 if self._wide > 400 else 2
        wide, style = (self._wide - 12 * (count - 1)) // count, self._style
        for index in range(count):
            x = self._x + index * (wide + 12)
            self._canvas.rect(x, self._y, wide, wide * 0.56 + 52, style.ui.panel, 6, style.ui.border)
            picture = landscape(self._rng, wide - 2, wide * 0.56, style.zoom)
            self._canvas.paste(x + 1, self._y + 1, picture, rounded(picture.size, 5 * style.zoom))
            name = fill(self._rng, "{Adj1} {noun1}")
            below = self._y + wide * 0.56
            self._canvas.text(x + 8, below + 20, name, style.label(1, bold=True), style.ui.text)
            said = fill(self._rng, "{num1} {noun1}s", "by {Name1}")
            self._canvas.text(x + 8, below + 38, said, style.label(-1), style.ui.muted)
        self._y += wide * 0.56 + 68

    def _quote(self) -> None:
        top = self._y
        font = self._style.text(self._size + 1, italic=True)
        self._text(paragraph(self._rng, 1, 2, self._style.script), font, self._style.ui.muted, indent=18)
        self._canvas.rect(self._x + 4, top, 3, self._y - top - 6, self._style.accent)


class Page:
    """A browser with an article. `top` is its first visible logical row."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        self._rng = rng
        self.tabs = 27 if height > 150 and width > 240 else 0
        self._bar = self.tabs + 31 if height > 120 else 0
        self.selected: tuple[int, int] = (0, 0)
        self.top = 0.0
        self._age = 0
        self.open()

    def open(self) -> None:
        """Open another article."""
        height = self.height - self._bar
        self.article = Article(self.style, self._rng, self.width, length=3 * height + 300)
        self.title = self.article.name
        self._host = fill(self._rng, "{noun1}.example/{noun2}/{num1}", "www.{noun1}.example/{verb1}-{noun2}")
        self._frame = self._paint_frame()
        self.area = (0, self._bar, self.width, height)
        self.top, self.selected, self._age = 0.0, (0, 0), 0

    def reach(self) -> int:
        """The maximum of `top`."""
        return max(0, self.article.length - self.area[3])

    def scroll_to(self, top: float) -> None:
        """Scroll, within the limits of the article."""
        self.top = min(max(0.0, top), float(self.reach()))

    def shown(self, boxes: list[Box]) -> list[int]:
        """Indices of the article's boxes that are inside the view."""
        low, high = self.top + 4, self.top + self.area[3] - 4
        return [index for index, (_, y, _, tall) in enumerate(boxes) if low < y and y + tall < high]

    def tick(self) -> None:
        """Advance by one frame: a page that was just opened continues to load."""
        self._age += 1

    def paint(self) -> Image.Image:
        """Draw the view."""
        canvas, style = Canvas(1, 1, self.style.zoom, colour=self.style.ui.window), self.style
        canvas.image = self._frame.copy()
        canvas.paste(0, self._bar, scrolled(self._part, self.top, style.zoom))
        if self._age < 20:
            canvas.rect(0, self._bar - 2, self.width * (1 - (1 - self._age / 20) ** 2), 2, style.accent)
        return canvas.image

    def _part(self, first: int) -> Image.Image:
        canvas, style = Canvas(self.width, self.area[3], self.style.zoom, colour=self.style.ui.window), self.style
        size, dark = canvas.image.size, style.ui.dark
        canvas.image.paste(self.article.image.crop((0, first, size[0], first + size[1])), (0, 0))
        for x, y, wide, tall in self.article.lines[slice(*self.selected)]:
            top = canvas.px(y) - first
            box = (canvas.px(x), max(0, top), canvas.px(x + wide), min(size[1], top + canvas.px(tall)))
            if box[1] < box[3]:
                part = canvas.image.crop(box)
                tone = Image.new("RGB", part.size, mix(style.ui.link, *((_BLACK, 0.5) if dark else (_WHITE, 0.7))))
                canvas.image.paste((ImageChops.lighter if dark else ImageChops.multiply)(part, tone), box)
        share = self.area[3] / max(1, self.article.length)
        y = self.top / max(1, self.article.length) * self.area[3]
        colour = mix(style.ui.window, style.ui.muted, 0.5)
        canvas.rect(self.width - 8, y + 2, 6, max(12, share * self.area[3] - 4), colour, 3)
        return canvas.image

    def _paint_frame(self) -> Image.Image:
        style, ui, x = self.style, self.style.ui, 8
        canvas = Canvas(self.width, self.height, style.zoom, colour=ui.title)
        if self._bar:
            canvas.rect(0, self.tabs, self.width, self._bar - self.tabs, ui.panel)
        if self.tabs:
            for index, name in enumerate((self.title, title(self._rng, style.script), title(self._rng))):
                wide = min(150, self.width // 3 - 8)
                if index == 0:
                    canvas.rect(x, 4, wide, self.tabs + 4, ui.panel, 6)
                canvas.disc(x + 13, 16, 4, (style.accent, ui.link, ui.muted)[index])
                font, said = style.label(-1), name
                while font.width(said) > wide - 34:
                    said = said[:-1]
                canvas.text(x + 22, 20, said, font, ui.text if index == 0 else ui.muted)
                x += wide + 4
            canvas.rect(0, self.tabs + 1, self.width, 7, ui.panel)
        if self._bar:
            y = self.tabs + 16
            for x, way in ((18, 1), (42, -1)):
                canvas.line([(x + 3 * way, y - 4), (x - 2 * way, y), (x + 3 * way, y + 4)], ui.muted, 1.5)
            canvas.line([(70, y - 4), (64, y - 4), (64, y + 4), (72, y + 4), (72, y)], ui.muted, 1.5)
            canvas.rect(86, self.tabs + 5, self.width - 110, 22, ui.window, 11, ui.border)
            canvas.rect(97, y - 1, 7, 6, ui.muted, 1)
            canvas.text(112, y + 4, self._host, style.label(), ui.text)
            for way in (-4, 0, 4):
                canvas.disc(self.width - 12, y + way, 1.2, ui.muted)
            canvas.rect(0, self._bar - 1, self.width, 1, ui.border)
        return canvas.image
