"""Shrinking alone: the paper families that need no blur of their own."""

from torch import Tensor

from vsr_lab.core.colour import quantise
from vsr_lab.core.resize import imresize
from vsr_lab.degradations.base import Degradation, Params


class ResizeDown(Degradation):
    """MATLAB imresize by 1/scale, then rounding to 8 bits. With "bicubic" it is the field's BI degradation."""

    def __init__(self, scale: int, method: str = "bicubic") -> None:
        self.scale = scale
        self.method = method

    def apply(self, clip: Tensor, params: Params) -> Tensor:
        return quantise(imresize(clip, 1 / self.scale, self.method))
