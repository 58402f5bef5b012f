"""Sheets of labelled rows of pictures."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

from vsr_lab.core.clip import Frames
from vsr_lab.core.files import atomic_path

_GAP, _HEAD = 4, 18


def save(path: Path, rows: Iterable[tuple[str, list[Frames]]], count: int) -> None:
    """Writes a PNG of `count` rows, each a label (or none) over pictures of one size."""
    found = list(track(rows, "drawing", total=count))
    high, wide = found[0][1][0].shape[:2]
    columns = max(len(pictures) for _, pictures in found)
    heights = [high + _GAP + _HEAD * bool(label) for label, _ in found]
    sheet = Image.new("RGB", (columns * (wide + _GAP) + _GAP, _GAP + sum(heights)), "white")
    draw, font, y = ImageDraw.Draw(sheet), ImageFont.load_default(13), _GAP
    for label, pictures in found:
        if label:
            draw.text((_GAP, y), label, "black", font)
            y += _HEAD
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_GAP + column * (wide + _GAP), y))
        y += high + _GAP
    with atomic_path(path) as temporary:
        sheet.save(temporary, optimize=True)
    print(f"{path}: {sheet.width}x{sheet.height}, {path.stat().st_size / 1e6:.1f} MB")
