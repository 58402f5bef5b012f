"""Suggestion of a content type by a logistic model of interpretable features.

Content types and weights are in configs/base/content_model.yaml, which benchmarks/content_types.py writes.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import Number
from vsr_lab.curation.features import FEATURES

UNSURE = "unsure"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """Content type that is suggested for a clip.

    Attributes:
        kind: the most probable content type, or "unsure" if its probability is too low.
        confidence: its probability, in [0, 1].
        because: names of the two features that speak most for it and against the second most probable type.
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
        sure: minimum probability of a suggestion, in [0, 1].

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
            raise UserError(f"content_model.features.{unknown[0]}", "is not measured", f"known: {', '.join(FEATURES)}")
        return self

    @cached_property
    def _weights(self) -> Array:
        return np.array([[weights[name] for name in self.features] for weights in self.kinds.values()])

    def probabilities(self, features: Array) -> Array:
        """Probability of each content type, from the features of R > 0 frames of one clip, (R, number of features)."""
        bias = np.array([weights["bias"] for weights in self.kinds.values()])
        logits = (bias + self._standardized(features) @ self._weights.T).mean(0) / self.temperature
        exponentials = np.exp(logits - logits.max())
        return exponentials / exponentials.sum()

    def suggest(self, features: Array) -> Suggestion:
        """Suggest the content type of a clip from the features of R > 0 of its frames, (R, number of features)."""
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
