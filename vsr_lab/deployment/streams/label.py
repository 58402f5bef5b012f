"""The visible label: a line of text at the bottom of every frame that discloses the upscaling by a neural network."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vsr_lab.core.clip import AnyFrames
from vsr_lab.core.errors import UserError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LABEL = "Upscaled by a neural network: not recorded fact"
EVIDENCE = "Left: original, bicubic. Right: model prediction, not recorded fact"
_TEXT = 0.65  # level of the letters: in PQ, full white would dazzle
_BOX = 0.85  # opacity of the black strip behind them
_LARGEST, _SMALLEST = 1 / 30, 8  # letters: share of the height, and pixels, of which fewer cannot be read
_SHARE = 1 / 4  # of the height that the strip takes at most, if letters can be made smaller


class Label:
    """Draws a line of text over the bottom of frames, on a dark strip.

    Args:
        text: the text, which is broken into lines if the frame is narrow.
        size: width and height of the frames.

    Raises:
        UserError: the text would take more than half of the frame.
    """

    def __init__(self, text: str, size: tuple[int, int]) -> None:
        width, height = size
        points = max(_SMALLEST, round(height * _LARGEST))
        font, lines, strip = _layout(text, points, width)
        while points > _SMALLEST and (strip > height * _SHARE or font.getlength(max(lines, key=len)) > width):
            points -= 1
            font, lines, strip = _layout(text, points, width)
        if strip > height / 2:
            raise UserError("label=visible", f"needs {strip} of {height} rows", "set label=null for frames this small")
        self.text = text
        mask = Image.new("L", (width, strip))
        place = (width / 2, strip / 2)
        ImageDraw.Draw(mask).multiline_text(place, "\n".join(lines), 255, font, "mm", points * 0.25, "center")
        letters = np.asarray(mask, np.float32)[..., None] / 255
        self._alpha = letters + _BOX * (1 - letters)
        self._light = letters * _TEXT

    def draw(self, picture: AnyFrames) -> AnyFrames:
        """The picture (H, W, 3), uint8 or uint16, with the label."""
        drawn, rows = picture.copy(), len(self._alpha)
        strip = drawn[-rows:] * (1 - self._alpha) + self._light * np.iinfo(picture.dtype).max
        drawn[-rows:] = np.rint(strip)
        return drawn

    def cover(self, alpha: npt.NDArray[np.uint8 | np.uint16]) -> npt.NDArray[np.uint8 | np.uint16]:
        """Copy of an alpha channel (H, W) that is opaque where the label is."""
        covered = alpha.copy()
        covered[-len(self._alpha) :] = np.iinfo(alpha.dtype).max
        return covered


def _layout(text: str, points: int, width: int) -> tuple[Font, list[str], int]:
    """The font, the lines that text is broken into, and the height of the strip for them."""
    font = ImageFont.load_default(points)
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width - points:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return font, lines, len(lines) * round(points * 1.25) + points // 2
