"""A presentation: slides that appear point by point, with a cut, fade or push between slides."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, Colour, mix, rgb
from vsr_lab.synthesis.drawing.fonts import Font
from vsr_lab.synthesis.drawing.style import Style, pick
from vsr_lab.synthesis.drawing.text import fill, sentence, title
from vsr_lab.synthesis.views.pictures import chart, landscape

_WHITE, _BLACK = rgb("ffffff"), rgb("000000")
_PACE = 10  # frames of a transition
_COUNT = 12  # slides before the first comes again
_ASPECT = 16 / 9


class Slides:
    """A slide, and thumbnails of its neighbours if there is room. `advance` shows the next point or slide."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: int, height: int) -> None:
        self.style, self.width, self.height = style, width, height
        self.title = fill(rng, "{Noun1} {num1}", "{Adj1} {noun1}s, {Place1}")
        self._seeds = [int(seed) for seed in rng.integers(2**31, size=_COUNT)]
        self._back = pick(rng, (_WHITE, rgb("fbf7ef"), rgb("1d2230"), mix(style.accent, _BLACK, 0.72)))
        self._change = pick(rng, ("cut", "fade", "push"))
        self._strip = 96 if width > 330 else 0
        room = (width - self._strip - 16, height - 16)
        self._size = (min(room[0], int(room[1] * _ASPECT)), min(room[1], int(room[0] / _ASPECT)))
        self._page, self._shown, self._age = 0, 1, _PACE
        self._painted = lru_cache(maxsize=8)(self._draw)
        self._small = lru_cache(maxsize=2 * _COUNT)(self._thumbnail)

    def advance(self) -> None:
        """Show the next point of this slide, or the next slide."""
        if self._shown < _points(self._seeds[self._page]):
            self._shown += 1
        else:
            self._page, self._shown, self._age = (self._page + 1) % _COUNT, 1, 0

    def tick(self) -> None:
        """Advance a transition by one frame."""
        self._age = min(self._age + 1, _PACE)

    def paint(self) -> Image.Image:
        """Draw the view."""
        ui = self.style.ui
        canvas = Canvas(self.width, self.height, self.style.zoom, colour=mix(ui.panel, _BLACK, 0.12))
        if self._strip:
            self._paint_strip(canvas)
        x = self._strip + (self.width - self._strip - self._size[0]) // 2  # whole pixels, the same at every zoom
        canvas.paste(x, (self.height - self._size[1]) // 2, self._current())
        return canvas.image

    def _current(self) -> Image.Image:
        now = self._painted(self._page, self._shown)
        share = self._age / _PACE
        if share >= 1 or self._change == "cut":
            return now
        before = (self._page - 1) % _COUNT
        last = self._painted(before, _points(self._seeds[before]))
        if self._change == "fade":
            return Image.blend(last, now, share)
        moved = round(now.width * (1 - (1 - share) ** 2))
        both = last.copy()
        both.paste(last.crop((moved, 0, last.width, last.height)), (0, 0))
        both.paste(now.crop((0, 0, moved, now.height)), (last.width - moved, 0))
        return both

    def _paint_strip(self, canvas: Canvas) -> None:
        ui, step = self.style.ui, 54
        canvas.rect(0, 0, self._strip, self.height, ui.panel)
        canvas.rect(self._strip - 1, 0, 1, self.height, ui.border)
        first = max(0, min(self._page - 1, _COUNT - self.height // step))
        for row, page in enumerate(range(first, min(_COUNT, first + self.height // step + 1))):
            y = 8 + row * step
            edge = self.style.accent if page == self._page else ui.border
            canvas.rect(20, y - 2, 72, 42.5, edge, 2)
            canvas.paste(22, y, self._small(page))
            canvas.text(5, y + 10, str(page + 1), self.style.label(-2), ui.muted)

    def _thumbnail(self, page: int) -> Image.Image:
        canvas = Canvas(68, 38.5, self.style.zoom, colour=self._back)
        full = self._painted(page, _points(self._seeds[page]))
        return full.resize(canvas.image.size, Image.Resampling.BOX)

    def _draw(self, page: int, shown: int) -> Image.Image:
        rng = np.random.default_rng(self._seeds[page])
        canvas = Canvas(*self._size, self.style.zoom, colour=self._back)
        kind = pick(rng, _KINDS)
        sheet = _Sheet(canvas, self.style, self._back, width=self._size[0], height=self._size[1])
        (_Sheet.opening if page == 0 else kind)(sheet, rng, shown)
        sheet.footer(self.title, page + 1)
        return canvas.image


class _Sheet:
    """A slide that is being drawn. Font sizes are fractions of the slide's height."""

    def __init__(self, canvas: Canvas, style: Style, back: Colour, *, width: float, height: float) -> None:
        self._canvas, self._style, self._back = canvas, style, back
        self._width, self._height = width, height
        dark = sum(back) < 380
        self._ink = rgb("f2f4f8") if dark else rgb("20242c")
        self._soft = mix(self._ink, back, 0.4)
        self._tone = mix(style.accent, _WHITE, 0.35) if dark else style.accent

    def _font(self, share: float, bold: bool = False) -> Font:
        """A font whose size is a fraction of the slide's height, rounded to pixels to keep the gaps between words."""
        return self._style.text(max(7, round(self._height * share)), bold)

    def _write(self, x: float, y: float, said: str, font: Font, colour: Colour, width: float) -> float:
        """Set text in lines below y; return the y of its end."""
        line = ""
        for word in [*said.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and font.width(longer) <= width:
                line = longer
                continue
            y += font.size * 1.25
            self._canvas.text(x, y, line, font, colour)
            line = word
        return y

    def _heading(self, rng: np.random.Generator) -> float:
        margin, size = self._height * 0.09, self._height * 0.085
        font = self._font(0.085, bold=True)
        said = title(rng, self._style.script)
        y = self._write(margin, self._height * 0.04, said, font, self._ink, self._width - 2 * margin)
        self._canvas.rect(margin, y + size * 0.45, self._width * 0.12, max(1.0, size * 0.09), self._tone)
        return y + size * 0.7

    def opening(self, rng: np.random.Generator, _shown: int) -> None:
        """Draw the first slide: a title and the speaker."""
        margin, style = self._height * 0.12, self._style
        self._canvas.rect(0, 0, self._width * 0.025, self._height, self._tone)
        font = self._font(0.13, bold=True)
        wide = self._width - 2 * margin
        y = self._write(margin, self._height * 0.2, title(rng, style.script), font, self._ink, wide)
        said = fill(rng, "{Name1} and {Name2}, {Place1}", "{Name1}, {Noun1}s of {Place1}")
        self._write(margin, y + self._height * 0.03, said, self._font(0.06), self._soft, wide)

    def points(self, rng: np.random.Generator, shown: int) -> None:
        """Draw a heading and the first `shown` points."""
        y, size = self._heading(rng), self._height * 0.058
        margin, font = self._height * 0.09, self._font(0.058)
        for _ in range(shown):
            said = sentence(rng, self._style.script).rstrip(".")
            if y > self._height * 0.8:
                return
            self._canvas.disc(margin + size * 0.3, y + size * 0.95, size * 0.16, self._tone)
            y = self._write(margin + size, y, said, font, self._ink, self._width - 2 * margin - size) + size * 0.35

    def graph(self, rng: np.random.Generator, _shown: int) -> None:
        """Draw a heading and a chart on a light card."""
        y, margin = self._heading(rng) + self._height * 0.04, self._height * 0.09
        wide, high = self._width - 2 * margin, self._height * 0.9 - y
        self._canvas.rect(margin, y, wide, high, self._style.ui.window, 4, self._style.ui.border)
        chart(rng, self._canvas, (margin + 8, y + 8, wide - 16, high - 16), self._style)

    def picture(self, rng: np.random.Generator, _shown: int) -> None:
        """Draw a picture and text, each on one half."""
        half = self._width / 2
        self._canvas.paste(half, 0, landscape(rng, half, self._height, self._style.zoom))
        margin, style = self._height * 0.09, self._style
        font = self._font(0.08, bold=True)
        y = self._write(margin, margin, title(rng, style.script), font, self._ink, half - 1.5 * margin)
        plain = self._font(0.052)
        said = sentence(rng, style.script)
        self._write(margin, y + margin / 2, said, plain, self._soft, half - 1.5 * margin)

    def number(self, rng: np.random.Generator, _shown: int) -> None:
        """Draw one large number and its meaning."""
        style, said = self._style, fill(rng, "{num1} %", "{num1}", "{num1} ms")
        font = self._font(0.3, bold=True)
        self._canvas.text((self._width - font.width(said)) / 2, self._height * 0.52, said, font, self._tone)
        plain, margin = self._font(0.06), self._width * 0.15
        said = sentence(rng, style.script)
        self._write(margin, self._height * 0.58, said, plain, self._ink, self._width - 2 * margin)

    def footer(self, said: str, page: int) -> None:
        """Draw the footer of a slide."""
        font, y = self._style.label(-2), self._height - 6
        self._canvas.text(8, y, said, font, self._soft)
        self._canvas.text(self._width - 8 - font.width(str(page)), y, str(page), font, self._soft)


_KINDS = (_Sheet.points, _Sheet.points, _Sheet.graph, _Sheet.picture, _Sheet.number, _Sheet.points)


def _points(seed: int) -> int:
    """Number of steps until a slide is complete."""
    return 2 + seed % 3 if pick(np.random.default_rng(seed), _KINDS) == _Sheet.points else 1
