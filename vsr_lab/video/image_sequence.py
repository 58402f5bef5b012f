"""Folders of numbered images, read like a video."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL import ImageSequence as Pictures

from vsr_lab.core.clip import AnyFrames, Clip, Colour, check_range
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file

_REPLACE = "replace this file, or convert it to PNG or TIFF"
_FORMATS = ("PNG", "BMP", "TIFF", "JPEG", "WEBP")
_LARGEST = 2**28  # pixels of an animated WebP, which is converted as a whole
FRAME_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".exr"})


class ImageSequence:
    """A folder of images, read like a video in natural order of names.

    All images must have the same suffix, size and bit depth.

    Args:
        path: the folder.

    Raises:
        UserError: the folder has no images, images with different suffixes, or an image that is not a regular file.
    """

    rate = 25.0  # frames a second

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = sorted((f for f in path.iterdir() if f.suffix.lower() in FRAME_SUFFIXES), key=_counting)
        if not self.files:
            raise UserError(path, "contains no pictures", "give a folder of PNG files, or a video")
        kinds = sorted({file.suffix.lower() for file in self.files})
        if len(kinds) > 1:
            problem = f"contains pictures of several types ({', '.join(kinds)})"
            raise UserError(path, problem, "keep the pictures of one type")
        for file in self.files:
            check_file(file, "replace it by a picture file")  # a pipe would be waited for
        self._size: tuple[int, int] | None = None
        self._depth: np.dtype[Any] | None = None  # of the first image read

    @property
    def frames(self) -> int:
        return len(self.files)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, read from the header of the first image only, which is fast for large datasets."""
        if self._size is None:
            self._size = _size_of(self.files[0])
        return self._size

    def read(self, start: int, stop: int) -> Clip:
        """Read frames start..stop-1.

        Raises UserError if there are no such frames, or if an image cannot be read or differs in size or bit depth.
        """
        check_range(self.path, self.frames, start, stop)
        pictures: list[AnyFrames] = []
        for file in self.files[start:stop]:
            if (size := _size_of(file)) != self.size:  # before memory is allocated for it
                problem = f"is {size[1]}x{size[0]}, but the first frame is {self.size[1]}x{self.size[0]}"
                raise UserError(file, problem, "resize all frames to the same size")
            picture = _read_picture(file)
            pictures.append(picture)
            self._depth = self._depth or picture.dtype
            if picture.dtype != self._depth:
                depth, others = picture.dtype.itemsize * 8, self._depth.itemsize * 8
                problem = f"has {depth} bits per sample, but others have {others}"
                raise UserError(file, problem, "convert all frames to the same depth")
        return Clip(np.stack(pictures), np.arange(start, stop) / self.rate, Colour(), self.path)

    def playlist(self) -> bytes:
        """Content of a playlist for FFmpeg's concat demuxer, by which the images are read as a video.

        Raises UserError if a path contains a character that cannot be printed.
        """
        names = [str(file.absolute()) for file in self.files]
        if broken := next((name for name in names if not name.isprintable()), None):
            raise UserError(ascii(broken), "has a name with control characters", "rename the file")
        lines = ["file '{}'\nduration {}".format(name.replace("'", r"'\''"), 1 / self.rate) for name in names]
        return "\n".join(["ffconcat version 1.0", *lines]).encode()


@contextmanager
def open_picture(path: Path) -> Generator[Image.Image]:
    """Context manager that opens a PNG, BMP, TIFF, JPEG or WebP picture in Pillow, whatever its file is called.

    Other types are refused. Pillow alone detects the type from the content, and would run the program in a PostScript
    file that is named photo.jpg.

    Raises:
        UserError: the picture cannot be read, also within the with block.
    """
    kinds = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
    with (
        reported(kinds, path, "is not a picture that can be read ({})", _REPLACE),
        Image.open(path, formats=_FORMATS) as image,
    ):
        yield image


def _size_of(path: Path) -> tuple[int, int]:
    with open_picture(path) as picture:
        return picture.height, picture.width


@lru_cache(maxsize=1)
def as_apng(path: Path) -> bytes:
    """Convert an animated WebP file, which FFmpeg does not decode, to APNG. Returns b"" for other files.

    Equal neighbouring frames are merged to one, with the sum of their durations. Raises UserError for an animation that
    needs too much memory.
    """
    try:
        with Image.open(path, formats=["WEBP"]) as image:
            pixels = image.width * image.height * getattr(image, "n_frames", 1)
            if not getattr(image, "is_animated", False):
                return b""
            if pixels > _LARGEST:
                problem = f"has {pixels / 1e6:,.0f} million pixels in all frames; the maximum is {_LARGEST / 1e6:,.0f}"
                raise UserError(path, problem, "convert it to a video, such as .mkv")
            frames = [(frame.copy(), frame.info["duration"]) for frame in Pictures.Iterator(image)]
    except (OSError, Image.DecompressionBombError):
        return b""
    pictures, durations = zip(*frames, strict=True)
    buffer = BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:], duration=durations)
    return buffer.getvalue()


def _counting(path: Path) -> list[tuple[int, str]]:
    """Key of natural sorting: frame10 after frame9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _read_picture(path: Path) -> AnyFrames:
    try:
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # a header that declares over 2**30 pixels
        picture = None
    if picture is None:
        raise UserError(path, "is not a picture that can be read", _REPLACE)
    if picture.dtype.name not in {"uint8", "uint16"}:
        raise UserError(path, f"has samples of type {picture.dtype}", "convert it to 8 or 16 bits first")
    if picture.ndim == 2:
        return np.ascontiguousarray(picture[..., None].repeat(3, 2))  # pyright: ignore[reportReturnType]
    return np.ascontiguousarray(picture[..., 2::-1])  # BGR(A) to RGB  # pyright: ignore[reportReturnType]
