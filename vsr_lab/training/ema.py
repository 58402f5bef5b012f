"""Exponential moving average of the weights."""

from collections.abc import Sequence
from typing import Any

from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from vsr_lab.core.ranges import Fraction


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights, used in validation and saved in checkpoints.

    The decay at a step is min(decay, (1 + step) / (10 + step)), as in TensorFlow's ExponentialMovingAverage. With a
    constant decay, the initial weights would dominate the average in a short training.

    Args:
        decay: in [0, 1); a value closer to 1 averages over more steps.
    """

    def __init__(self, decay: Fraction) -> None:
        super().__init__(multi_avg_fn=self._average)
        self.decay = decay
        self._step = 0

    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Update after every step."""
        if step_idx is None:
            return False
        self._step = step_idx
        return True

    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], count: Any) -> None:
        decay = min(self.decay, (1 + self._step) / (10 + self._step))
        get_ema_multi_avg_fn(decay)(tuple(averaged), tuple(current), count)
