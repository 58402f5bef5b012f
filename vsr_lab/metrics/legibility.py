"""Legibility of text: text that is recognised (OCR) in SR is compared with that in HR. PSNR of the areas with text."""

import importlib
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import judged_channels, to_frames
from vsr_lab.core.errors import reported
from vsr_lab.metrics.fidelity import decibels

CERTAIN = 0.9  # confidence of the reader, from which a line of HR is a reference
SHORTEST = 3  # characters of a line


class Line(NamedTuple):
    """A line of text that was recognised in a frame, and the rectangle around it in pixels."""

    text: str
    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def cut(self, frame: np.ndarray) -> np.ndarray:
        """Cut the rectangle of the line out of a frame (H, W, C)."""
        return np.ascontiguousarray(frame[self.top : self.bottom, self.left : self.right])


@lru_cache(maxsize=1)
def reader() -> Any:
    """Load the text recognition model (OCR) PP-OCRv4 from the package RapidOCR.

    Raises:
        UserError: the extra `legibility` is not installed.
    """
    problem = "its package is not installed ({}), and there is none for Python 3.13"
    hint = (
        "pip install 'vsr-lab[legibility]' (Python 3.11 or 3.12), or remove the metric (~protocol.metrics.legibility)"
    )
    with reported(ImportError, "legibility", problem, hint):
        module = importlib.import_module("rapidocr_onnxruntime")
    return module.RapidOCR(intra_op_num_threads=torch.get_num_threads())


def find_text(hr: Tensor) -> list[list[Line]]:
    """Find and read the lines of text in HR frames, by text recognition.

    Args:
        hr: (B, T, 3, H, W), RGB in [0, 1].

    Returns:
        For each of the B * T frames, the lines of at least 3 characters that are recognised with a confidence of 0.9 or
        more.
    """
    frames: list[list[Line]] = []
    last: np.ndarray | None = None
    for frame in to_frames(hr.flatten(0, 1)):
        if last is not None and np.array_equal(frame, last):
            frames.append(frames[-1])
            continue
        found, _ = reader()(frame[..., ::-1], use_cls=False)
        height, width = frame.shape[:2]
        lines = [_line(np.asarray(box), height, width) for box, _, _ in found or ()]
        frames.append([line._replace(text=text) for line, text in _read(frame, lines)])
        last = frame
    return frames


def read_text(sr: Tensor, text_hr: Sequence[Sequence[Line]]) -> list[list[str]]:
    """Read the text in SR frames at the positions of the lines of HR, by text recognition.

    Args:
        sr: (B, T, 3, H, W), RGB in [0, 1].
        text_hr: result of `find_text`: for each of the B * T frames, the lines of HR.

    Returns:
        For each of the B * T frames, the text of each line.
    """
    return [_texts(frame, lines)[0] for frame, lines in zip(to_frames(sr.flatten(0, 1)), text_hr, strict=True)]


def legibility(
    sr: Tensor,
    text_sr: Sequence[Sequence[str]],
    text_hr: Sequence[Sequence[Line]],
    *,
    least: float = 0,
    most: float = math.inf,
) -> Tensor:
    """Fraction of the characters of HR that are read correctly from SR, in [0, 1]; higher is better.

    For a frame with n characters in HR, the fraction is 1 - e / n, which is 1 - character error rate. Here e is the sum
    over lines of the edit distance between the text in HR and the text that is recognised in the same rectangle of SR.
    If the edit distance of a line exceeds its number of characters in HR, this number is used instead.

    Args:
        sr: (B, T, 3, H, W); only its shape is used.
        text_sr: result of `read_text`: for each of the B * T frames, the text of each line.
        text_hr: result of `find_text`: for each of the B * T frames, the lines of HR.
        least, most: bounds of the height of lines in HR pixels; only lines with least <= height < most are counted.

    Returns:
        (B, T), NaN for a frame without such lines.
    """
    shares: list[float] = []
    for texts, lines in zip(text_sr, text_hr, strict=True):
        pairs = [(text, line.text) for text, line in zip(texts, lines, strict=True) if least <= line.height < most]
        characters = sum(len(expected) for _, expected in pairs)
        errors = sum(min(edit_distance(text, expected), len(expected)) for text, expected in pairs)
        shares.append(1 - errors / characters if characters else math.nan)
    return torch.tensor(shares, dtype=torch.float64).view(sr.shape[:2])


def psnr_text(sr: Tensor, hr: Tensor, colour: str, text_hr: Sequence[Sequence[Line]]) -> Tensor:
    """PSNR in dB over the pixels inside the lines of text of HR; 100 dB for identical pixels.

    Args:
        sr, hr: (B, T, 3, H, W) in [0, 1].
        colour: "y" for BT.601 luma, "rgb" for the three channels together.
        text_hr: result of `find_text`: for each of the B * T frames, the lines of HR.

    Returns:
        (B, T), NaN for a frame without text.
    """
    square = (judged_channels(sr, colour) - judged_channels(hr, colour)).square().flatten(0, 1)
    masks = torch.zeros_like(square[:, :1], dtype=torch.bool)
    for mask, lines in zip(masks, text_hr, strict=True):
        for line in lines:
            mask[:, line.top : line.bottom, line.left : line.right] = True
    inside = torch.stack([each[:, mask[0]].mean() for each, mask in zip(square, masks, strict=True)])
    return decibels(inside).view(sr.shape[:2])


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: smallest number of insertions, deletions and substitutions that turn a into b."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (one != other))
    return row[-1]


def _line(box: np.ndarray, height: int, width: int) -> Line:
    """The upright rectangle around the corners of a box, inside a frame."""
    left, top = (max(0, math.floor(edge)) for edge in box.min(0))
    right, bottom = box.max(0)
    return Line("", left, top, min(width, math.ceil(right)), min(height, math.ceil(bottom)))


def _read(frame: np.ndarray, lines: Sequence[Line]) -> list[tuple[Line, str]]:
    """The lines that are read with certainty, and their text."""
    read = zip(lines, *_texts(frame, lines), strict=True)
    return [(line, text) for line, text, score in read if score >= CERTAIN and len(text) >= SHORTEST]


def _texts(frame: np.ndarray, lines: Sequence[Line]) -> tuple[list[str], list[float]]:
    if not lines:
        return [], []
    found, _ = reader().text_rec([line.cut(frame)[..., ::-1] for line in lines])
    return [str(text) for text, *_ in found], [float(score) for _, score, *_ in found]
