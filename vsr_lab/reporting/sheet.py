"""The pictures of a comparison on one sheet, for where a page cannot be opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.files import atomic_path

_SIDE = 208
_GAP = 8
_HEAD = 26


def write_sheet(comparison: Mapping[str, Any], root: Path, path: Path) -> None:
    """A row a suite (its first clip), a column for LR, every candidate and the truth, with PSNR and flicker beneath.

    comparison: as `compare` returns it, its pictures relative to root.
    """
    numbers = {(c["candidate"], c["suite"], c["metric"]): c["mean"] for c in comparison["cells"]}
    firsts = {picture["suite"]: picture for picture in reversed(comparison["pictures"])}
    rows = [firsts[suite["name"]] for suite in comparison["suites"]]
    names = [candidate["name"] for candidate in comparison["candidates"]]
    columns = ["low resolution", *names, "truth"]
    size = (len(columns) * (_SIDE + _GAP) + _GAP, len(rows) * (_SIDE + _HEAD + _GAP) + _HEAD + _GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for j, name in enumerate(columns):
        draw.text((_GAP + j * (_SIDE + _GAP), 6), name, "black", font)
    for i, row in enumerate(rows):
        top = _HEAD + i * (_SIDE + _HEAD + _GAP)
        made = {entry["candidate"]: entry["sr"] for entry in row["candidates"]}
        files = [row["lr"], *(made.get(name) for name in names), row["hr"]]
        captions = [row["suite"], *(_caption(numbers, name, row["suite"]) for name in names), ""]
        for j, (file, caption) in enumerate(zip(files, captions, strict=True)):
            left = _GAP + j * (_SIDE + _GAP)
            if file:
                with Image.open(root / file) as picture:
                    sheet.paste(picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.NEAREST), (left, top))
            draw.text((left, top + _SIDE + 4), caption, "black", font)
    with atomic_path(path) as temporary:
        sheet.save(temporary)


def _caption(numbers: Mapping[tuple[str, str, str], float], candidate: str, suite: str) -> str:
    shown = (("psnr", "{:.2f} dB"), ("flicker", "flicker {:.2f}"))
    known = ((numbers.get((candidate, suite, metric)), text) for metric, text in shown)
    return ", ".join(text.format(value) for value, text in known if value is not None)
