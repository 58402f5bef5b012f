"""Rows of terminal cells: parsing of text styles, drawing of text and of box characters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from vsr_lab.synthesis.drawing.canvas import Canvas, Colour
from vsr_lab.synthesis.drawing.style import Ink, Style
from vsr_lab.synthesis.drawing.text import Line

# Lines from the middle of a cell to its left, right, top and bottom; blocks as left, top, width, height in shares.
_LINES = {"─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt", "├": "rtb", "┤": "ltb", "┬": "lrb",
          "┴": "lrt", "┼": "lrtb"}  # fmt: skip
_BLOCKS = {"█": (0, 0, 1, 1), "▀": (0, 0, 1, 0.5), "▄": (0, 0.5, 1, 0.5), "━": (0, 0.45, 1, 0.12)}
_SHAPES = {"\ue0b0": ((0, 0), (1, 0.5), (0, 1))}
_STROKES = {"❯": ((0.25, 0.25), (0.7, 0.5), (0.25, 0.75)), "→": ((0, 0.5), (0.95, 0.5), (0.6, 0.3))}
_SIGNS = {"✗", *_LINES, *_BLOCKS, *_SHAPES, *_STROKES}


@dataclass(frozen=True)
class Look:
    """Style of a piece of text, with colours by name."""

    fore: str
    ground: str
    bold: bool
    italic: bool


@lru_cache(maxsize=1024)
def look(tint: str) -> Look:
    """Parse a text style such as "bold green on line": bold or italic, colour of the text, colour of the background.

    Colours are those of a terminal, such as "green", and "back", "line", "select" and "number", which are attributes of
    `Ink`.
    """
    front, _, ground = tint.partition(" on ")
    *manners, fore = front.split()
    return Look(fore, ground, "bold" in manners, "italic" in manners)


def _colour(ink: Ink, name: str) -> Colour:
    own = {"back": ink.back, "line": ink.line, "select": ink.select, "number": ink.number}
    return own[name] if name in own else ink.tint[name]


def fold(line: Line, columns: int) -> list[Line]:
    """Wrap a line into rows of `columns` cells."""
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


def cut(line: Line, columns: int, ground: str = "") -> Line:
    """Cut or pad a line to exactly `columns` cells, with background colour `ground`."""
    row = fold(line, columns)[0]
    return [*row, (" " * (columns - sum(len(text) for text, _ in row)), f"fg on {ground}" if ground else "fg")]


class Cells:
    """A grid of characters of one font, `cell` wide and `row` high, in logical pixels."""

    def __init__(self, style: Style, size: float, row_height: int, *, heavy: bool) -> None:
        self._style, self._size, self._heavy = style, size, heavy
        self.cell, self.row = style.code(size).cell, row_height
        self._base = (row_height + (style.code_size + size) * 0.7) // 2

    def draw(self, canvas: Canvas, x: float, y: float, line: Line) -> None:
        """Draw one row of text at (x, y)."""
        ink, style = self._style.shell, self._style
        for text, tint in line:
            manner = look(tint)
            colour = _colour(ink, manner.fore)
            if manner.ground:
                canvas.rect(x, y, self.cell * len(text), self.row, _colour(ink, manner.ground))
            font = style.code(self._size, bold=manner.bold or self._heavy, italic=manner.italic)
            for sign, run in groupby(text, _SIGNS.__contains__):
                piece = "".join(run)
                if sign:
                    for index, char in enumerate(piece):
                        self._sign(canvas, x + index * self.cell, y, char, colour)
                else:
                    canvas.text(x, y + self._base, piece, font, colour)
                x += self.cell * len(piece)

    def _sign(self, canvas: Canvas, x: float, y: float, sign: str, colour: Colour) -> None:
        cell, row = self.cell, self.row
        if sign in _LINES:
            middle, centre = x + cell // 2, y + row // 2
            ways = {"l": (x, centre, cell // 2 + 1, 1), "r": (middle, centre, cell - cell // 2, 1),
                    "t": (middle, y, 1, row // 2 + 1), "b": (middle, centre, 1, row - row // 2)}  # fmt: skip
            for way in _LINES[sign]:
                canvas.rect(*ways[way], colour)
        elif sign in _BLOCKS:
            left, top, wide, high = _BLOCKS[sign]
            canvas.rect(x + left * cell, y + top * row, wide * cell, max(1, high * row), colour)
        elif sign in _SHAPES:
            canvas.polygon([(x + a * cell, y + b * row) for a, b in _SHAPES[sign]], colour)
        elif sign in _STROKES:
            canvas.line([(x + a * cell, y + b * row) for a, b in _STROKES[sign]], colour, 1.5)
        else:
            for ends in (((0.1, 0.3), (0.9, 0.7)), ((0.1, 0.7), (0.9, 0.3))):
                canvas.line([(x + a * cell, y + b * row) for a, b in ends], colour, 1.5)
