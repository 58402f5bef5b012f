"""Interpretable features of two consecutive frames, and suggestion of a content type by logistic regression on them.

Content types and weights are in configs/base/content_model.yaml, which benchmarks/content_types.py writes.
"""

from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import farneback
from vsr_lab.core.parts import Number

Plane = npt.NDArray[np.float32]

_BLOCK = 8
_BAND = 64
_ENOUGH = 500_000  # pixels; of a larger frame every second, third, ... band of rows is measured
_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


FEATURES = (
    "motion", "still", "brightness", "contrast", "detail", "noise", "saturation", "gray", "warmth", "flat", "shaded",
    "palette", "common", "axial", "crisp", "peaked", "white", "texture", "lettered",
)  # fmt: skip


def measure(first: Frames, second: Frames, small: tuple[Frames, Frames]) -> npt.NDArray[np.float64]:
    """Compute the features of two consecutive frames.

    From these features, the content type is predicted and representative shots are chosen.

    Args:
        first, second: RGB (H, W, 3).
        small: the same two frames, downscaled, from which optical flow is computed.

    Returns:
        One value for each of `FEATURES`. Levels are 8-bit values (0..255); fractions are in [0, 1].

        - motion: mean optical flow, in percent of the picture's diagonal per frame.
        - still: fraction of pixels that change by at most 2 levels.
        - brightness, contrast: mean and standard deviation of luma, in [0, 1].
        - detail: mean gradient, in levels per pixel.
        - noise: standard deviation of the noise in the smoothest blocks, in levels (Immerkaer, "Fast noise variance
          estimation", 1996).
        - saturation: mean of max - min of RGB, in [0, 1].
        - gray: fraction of pixels almost without colour.
        - warmth: mean of R - B, in [-1, 1].
        - flat: fraction of 8x8 blocks that are uniform (standard deviation below 1 level).
        - shaded: fraction of 8x8 blocks with a soft gradient.
        - palette: log2 of the number of colours (of 4096 quantised ones) that cover 90 % of the pixels.
        - common: fraction of pixels in the four most common colours.
        - axial: fraction of edges that are vertical or horizontal.
        - crisp: fraction of strong edges that are one pixel wide.
        - peaked: log2 of the kurtosis of horizontal differences.
        - white: fraction of pixels with a level of at least 235.
        - texture: log2 of the amplitude of fine detail in the median block, in levels.
        - lettered: fraction of 16x16 blocks with strokes on a uniform background, as in text.
    """
    first, second = _bands(first), _bands(second)
    luma, after = (_gray(frame).astype(np.float32) for frame in (first, second))
    colors = _palette(first)
    red, green, blue = (first[..., i] for i in range(3))
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    values = {
        "motion": _motion(*small),
        "still": float((np.abs(luma - after) <= 2).mean()),
        "brightness": float(luma.mean()) / 255,
        "contrast": float(luma.std()) / 255,
        "saturation": float(chroma.mean()) / 255,
        "gray": float((chroma < 16).mean()),
        "warmth": float(red.mean() - blue.mean()) / 255,
        "palette": float(np.log2(1 + int(np.searchsorted(np.cumsum(colors), 0.9)))),
        "common": float(colors[:4].sum()),
        "white": float((luma >= 235).mean()),
        "lettered": _lettered(luma),
        **_edges(luma),
        **_blocks(luma),
    }
    return np.array([float(values[name]) for name in FEATURES])


def _bands(frame: Frames) -> Frames:
    skip = round(frame.shape[0] * frame.shape[1] / _ENOUGH)
    if skip < 2:
        return frame
    return np.concatenate([frame[top : top + _BAND] for top in range(0, frame.shape[0], skip * _BAND)])


def _gray(frame: Frames) -> Frames:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _motion(first: Frames, second: Frames) -> float:
    flow = farneback([(_gray(first), _gray(second))])[0].numpy()
    return 100 * float(np.hypot(flow[0], flow[1]).mean()) / float(np.hypot(*first.shape[:2]))


def _edges(luma: Plane) -> dict[str, float]:
    across, down = np.diff(luma, axis=1)[:-1], np.diff(luma, axis=0)[:, :-1]
    x, y = np.abs(across), np.abs(down)
    strong = np.maximum(x, y) > 24
    axial = strong & (np.minimum(x, y) < 0.15 * np.maximum(x, y))
    step = x[:, 1:-1] > 40
    crisp = step & (np.maximum(x[:, :-2], x[:, 2:]) < 0.3 * x[:, 1:-1])
    variance = float(across.var())
    square = np.square(across - across.mean())
    kurtosis = float(np.square(square).mean()) / variance**2 if variance > 1e-6 else 1.0
    return {
        "detail": float(np.hypot(x, y).mean()),
        "axial": _share(axial, strong),
        "crisp": _share(crisp, step),
        "peaked": float(np.log2(max(kurtosis, 1.0))),
    }


def _share(part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_]) -> float:
    """Ratio of the number of pixels in `part` to that in `whole`; shrunk towards 0.5 if `whole` has few pixels."""
    return float((part.sum() + 50) / (whole.sum() + 100))


def _tiled(plane: Plane, side: int) -> Plane:
    """Complete blocks of a plane: rows of blocks, columns of blocks, pixels of a block."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    cut = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(rows, columns, side * side)


def _blocks(luma: Plane) -> dict[str, float]:
    high = np.abs(np.asarray(cv2.filter2D(luma, -1, _NOISE_MASK)))
    blocks = _tiled(luma, _BLOCK)
    if not blocks.size:
        return {"flat": 0.0, "shaded": 0.0, "noise": 0.0, "texture": 0.0}
    deviation, mean = blocks.std(2), blocks.mean(2)
    sigma = _tiled(high, _BLOCK).mean(2) * np.sqrt(np.pi / 2) / 6
    lit = (mean > 8) & (mean < 247)  # clipped blocks hide their noise
    smooth = sigma[lit] if lit.mean() > 0.05 else sigma
    return {
        "flat": float((deviation < 1).mean()),
        "shaded": float(((deviation >= 1) & (deviation < 6) & (sigma < 1)).mean()),
        "noise": float(np.percentile(smooth, 10)),
        "texture": float(np.log2(np.median(sigma) + 0.05)),
    }


def _lettered(luma: Plane) -> float:
    blocks = _tiled(luma, 2 * _BLOCK)
    if not blocks.size:
        return 0.0
    ground = np.median(blocks, 2, keepdims=True)
    even = (np.abs(blocks - ground) <= 6).mean(2)
    return float(((np.ptp(blocks, axis=2) > 60) & (even > 0.35) & (even < 0.9)).mean())


def _palette(frame: Frames) -> npt.NDArray[np.float64]:
    """Fractions of the colours, quantised to four bits per channel, in descending order."""
    red, green, blue = (frame[..., i].astype(np.uint16) >> 4 for i in range(3))
    counts = np.bincount((red << 8 | green << 4 | blue).ravel(), minlength=4096)
    return np.sort(counts)[::-1] / max(1, counts.sum())


UNSURE = "unsure"

Array = npt.NDArray[np.float64]


class Suggestion(NamedTuple):
    """Content type that is suggested for a clip.

    Attributes:
        kind: the most probable content type, or "unsure" if its probability is too low.
        confidence: probability of the most probable type, in [0, 1].
        because: names of the two features that contribute most to the lead of the most probable type over the next.
    """

    kind: str
    confidence: float
    because: tuple[str, str]


class ContentModel(BaseModel):
    """Logistic regression that suggests the content type of a clip from its features.

    P(kind | features) = softmax((bias + sum of weight * z) / temperature), where z is (feature - mean) / deviation,
    clipped to [-3, 3] so that a single outlier cannot decide.

    Args:
        features: name -> {"mean", "deviation"}.
        kinds: content type -> {"bias", feature: weight, ...}.
        temperature: divisor by which the probabilities are calibrated, > 0.
        sure: minimum probability of a suggestion, in [0, 1]; below it, "unsure" is suggested.

    Raises:
        UserError: a feature is not one of `FEATURES`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: dict[str, dict[Literal["mean", "deviation"], Number]]
    kinds: dict[str, dict[str, Number]]
    temperature: Annotated[Number, Field(gt=0)]
    sure: Annotated[Number, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _features_are_measured(self) -> Self:
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown:
            raise UserError(
                f"content_model.features.{unknown[0]}", "is not a known feature", f"choose from {', '.join(FEATURES)}"
            )
        return self

    @cached_property
    def _weights(self) -> Array:
        return np.array([[weights[name] for name in self.features] for weights in self.kinds.values()])

    def probabilities(self, features: Array) -> Array:
        """Probability of each content type for a clip, from at least one pair of frames, (pairs, features)."""
        bias = np.array([weights["bias"] for weights in self.kinds.values()])
        logits = (bias + self._standardized(features) @ self._weights.T).mean(0) / self.temperature
        exponentials = np.exp(logits - logits.max())
        return exponentials / exponentials.sum()

    def suggest(self, features: Array) -> Suggestion:
        """Suggest the content type of a clip, from the features of at least one pair of frames, (pairs, features)."""
        probabilities = self.probabilities(features)
        best, second = (int(i) for i in np.argsort(-probabilities)[:2])
        evidence = self._standardized(features).mean(0) * (self._weights[best] - self._weights[second])
        because = [[*self.features][int(i)] for i in np.argsort(-evidence)[:2]]
        confidence = float(probabilities[best])
        kind = [*self.kinds][best] if confidence >= self.sure else UNSURE
        return Suggestion(kind, confidence, (because[0], because[1]))

    def _standardized(self, features: Array) -> Array:
        mean, deviation = (np.array([own[key] for own in self.features.values()]) for key in ("mean", "deviation"))
        return ((features[:, [*map(FEATURES.index, self.features)]] - mean) / deviation).clip(-3, 3)
