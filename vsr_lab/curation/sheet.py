"""The chosen shots on one sheet, to be looked at."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.files import atomic_path
from vsr_lab.footage.shots import Shot

_CELL = (320, 180)
_GAP = 10
_CAPTION = 40


def write_contact_sheet(
    shots: Sequence[Shot], captions: Sequence[tuple[str, str]], path: Path, columns: int = 4
) -> None:
    """The middle frame of each shot over two lines of text."""
    columns = min(4, len(shots))
    rows = -(-len(shots) // columns)
    width, height = _CELL
    step = (width + _GAP, height + _CAPTION + _GAP)
    sheet = Image.new("RGB", (columns * step[0] + _GAP, rows * step[1] + _GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for number, (shot, lines) in enumerate(zip(shots, captions, strict=True)):
        x, y = _GAP + number % columns * step[0], _GAP + number // columns * step[1]
        middle = len(shot) // 2
        picture = Image.fromarray(shot.read(middle, middle + 1).eight_bit()[0])
        picture.thumbnail(_CELL, Image.Resampling.LANCZOS)
        sheet.paste("#202020", (x, y, x + width, y + height))
        sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
        for line, text in enumerate(lines):
            draw.text(
                (x, y + height + 3 + 17 * line), _fitted(text, font, width), "black" if line == 0 else "#555", font
            )
    with atomic_path(path) as temporary:
        sheet.save(temporary)


def _fitted(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """The end of a text that is too long, since names differ at their ends."""
    shown = text
    while len(shown) > 1 and font.getlength(shown if shown == text else f"…{shown}") > width:
        shown = shown[1:]
    return shown if shown == text else f"…{shown}"
