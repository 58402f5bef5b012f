"""Fonts inside installed packages, and their glyphs as masks."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.errors import UserError

_FOLDERS = {"matplotlib": "mpl-data/fonts/ttf"}  # others keep them in "files"
_FAMILIES = (  # regular, bold, italic; after @ the weight of a file that holds them all
    ("mono", "matplotlib", ("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique")),
    (
        "mono",
        "fontpkg_jetbrains_mono",
        ("JetBrainsMono[wght]@400", "JetBrainsMono[wght]@700", "JetBrainsMono-Italic[wght]@400"),
    ),
    (
        "mono",
        "fontpkg_jetbrains_mono",
        ("JetBrainsMono[wght]@600", "JetBrainsMono[wght]@800", "JetBrainsMono-Italic[wght]@600"),
    ),
    ("mono", "fontpkg_ibm_plex_mono", ("IBMPlexMono-Regular", "IBMPlexMono-Bold", "IBMPlexMono-Italic")),
    (
        "mono",
        "fontpkg_source_code_pro",
        ("SourceCodePro[wght]@400", "SourceCodePro[wght]@700", "SourceCodePro-Italic[wght]@400"),
    ),
    (
        "mono",
        "fontpkg_source_code_pro",
        ("SourceCodePro[wght]@500", "SourceCodePro[wght]@800", "SourceCodePro-Italic[wght]@500"),
    ),
    ("mono", "fontpkg_fira_code", ("FiraCode[wght]@400", "FiraCode[wght]@700", "FiraCode[wght]@300")),
    ("mono", "fontpkg_roboto_mono", ("RobotoMono[wght]@400", "RobotoMono[wght]@700", "RobotoMono-Italic[wght]@400")),
    (
        "mono",
        "fontpkg_inconsolata",
        ("Inconsolata[wdth,wght]@400", "Inconsolata[wdth,wght]@800", "Inconsolata[wdth,wght]@400"),
    ),
    ("mono", "matplotlib", ("cmtt10", "cmtt10", "cmtt10")),
    ("sans", "matplotlib", ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique")),
    ("sans", "font_roboto", ("Roboto-Regular", "Roboto-Bold", "Roboto-Italic")),
    ("sans", "font_roboto", ("Roboto-Light", "Roboto-Medium", "Roboto-LightItalic")),
    ("serif", "matplotlib", ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic")),
    ("serif", "matplotlib", ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic")),
)
_FINE = 4  # sub-positions per pixel of soft glyphs


@dataclass(frozen=True)
class Family:
    """Font files of a family in three styles, as paths; if a file has several weights, with @ and a weight appended."""

    regular: str
    bold: str
    italic: str


@dataclass(frozen=True)
class FontSet:
    """Installed font families by kind; `mono` is never empty, `sans` and `serif` may be empty."""

    mono: tuple[Family, ...]
    sans: tuple[Family, ...]
    serif: tuple[Family, ...]


def find_fonts() -> FontSet:
    """Find fonts in packages without importing them. Raises UserError if there is no monospaced font."""
    found: dict[str, list[Family]] = {"mono": [], "sans": [], "serif": []}
    for kind, package, names in _FAMILIES:
        for folder in _package_folders(package):
            parts = [name.partition("@") for name in names]
            files = [folder / _FOLDERS.get(package, "files") / f"{name}.ttf" for name, _, _ in parts]
            if all(file.is_file() for file in files):
                found[kind].append(
                    Family(*(f"{file}{at}{weight}" for file, (_, at, weight) in zip(files, parts, strict=True)))
                )
                break
    if not found["mono"]:
        raise UserError("screen footage", "needs fonts that are not installed", "pip install 'vsr-lab[demo]'")
    return FontSet(tuple(found["mono"]), tuple(found["sans"]), tuple(found["serif"]))


def file_of(path: str) -> str:
    """Path of a font file, without the weight."""
    return path.rpartition(".ttf")[0] + ".ttf"


def covers(family: Family, letters: str) -> bool:
    """Whether the family has a glyph for each of the letters."""
    missing = _glyph(family.regular, 20, "\U0010ffff", False, 0)[0].tobytes()
    return all(_glyph(family.regular, 20, char, False, 0)[0].tobytes() != missing for char in letters)


def _package_folders(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in (spec and spec.submodule_search_locations) or ()]


@dataclass(frozen=True)
class Font:
    """One font file at one size in logical pixels.

    Text is laid out at zoom 1 and the positions are multiplied by the zoom, so that lines break at the same position at
    every zoom. By default the width of a character is a whole number of logical pixels, as in hinted desktop text;
    `soft` fonts are unhinted, with fractional widths.
    """

    path: str
    size: float
    soft: bool = False
    mono: bool = False

    def offsets(self, text: str) -> tuple[float, ...]:
        """Start of each character, and end of the text: len(text) + 1 distances in logical pixels."""
        return _offsets(self, text)

    def width(self, text: str) -> float:
        """Advance of `text` in logical pixels."""
        return _offsets(self, text)[-1]

    @property
    def cell(self) -> float:
        """Advance of a digit: the column width of a monospaced font."""
        return float(round(_load(self.path, self.size).getlength("0")))


@lru_cache(maxsize=256)
def _load(path: str, size: float) -> ImageFont.FreeTypeFont:
    file, weight = file_of(path), path.removeprefix(file_of(path))
    face = ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)
    if weight:
        places = [float(axis.get("default") or 0) for axis in face.get_variation_axes()]
        face.set_variation_by_axes([float(weight[1:]), *places[1:]])  # in all of ours the weight is the first axis
    return face


@lru_cache(maxsize=16384)
def _offsets(font: Font, text: str) -> tuple[float, ...]:
    if font.mono:
        return tuple(index * font.cell for index in range(len(text) + 1))
    places = [0.0]
    for char, after in zip(text, text[1:] + " ", strict=False):
        places.append(places[-1] + _advance(font, char, after))
    return tuple(places)


@lru_cache(maxsize=16384)
def _advance(font: Font, char: str, after: str) -> float:
    fine = 16 if font.soft else 1
    face = _load(font.path, font.size * fine)
    return (face.getlength(char + after) - face.getlength(after)) / fine  # so that kerning is in


@lru_cache(maxsize=16384)
def _glyph(path: str, size: float, char: str, soft: bool, phase: int) -> tuple[Image.Image, int, int]:
    """Mask ("L") of one character, and its position relative to the pen on the baseline."""
    fine = _FINE if soft else 1
    face = _load(path, size * fine)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(char, anchor="ls"))
    x, y = (left + phase) // fine, top // fine
    wide, high = -(-(right + phase) // fine) - x, -(-bottom // fine) - y
    mask = Image.new("L", (max(1, wide) * fine, max(1, high) * fine))
    ImageDraw.Draw(mask).text((phase - x * fine, -y * fine), char, font=face, fill=255, anchor="ls")
    return (mask.reduce(fine) if soft else mask), x, y


def stamp(
    image: Image.Image, x: float, y: int, *, text: str, font: Font, zoom: float, colour: tuple[int, int, int]
) -> None:
    """Draw `text` into the image, from logical `x`, with its baseline on device row `y`."""
    fine = _FINE if font.soft else 1
    for char, offset in zip(text, font.offsets(text), strict=False):
        if char != " ":
            place, phase = divmod(int((x + offset) * zoom * fine + 0.5), fine)
            mask, left, top = _glyph(font.path, font.size * zoom, char, font.soft, phase)
            image.paste(colour, (place + left, y + top), mask)
