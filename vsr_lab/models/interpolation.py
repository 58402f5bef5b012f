"""Interpolation as networks: the baselines."""

from torch import Tensor

from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.ranges import Kernel, Scale
from vsr_lab.core.resize import imresize


class Interpolation(FrameNetwork):
    """Upscaling by interpolation, equal to MATLAB's imresize, for use as a baseline.

    Args:
        scale: upscaling factor.
        method: "nearest", "bilinear", "bicubic" or "lanczos".
    """

    def __init__(self, scale: Scale, method: Kernel = "bicubic") -> None:
        super().__init__()
        self.scale = scale
        self.method = method

    def frame(self, lr: Tensor) -> Tensor:
        return imresize(lr, self.scale, self.method)
