"""Contact sheets: labelled grids of images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.files import atomic_path

_LINE = 17  # pixels per line of text


@dataclass(frozen=True)
class SheetRow:
    """One row of a contact sheet: images side by side, with captions.

    Args:
        images: uint8 (H, W, 3); None leaves a cell empty.
        captions: text below each image, of one or more lines; the first line is black, the other lines are gray.
        title: text above the row.
    """

    images: Sequence[npt.NDArray[np.uint8] | None]
    captions: Sequence[str] = ()
    title: str = ""


def write_contact_sheet(
    path: Path, rows: Iterable[SheetRow], cell: tuple[int, int] | None = None, replace: bool = True
) -> None:
    """Write a contact sheet, rows of images with captions, as one PNG file.

    Images are resized to fit a cell, keeping their aspect ratio: Lanczos if reduced, nearest neighbour if enlarged.

    Args:
        path: the file to write; it is replaced atomically.
        rows: rows from top to bottom; short rows are aligned at the left.
        cell: width and height of every cell in pixels; None: the largest width and height of the images.
    """
    rows, gap = list(rows), 6
    sizes = [image.shape[1::-1] for row in rows for image in row.images if image is not None]
    width, height = cell or (max(w for w, _ in sizes), max(h for _, h in sizes))
    columns = max(max(len(row.images), len(row.captions)) for row in rows)
    heights = [_lines([row.title]) + height * bool(row.images) + _lines(row.captions) + gap for row in rows]
    sheet = Image.new("RGB", (columns * (width + gap) + gap, sum(heights) + gap), "white")
    y = gap
    for row, step in zip(rows, heights, strict=True):
        _write_lines(sheet, (gap, y), row.title, sheet.width - 2 * gap)
        top = y + _lines([row.title])
        for column, image in enumerate(row.images):
            if image is not None:
                fitted = _fitted(Image.fromarray(image), (width, height))
                x = gap + column * (width + gap)
                if fitted.size != (width, height):
                    sheet.paste("#202020", (x, top, x + width, top + height))
                sheet.paste(fitted, (x + (width - fitted.width) // 2, top + (height - fitted.height) // 2))
        for column, caption in enumerate(row.captions):
            _write_lines(sheet, (gap + column * (width + gap), top + height * bool(row.images)), caption, width)
        y += step
    with atomic_path(path, replace) as temporary:
        sheet.save(temporary, "PNG", optimize=True)


def _lines(texts: Sequence[str]) -> int:
    """Height in pixels of the text with the most lines."""
    return _LINE * max((text.count("\n") + 1 for text in texts if text), default=0)


def _fitted(image: Image.Image, cell: tuple[int, int]) -> Image.Image:
    factor = min(cell[0] / image.width, cell[1] / image.height)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.NEAREST)


def _write_lines(sheet: Image.Image, place: tuple[int, int], text: str, width: int) -> None:
    """Draw lines of text. A line that is too long is cut at its start, because file names differ at their end."""
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, line in enumerate(text.split("\n")):
        shown = line
        while len(shown) > 2 and font.getlength(shown) > width:
            shown = f"…{shown[2:]}"
        draw.text((place[0], place[1] + _LINE * number), shown, "black" if number == 0 else "#555555", font)
