"""Photographs for the camera: found in a folder, read into linear light, with an estimated depth."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from vsr_lab.core.errors import UserError
from vsr_lab.footage.tables import check_paths, read_rows
from vsr_lab.video import open_picture

Picture = NDArray[Any]  # float32
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


@dataclass(frozen=True)
class Still:
    """A photograph: its file, (height, width) of the upright picture, and its values in the folder's manifest.csv."""

    path: Path
    size: tuple[int, int]
    content_type: str
    licence: str
    source: str


def find_stills(folder: Path) -> list[Still]:
    """Find every picture below folder, sorted by name.

    A file manifest.csv in the folder may state content_type, licence and source of each picture, which is given by its
    path.

    Raises:
        UserError: there is no folder or no picture in it, or a picture or the manifest cannot be read.
    """
    if not folder.is_dir():
        raise UserError(folder, "is not a folder", "set stills=FOLDER, a folder of photographs")
    known = _manifest(folder / "manifest.csv")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not paths:
        raise UserError(folder, "contains no pictures", f"add pictures of type {', '.join(sorted(_ENDINGS))}")
    return [_still(path, known.get(path.relative_to(folder).as_posix(), {})) for path in paths]


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    check_paths(path, rows := read_rows(path))
    return {row["path"]: row for row in rows}


def _still(path: Path, row: dict[str, str]) -> Still:
    with open_picture(path) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) >= 5:  # lying on its side
            width, height = height, width
    source = "; ".join(part for part in (path.name, row.get("source", "")) if part)
    return Still(path, (height, width), row.get("content_type") or "", row.get("licence") or "", source)


@lru_cache(maxsize=4)
def read_linear(path: Path) -> Picture:
    """Read an upright picture, RGB float32 (H, W, 3) in [0, 1] in linear light. Raises UserError if it is damaged."""
    with open_picture(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    return _TO_LINEAR[upright]


def _to_linear(code: NDArray[np.float64]) -> Picture:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


_TO_LINEAR = _to_linear(np.arange(256) / 255)  # IEC 61966-2-1


def to_bytes(linear: Picture) -> NDArray[np.uint8]:
    """Convert linear light to sRGB uint8, rounded; values outside [0, 1] are clipped."""
    light = np.clip(linear, 0, 1)
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, np.float32(1 / 2.4)) - 0.055)
    return (code * 255 + 0.5).astype(np.uint8)


def nearness(picture: Picture) -> Picture:
    """Estimate the nearness of each position, from 0 (far) to 1 (near), at 1/8 of the size of the picture.

    Positions that are low in the picture or salient are treated as near. This is not the true depth, but it is smooth
    and gives a plausible parallax.
    """
    height, width = picture.shape[:2]
    small = cv2.resize(np.sqrt(picture), (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA)
    wide = max(small.shape[:2]) * 0.06
    apart = np.linalg.norm(small - cv2.GaussianBlur(small, (0, 0), 4 * wide), axis=2)
    standing_out = cv2.GaussianBlur(apart.astype(np.float32), (0, 0), wide)
    standing_out /= max(float(standing_out.max()), 1e-6)
    down = np.linspace(0, 1, small.shape[0], dtype=np.float32)[:, None]
    return (0.55 * down + 0.45 * standing_out).astype(np.float32)


def detail(picture: Picture) -> Picture:
    """Local detail at 1/16 of the size: mean squared difference of neighbouring pixels."""
    grey = np.sqrt(picture.mean(2))
    steps = np.square(np.diff(grey, axis=1, append=grey[:, -1:])) + np.square(np.diff(grey, axis=0, append=grey[-1:]))
    size = (max(1, grey.shape[1] // 16), max(1, grey.shape[0] // 16))
    small = cv2.resize(steps, size, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), max(size) / 10, borderType=cv2.BORDER_REFLECT)
