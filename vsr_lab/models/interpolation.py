"""Interpolation kernels as networks: what every trained candidate has to beat."""

from torch import Tensor

from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.ranges import Kernel, Scale
from vsr_lab.core.resize import imresize


class Interpolation(FrameNetwork):
    """MATLAB imresize by `scale`; method: "nearest", "bilinear", "bicubic" or "lanczos"."""

    def __init__(self, scale: Scale, method: Kernel = "bicubic") -> None:
        super().__init__()
        self.scale = scale
        self.method = method

    def frame(self, lr: Tensor) -> Tensor:
        return imresize(lr, self.scale, self.method)
