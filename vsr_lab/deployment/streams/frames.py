"""Conversion of RGB frames to the pixel format, colour matrix and range of the output, and drawing of a label.

The label, at the bottom of every frame, states that the video was upscaled by a neural network.
"""

import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from PIL import Image, ImageColor, ImageDraw, ImageFont

from vsr_lab.core.clip import AnyFrames, Colour, ycbcr_matrix
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.records.deployment import VideoPlan
from vsr_lab.video.color_conversion import bits_of, filter_graph, is_gray, is_rgb, yuv_to_rgb_matrix
from vsr_lab.video.linear_light import decoded, is_linear

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
            raise UserError(
                "label",
                f"needs {strip} rows, more than half of the {height} rows of the output",
                "set label=null and evidence=false",
            )
        self.text = text
        mask = Image.new("L", (width, strip))
        place = (width / 2, strip / 2)
        ImageDraw.Draw(mask).multiline_text(place, "\n".join(lines), 255, font, "mm", points * 0.25, "center")
        letters = np.asarray(mask, np.float32)[..., None] / 255
        self._alpha = letters + _BOX * (1 - letters)
        self._light = letters * _TEXT

    def draw(self, picture: AnyFrames) -> AnyFrames:
        """Copy of a picture (H, W, 3), uint8 or uint16, with the label."""
        drawn, rows = picture.copy(), len(self._alpha)
        strip = drawn[-rows:] * (1 - self._alpha) + self._light * np.iinfo(picture.dtype).max
        drawn[-rows:] = np.rint(strip)
        return drawn

    def cover(self, alpha: AnyFrames) -> AnyFrames:
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


MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}  # by H.273 code point
_SWSCALE = {"bt709": "bt709", "fcc": "fcc", "bt601": "smpte170m", "smpte240m": "smpte240m", "bt2020": "bt2020"}
# Without these flags swscale's 4:2:0 is off by up to 157 levels, and its default chroma location is not the one players
# assume. Of 16-bit RGB its result is half a level too bright, so it only subsamples and reduces bit depth there.
_SCALE = (
    "in_color_matrix={matrix}:in_range={given}:out_color_matrix={matrix}:out_range={range}:out_chroma_loc=left"
    ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:sws_dither={dither}"
)


class FrameEncoder:
    """Converts RGB (H, W, 3), uint8 or uint16, to frames in the planned pixel format, with the planned label if any."""

    def __init__(self, plan: VideoPlan) -> None:
        self._plan = plan
        self._format = plan.pixel_format
        self._colour = Colour(MATRICES.get(plan.matrix, "bt709"), plan.range == "full")
        self._alpha = self._format.startswith(("yuva", "gbrapf"))
        self._opaque = self._format.replace("yuva", "yuv") if self._alpha else self._format
        self._label = Label(plan.label, plan.size) if plan.label else None
        self._graph: Graph | None = None
        self._carrier: Graph | None = None

    def __call__(
        self, picture: AnyFrames, alpha: AnyFrames | None = None, like: VideoFrame | None = None
    ) -> VideoFrame:
        """Convert one frame.

        Args:
            picture: RGB (H, W, 3).
            alpha: (H, W) of the same type, for pixel formats with alpha.
            like: a decoded frame whose captions and other side data are copied.
        """
        if self._label:
            picture = self._label.draw(picture)
            alpha = None if alpha is None else self._label.cover(alpha)
        if is_gray(self._format):
            frame = self._gray(picture)
        elif is_rgb(self._format):
            frame = self._rgb(picture, alpha)
        else:
            frame = self._yuv(picture)
            if self._alpha:
                frame = self._with_alpha(frame, alpha)
        if like is not None:
            frame = self._with_side_data(frame, like)
        frame.colorspace, frame.color_range = self._plan.matrix, 2 if self._plan.range == "full" else 1
        frame.color_primaries, frame.color_trc = self._plan.primaries, self._plan.transfer
        return frame

    def shown(self, picture: AnyFrames) -> AnyFrames:
        """Picture from which the perceptual hash of a frame is computed.

        Args:
            picture: frame of the source, RGB (H, W, 3).

        Returns:
            The frame; if the output has a label, in the size of the output and with the label.
        """
        if self._label is None:
            return picture
        return self._label.draw(cv2.resize(picture, self._plan.size, interpolation=cv2.INTER_LINEAR))  # pyright: ignore[reportArgumentType]

    def _gray(self, picture: AnyFrames) -> VideoFrame:
        """Compute luma with the plan's matrix and range; swscale would use BT.601 and full range."""
        bits = bits_of(self._format)
        weights = ycbcr_matrix(self._colour.matrix)[0] / np.iinfo(picture.dtype).max
        luma = picture.astype(np.float32) @ weights.astype(np.float32)
        step = 2.0 ** (bits - 8)
        levels = luma * (2.0**bits - 1) if self._colour.full_range else (16 + 219 * luma) * step
        codes = np.rint(levels).astype(np.uint8 if bits == 8 else np.uint16)
        frame = VideoFrame(codes.shape[1], codes.shape[0], self._format)
        _fill(frame, 0, codes)
        return frame

    def _rgb(self, picture: AnyFrames, alpha: AnyFrames | None) -> VideoFrame:
        if is_linear(self._format):
            return self._linear(picture, alpha)
        deep = picture.dtype == np.uint16
        if alpha is not None:
            picture = np.dstack([picture, alpha])  # pyright: ignore[reportAssignmentType]
        kind = ("rgba64le" if deep else "rgba") if alpha is not None else ("rgb48le" if deep else "rgb24")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=kind)  # pyright: ignore[reportArgumentType]
        return self._through(frame, "") if kind != self._format else frame

    def _linear(self, picture: AnyFrames, alpha: AnyFrames | None) -> VideoFrame:
        """Decode to linear light, with premultiplied alpha, rounded to half floats if the plan has these."""
        light = decoded(picture, self._plan.transfer)
        if self._alpha:
            opaque = np.ones_like(light[..., :1]) if alpha is None else alpha[..., None] / np.iinfo(alpha.dtype).max
            light = np.concatenate([light * opaque, opaque], -1, dtype=np.float32)
        if self._plan.options.get("format") == "half":
            light = light.astype(np.float16).astype(np.float32)  # FFmpeg rounds down
        return VideoFrame.from_ndarray(light, format=self._format)

    def _yuv(self, picture: AnyFrames) -> VideoFrame:
        deep = picture.dtype == np.uint16
        if deep:
            to_rgb = yuv_to_rgb_matrix(self._colour, 16, 65535)
            to_yuv = np.linalg.inv(to_rgb[:, :3])
            codes = cv2.transform(picture.astype(np.float32), np.hstack([to_yuv, -to_yuv @ to_rgb[:, 3:]]))
            codes = np.clip(np.rint(codes), 0, 65535).astype(np.uint16)
            frame = VideoFrame.from_ndarray(codes, format="yuv444p16le", channel_last=True)
        else:
            frame = VideoFrame.from_ndarray(picture, format="rgb24")  # pyright: ignore[reportArgumentType]
        scale = _SCALE.format(
            matrix=_SWSCALE[self._colour.matrix],
            range=self._plan.range,
            given=self._plan.range if deep else "full",
            dither="none" if deep else "auto",
        )
        return self._through(frame, scale)

    def _through(self, frame: VideoFrame, scale: str) -> VideoFrame:
        if self._graph is None:
            self._graph = filter_graph(frame, scale, self._opaque)
        self._graph.push(frame)
        return self._graph.vpull()

    def _with_alpha(self, frame: VideoFrame, alpha: AnyFrames | None) -> VideoFrame:
        made = VideoFrame(frame.width, frame.height, self._format)
        _copy_planes(frame, made)
        bits = bits_of(self._format)
        opaque = np.full((frame.height, frame.width), 255, np.uint8) if alpha is None else alpha
        levels = opaque.astype(np.float32) * ((2.0**bits - 1) / np.iinfo(opaque.dtype).max)
        _fill(made, 3, np.rint(levels).astype(np.uint8 if bits == 8 else np.uint16))
        return made

    def _with_side_data(self, frame: VideoFrame, like: VideoFrame) -> VideoFrame:
        """Copy side data from a decoded frame.

        PyAV cannot attach side data. So the frame that has it is scaled, and its samples are replaced.
        """
        if self._carrier is None:
            size = f"{frame.width}:{frame.height}:flags=neighbor"
            self._carrier = filter_graph(like, size, self._format)
        self._carrier.push(like)
        made = self._carrier.vpull()
        _copy_planes(frame, made)
        return made


def color_of(name: str) -> tuple[int, int, int]:
    """Red, green and blue in 8 bits of a colour name, such as "black". Raises UserError if there is no such colour."""
    with reported(ValueError, f"background={name}", "is not a color", "set a color such as black or #00ff00"):
        red, green, blue = ImageColor.getrgb(name)[:3]
    return red, green, blue


def composited(picture: AnyFrames, alpha: AnyFrames, color: tuple[int, int, int]) -> AnyFrames:
    """Composite a picture with straight (not premultiplied) alpha on a colour (R, G, B in 8 bits)."""
    peak = np.iinfo(picture.dtype).max
    share = (alpha.astype(np.float32) / np.iinfo(alpha.dtype).max)[..., None]
    behind = np.array(color, np.float32) * (peak / 255)
    return np.rint(picture * share + behind * (1 - share)).astype(picture.dtype)


def resized_alpha(alpha: AnyFrames, picture: AnyFrames) -> AnyFrames:
    """Resize an alpha channel (h, w) to the size of a picture (H, W, 3), and convert it to the picture's bit depth."""
    peak = np.iinfo(picture.dtype).max
    levels = alpha.astype(np.float32) * (peak / np.iinfo(alpha.dtype).max)
    large = cv2.resize(levels, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large), 0, peak).astype(picture.dtype)


def _copy_planes(source: VideoFrame, target: VideoFrame) -> None:
    for number, plane in enumerate(source.planes):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        _fill(target, number, rows)


def _fill(frame: VideoFrame, number: int, samples: AnyFrames) -> None:
    """Write the rows of a plane, which may have padding."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    given = np.ascontiguousarray(samples).view(np.uint8).reshape(plane.height, -1)
    width = min(rows.shape[1], given.shape[1])
    rows[:, :width] = given[:, :width]
