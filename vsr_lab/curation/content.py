"""A suggestion of what kind of picture a clip holds: a logistic model of features that a person can check by eye.

Which kinds there are, and every weight, is data: configs/base/content_model.yaml, by benchmarks/content_types.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsr_lab.core.errors import UserError
from vsr_lab.curation.features import FEATURES

UNSURE = "unsure"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """kind: the likeliest, or "unsure" where its chance is below what the model asks for; because: the two features
    that speak most for the likeliest against the next."""

    kind: str
    confidence: float
    because: tuple[str, str]


class ContentModel:
    """P(kind | features) = softmax((bias + sum of weight * z) / temperature), z = (feature - mean) / deviation, cut at
    +-3 so that no single odd feature decides.

    features: name -> {"mean", "deviation"}; kinds: kind -> {"bias", feature: weight, ...}; temperature: calibrates the
    chances; sure: the chance from which a suggestion is made. Raises UserError for a feature that is not measured.
    """

    def __init__(
        self,
        features: Mapping[str, Mapping[str, float]],
        kinds: Mapping[str, Mapping[str, float]],
        temperature: float,
        sure: float,
    ) -> None:
        unknown = [name for name in features if name not in FEATURES]
        if unknown:
            raise UserError(f"content_model.features.{unknown[0]}", "is not measured", f"known: {', '.join(FEATURES)}")
        self.kinds, self.names = tuple(kinds), tuple(features)
        self.temperature, self.sure = temperature, sure
        self._columns = [FEATURES.index(name) for name in features]
        self._mean = np.array([facts["mean"] for facts in features.values()])
        self._deviation = np.array([facts["deviation"] for facts in features.values()])
        self._bias = np.array([weights["bias"] for weights in kinds.values()])
        self._weights = np.array([[weights[name] for name in features] for weights in kinds.values()])

    def chances(self, looks: Array) -> Array:
        """Chance of each kind given some looks at one clip (R x FEATURES), which are weighed alike. Sums to 1."""
        logits = self._logits(looks) / self.temperature
        chances = np.exp(logits - logits.max())
        return chances / chances.sum()

    def suggest(self, looks: Array) -> Suggestion:
        """The likeliest kind of a clip (R x FEATURES, R > 0)."""
        chances = self.chances(looks)
        best, second = (int(i) for i in np.argsort(-chances)[:2])
        speaks = self._standard(looks).mean(0) * (self._weights[best] - self._weights[second])
        order = np.argsort(-speaks)
        because = (self.names[int(order[0])], self.names[int(order[1])])
        confidence = float(chances[best])
        return Suggestion(self.kinds[best] if confidence >= self.sure else UNSURE, confidence, because)

    def _standard(self, looks: Array) -> Array:
        return ((looks[:, self._columns] - self._mean) / self._deviation).clip(-3, 3)

    def _logits(self, looks: Array) -> Array:
        return (self._bias + self._standard(looks) @ self._weights.T).mean(0)
