"""Popups over the windows: context menus, dialogs, notifications."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from PIL import Image

from vsr_lab.synthesis.drawing.canvas import Canvas, mix, rgb
from vsr_lab.synthesis.drawing.style import Style, pick
from vsr_lab.synthesis.drawing.text import file_name, fill, sentence

_WHITE = rgb("ffffff")


class Popup(Protocol):
    """Base class of popups. Position and size are logical, `opacity` is 0..1."""

    x: float
    y: float
    width: int
    height: int
    radius: int
    opacity: float

    def paint(self) -> Image.Image:
        """Draw the popup, in device pixels."""
        ...


class Menu:
    """A context menu; `hovered` is the index of the item under the cursor."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        self.x, self.y, self.opacity = 0.0, 0.0, 1.0
        self.radius = 0 if style.manner == "flat" else 6
        self.hovered = -1
        self._style = style
        known = {"Undo": "Ctrl+Z", "Cut": "Ctrl+X", "Copy": "Ctrl+C", "Paste": "Ctrl+V",
                 "Select all": "Ctrl+A", fill(rng, "{Verb1} {noun1}"): "F5", "Open in new window": "",
                 fill(rng, "Go to {noun1}"): "F12", fill(rng, "{Verb1} {noun2}s..."): "Ctrl+Shift+P",
                 "Properties": ""}  # fmt: skip
        chosen = np.sort(rng.permutation(len(known))[:7])
        self._items, self._keys = zip(*[tuple(known.items())[int(index)] for index in chosen], strict=True)
        self._rules = {int(row) for row in rng.integers(1, len(self._items), 2)}
        self._step = style.ui_size + 11
        self.width, self.height = 204, len(self._items) * self._step + 8

    @property
    def count(self) -> int:
        """Number of items."""
        return len(self._items)

    def place(self, row: int) -> tuple[float, float]:
        """Position of the cursor on an item."""
        return self.x + 50 + 7 * len(self._items[row]) / 2, self.y + 4 + (row + 0.5) * self._step

    def paint(self) -> Image.Image:
        """Draw the menu, in device pixels."""
        style, ui = self._style, self._style.ui
        canvas = Canvas(self.width, self.height, style.zoom, colour=ui.border)
        canvas.rect(0, 0, self.width, self.height, ui.panel, self.radius, ui.border)
        for row, (name, key) in enumerate(zip(self._items, self._keys, strict=True)):
            top, over = 4 + row * self._step, row == self.hovered
            if over:
                canvas.rect(4, top, self.width - 8, self._step, style.accent, min(4, self.radius))
            elif row in self._rules:
                canvas.rect(8, top, self.width - 16, 1, ui.border)
            base = top + (self._step + style.ui_size * 0.72) // 2
            canvas.text(26, base, name, style.label(), _WHITE if over else ui.text)
            x = self.width - 12 - style.label(-1).width(key)
            canvas.text(x, base, key, style.label(-1), _WHITE if over else ui.muted)
        return canvas.image


class Dialog:
    """A question with two buttons, and a progress bar if `progress` is in 0..1; a negative value means no bar."""

    def __init__(self, style: Style, rng: np.random.Generator, *, width: float, height: float) -> None:
        self.opacity, self.radius, self.hovered = 1.0, 0 if style.manner == "flat" else 8, False
        self.width, self.height = int(min(width - 16, rng.integers(270, 330))), 128
        self.x = float(int((width - self.width) * rng.uniform(0.35, 0.65)))
        self.y = float(int((height - self.height) * rng.uniform(0.25, 0.5)))
        self.progress = 0.0 if rng.random() < 0.5 else -1.0
        self._style = style
        self._tint = pick(rng, (style.accent, rgb("e8a20c"), rgb("e03131"), rgb("2f9e44")))
        self._name = fill(rng, "{Verb1} {noun1}?", "Save changes?", "{Noun1} is {adj1}")
        said = sentence(rng).split()
        self._said = (" ".join(said[:6]), " ".join(said[6:13]))
        self._file = file_name(rng)
        self._buttons = pick(rng, (("Cancel", "OK"), ("Later", "Install"), ("Discard", "Save")))

    def place(self) -> tuple[float, float]:
        """The middle of the main button."""
        return self.x + self.width - 48, self.y + self.height - 24

    def paint(self) -> Image.Image:
        """Draw the dialog, in device pixels."""
        style, ui = self._style, self._style.ui
        canvas = Canvas(self.width, self.height, style.zoom, colour=ui.border)
        canvas.rect(0, 0, self.width, self.height, ui.window, self.radius, ui.border)
        canvas.disc(30, 34, 15, self._tint)
        canvas.rect(28.5, 26, 3, 10, _WHITE, 1)
        canvas.disc(30, 41, 2, _WHITE)
        canvas.text(58, 28, self._name, style.label(2, bold=True), ui.text)
        for row, text in enumerate((self._file, "") if self.progress >= 0 else self._said):
            canvas.text(58, 48 + 16 * row, text, style.label(), ui.muted)
        if self.progress >= 0:
            canvas.rect(58, 60, self.width - 78, 8, ui.hover, 4)
            canvas.rect(58, 60, max(8, (self.width - 78) * self.progress), 8, style.accent, 4)
            canvas.text(58, 84, f"{round(100 * self.progress)} %", style.label(-1), ui.muted)
        for column, name in enumerate(self._buttons):
            x, main, font = self.width - 84 * (2 - column), column == 1, style.label(bold=column == 1)
            back = mix(style.accent, rgb("000000"), 0.25 * self.hovered) if main else ui.panel
            canvas.rect(x, self.height - 37, 74, 26, back, self.radius / 2, back if main else ui.border)
            left = x + (74 - font.width(name)) / 2
            canvas.text(left, self.height - 20, name, font, _WHITE if main else ui.text)
        return canvas.image


class Toast:
    """A notification in a corner of the screen; `left` is the number of frames for which it remains."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        self.x, self.y, self.opacity, self.radius = 0.0, 0.0, 1.0, 0 if style.manner == "flat" else 8
        self.width, self.height = 216, 58
        self.left = int(rng.integers(55, 90))
        ui, canvas = style.ui, Canvas(self.width, self.height, style.zoom, colour=style.ui.border)
        canvas.rect(0, 0, self.width, self.height, ui.panel, self.radius, ui.border)
        canvas.rect(12, 14, 30, 30, pick(rng, (style.accent, rgb("e03131"), rgb("2f9e44"))), 8)
        initial = fill(rng, "{Name1}")
        font = style.label(5, bold=True)
        canvas.text(27 - font.width(initial[0]) / 2, 35, initial[0], font, _WHITE)
        canvas.text(54, 24, f"{initial}: {fill(rng, '{noun1}')}", style.label(bold=True), ui.text)
        said = fill(rng, "{Verb1} the {adj1} {noun1}", "{num1} {noun1}s to {verb1}")
        canvas.text(54, 42, said, style.label(), ui.muted)
        self._image = canvas.image

    def paint(self) -> Image.Image:
        """Draw the notification, in device pixels."""
        return self._image
