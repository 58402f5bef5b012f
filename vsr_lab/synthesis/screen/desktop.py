"""The desktop: wallpaper, windows, panel, popups and mouse cursor, composed for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle
from typing import Literal, Protocol

import numpy as np
from PIL import Image, ImageDraw

from vsr_lab.synthesis.drawing.canvas import Canvas, Colour, Point, mix, rgb, rounded, shadow
from vsr_lab.synthesis.drawing.style import Style
from vsr_lab.synthesis.drawing.text import clock, fill
from vsr_lab.synthesis.screen.popups import Popup, Toast
from vsr_lab.synthesis.views.editor import Editor
from vsr_lab.synthesis.views.page import Page
from vsr_lab.synthesis.views.pictures import wallpaper
from vsr_lab.synthesis.views.sheet import Sheet
from vsr_lab.synthesis.views.slides import Slides
from vsr_lab.synthesis.views.terminal import Terminal

ViewName = Literal["editor", "page", "terminal", "sheet", "slides"]
_MAKERS = {"editor": Editor, "page": Page, "terminal": Terminal, "sheet": Sheet, "slides": Slides}
VIEWS = tuple(_MAKERS)
_BARS = {"lights": 26, "flat": 27, "round": 31}
_FINE = 4
_ARROW = ((0, 0), (0, 16), (3.7, 12.5), (6.2, 18.4), (8.9, 17.2), (6.4, 11.4), (11.4, 11.4))
_BEAM = ((-3, -8), (-1, -8), (0, -7), (1, -8), (3, -8), (3, -7), (0.6, -6), (0.6, 6), (3, 7), (3, 8), (1, 8),
         (0, 7), (-1, 8), (-3, 8), (-3, 7), (-0.6, 6), (-0.6, -6), (-3, -7))  # fmt: skip


class View(Protocol):
    """Base class of the contents of a window."""

    @property
    def title(self) -> str:
        """Text of the title bar."""
        ...

    def tick(self) -> None:
        """Advance by one frame."""
        ...

    def paint(self) -> Image.Image:
        """Draw the view, in device pixels."""
        ...


class Window:
    """A window with a title bar and a view. A `loose` window can be dragged; other windows are tiled."""

    def __init__(self, style: Style, box: tuple[int, int, int, int], view: View, *, loose: bool) -> None:
        self.x, self.y, self.width, self.height = box
        self.style, self.view, self.loose = style, view, loose
        self.bar = _BARS[style.manner]
        self._bars: dict[tuple[str, bool], Image.Image] = {}

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """Convert a position in the view to a position on the screen."""
        return self.x + x, self.y + self.bar + y

    def paint(self, active: bool) -> Image.Image:
        """Draw the whole window, in device pixels."""
        key = (self.view.title, active)
        if key not in self._bars:
            self._bars[key] = self._paint_bar(active)
        canvas = Canvas(self.width, self.height, self.style.zoom, colour=self.style.ui.window)
        canvas.paste(0, 0, self._bars[key])
        canvas.paste(0, self.bar, self.view.paint())
        return canvas.image

    def _paint_bar(self, active: bool) -> Image.Image:
        style, ui, middle = self.style, self.style.ui, self.bar // 2
        back, ink = (ui.title, ui.text) if active else (mix(ui.title, ui.window, 0.5), ui.muted)
        canvas = Canvas(self.width, self.bar, style.zoom, colour=back)
        font, right = style.label(bold=style.manner == "round"), self.width
        name, room = self.view.title, right - (190 if style.manner == "round" else 130)
        while name and font.width(name) > room:
            name = name[:-1]
        centred = style.manner != "flat" and self.width > 200
        canvas.text((right - font.width(name)) // 2 if centred else 62 if style.manner == "lights" else 28,
                    middle + style.ui_size * 0.36, name, font, ink)  # fmt: skip
        if style.manner == "lights":
            for x, code in ((15, "ff5f57"), (34, "febc2e"), (53, "28c840")):
                canvas.disc(x, middle, 5.5, rgb(code) if active else ui.border)
            return self._edge(canvas)
        for x in (right - 16, right - 44, right - 72):
            if style.manner == "round":
                canvas.disc(x, middle, 9, ui.hover)
        x = right - 16
        canvas.line([(x - 4, middle - 4), (x + 4, middle + 4)], ink)
        canvas.line([(x - 4, middle + 4), (x + 4, middle - 4)], ink)
        canvas.rect(right - 48, middle - 4, 8, 8, ui.title, 0, ink)
        canvas.rect(right - 76, middle, 8, 1, ink)
        if style.manner == "flat":
            canvas.rect(8, middle - 6, 12, 12, style.accent, 3)
            canvas.rect(11, middle - 3, 6, 2, rgb("ffffff"))
        return self._edge(canvas)

    def _edge(self, canvas: Canvas) -> Image.Image:
        canvas.rect(0, self.bar - 1, self.width, 1, self.style.ui.border)
        return canvas.image


class Desktop:
    """Everything on the screen. `windows` and `popups` are ordered from bottom to top."""

    def __init__(
        self, style: Style, rng: np.random.Generator, *, width: int, height: int, views: Sequence[str] = VIEWS
    ) -> None:
        self.style, self.width, self.height = style, width, height
        self.panel = 0 if height < 240 or rng.random() < 0.25 else 28 if style.manner == "flat" else 22
        self._panel_top = height - self.panel if style.manner == "flat" else 0
        self.room = (0, 0 if self._panel_top else self.panel, width, height - self.panel)
        self._wall = wallpaper(rng, width, height, zoom=style.zoom, dark=style.ui.dark)
        self._seconds = int(rng.integers(8 * 3600, 20 * 3600))
        self._words = [fill(rng, "{Noun1}", "{Verb1}") for _ in range(5)]
        self.windows = _arrange(style, rng, self.room, views)
        self.popups: list[Popup] = []
        spread = rng.uniform(0.25, 0.75, 2)
        self.cursor = (int(width * spread[0]), int(height * spread[1]))
        self.beam = False
        self._age = 0

    def tick(self) -> None:
        """Advance everything by one frame."""
        self._age += 1
        for window in self.windows:
            window.view.tick()
        for toast in [popup for popup in self.popups if isinstance(popup, Toast)]:
            toast.left -= 1
            arrived = max(0.0, toast.x - (self.width - toast.width - 10)) * 0.65
            toast.x = float(int(self.width - toast.width - 10 + arrived))
            toast.opacity = min(1.0, max(0, toast.left) / 6)
            if toast.left <= 0:
                self.popups.remove(toast)

    def paint(self) -> Image.Image:
        """Draw the frame, in device pixels."""
        canvas = Canvas(1, 1, self.style.zoom, colour=self.style.ui.window)
        canvas.image = self._wall.copy()
        for window in self.windows:
            radius = 8 if window.loose and self.style.manner != "flat" else 0
            image = window.paint(window is self.windows[-1])
            self._lay(canvas, (window.x, window.y), image, radius, 0.5 if window.loose else 0.0, 1.0)
        if self.panel:
            self._paint_panel(canvas)
        for popup in self.popups:
            self._lay(canvas, (popup.x, popup.y), popup.paint(), popup.radius, 0.4, popup.opacity)
        pointer, edge = _pointer(self.style.zoom, self.beam)
        x, y = canvas.px(self.cursor[0]) - edge, canvas.px(self.cursor[1]) - edge
        canvas.image.paste(pointer, (x, y), pointer)
        return canvas.image

    def _lay(self, canvas: Canvas, at: Point, image: Image.Image, radius: int, shade: float, opacity: float) -> None:
        """Paste an image in device pixels at a logical position, with rounded corners and a shadow."""
        x, y = at
        if shade:
            blur = canvas.px(7)
            mask = shadow(image.size, blur, round(shade * opacity, 2))
            canvas.image.paste((0, 0, 0), (canvas.px(x) - 2 * blur, canvas.px(y + 4) - 2 * blur), mask)
        mask = rounded(image.size, radius * canvas.zoom) if radius else None
        if opacity < 1:
            mask = (mask or Image.new("L", image.size, 255)).point(lambda level: level * opacity)
        canvas.paste(x, y, image, mask)

    def _paint_panel(self, canvas: Canvas) -> None:
        style, ui, top = self.style, self.style.ui, self._panel_top
        base = top + self.panel / 2 + style.ui_size * 0.36
        canvas.rect(0, top, self.width, self.panel, ui.panel)
        canvas.rect(0, top + (0 if top else self.panel - 1), self.width, 1, ui.border)
        now = clock(self._seconds + self._age // 25)
        canvas.text(self.width - 62, base, now, style.label(), ui.text)
        x = 12.0
        if top:
            colours = (style.accent, rgb("f08c00"), rgb("2f9e44"), ui.link, rgb("c2255c"))
            for index, colour in enumerate(colours):
                canvas.rect(x, top + 6, 16, 16, colour, 4)
                canvas.rect(x + 4, top + 10, 8, 3 + index, rgb("ffffff"), 1)
                if index < len(self.windows):
                    canvas.rect(x + 3, top + self.panel - 3, 10, 2, style.accent)
                x += 28
            return
        canvas.disc(x + 2, top + self.panel / 2, 5, ui.text)
        x += 20
        for index, word in enumerate(self._words):
            if x < self.width - 130:
                x = canvas.text(x, base, word, style.label(bold=index == 0), ui.text) + 14


@lru_cache(maxsize=16)
def _pointer(zoom: float, beam: bool) -> tuple[Image.Image, int]:
    """The cursor with its outline (RGBA), and the distance of its hot spot from the corner."""
    edge = round(12 * zoom)
    fine, size = zoom * _FINE, (2 * edge + round(12 * zoom)) * _FINE
    path = [(edge * _FINE + x * fine, edge * _FINE + y * fine) for x, y in (_BEAM if beam else _ARROW)]
    inner = Image.new("L", (size, size))
    ImageDraw.Draw(inner).polygon(path, fill=255)
    outer = inner.copy()
    ImageDraw.Draw(outer).line([*path, path[0], path[1]], fill=255, width=round(2 * fine), joint="curve")
    inside: Colour = (0, 0, 0) if beam else (255, 255, 255)
    outside: Colour = (255, 255, 255) if beam else (0, 0, 0)
    picture = Image.new("RGB", (size // _FINE, size // _FINE), outside)
    picture.paste(inside, (0, 0), inner.reduce(_FINE))
    picture.putalpha(outer.reduce(_FINE))
    return picture, edge


def _arrange(
    style: Style, rng: np.random.Generator, room: tuple[int, int, int, int], views: Sequence[str]
) -> list[Window]:
    """Arrange windows in the area that the panel leaves free: one at full size, two side by side, or loose ones."""
    left, top, width, height = room
    makers = [_MAKERS[views[int(index)]] for index in rng.permutation(len(views))]
    for seldom in (Sheet, Slides):
        if seldom in makers[:2] and rng.random() < 0.5:
            makers.append(makers.pop(makers.index(seldom)))
    kind, fits = float(rng.random()), width >= 280 and height >= 180
    loose = fits and kind > 0.55
    boxes = [] if loose else [room]
    if fits and kind < 0.3:
        share = float(rng.uniform(0.45, 0.62))
        first = int(width * share)
        boxes = [(left, top, first, height), (left + first + 1, top, width - first - 1, height)]
        if rng.random() < 0.4 or width < 480:
            first = int(height * share)
            boxes = [(left, top, width, first), (left, top + first + 1, width, height - first - 1)]
    if loose:
        for index in range(int(rng.integers(2, 4))):
            wide, high = int(width * rng.uniform(0.55, 0.75)), int(height * rng.uniform(0.6, 0.82))
            x = left + int((width - wide) * (index % 2 * 0.6 + rng.uniform(0.05, 0.35)))
            y = top + int((height - high) * rng.uniform(0.1, 0.9))
            boxes.append((x, y, wide, high))
    bar = _BARS[style.manner]
    return [
        Window(style, box, maker(style, rng, width=box[2], height=box[3] - bar), loose=loose)
        for box, maker in zip(boxes, cycle(makers), strict=False)
    ]
