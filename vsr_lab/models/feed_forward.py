"""Per-frame networks without temporal information: interpolation and SRVGGNetCompact, the baselines."""

import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.ranges import Channels, Kernel, Layers, Scale
from vsr_lab.core.resize import BicubicUpsample, imresize
from vsr_lab.models.blocks import zero_


class Interpolation(FrameNetwork):
    """Upscaling by interpolation, equal to MATLAB's imresize, for use as a baseline.

    Args:
        scale: upscaling factor.
        method: "nearest", "area", "bilinear", "bicubic" or "lanczos".
    """

    def __init__(self, scale: Scale, method: Kernel = "bicubic") -> None:
        super().__init__()
        self.scale = scale
        self.method = method

    def frame(self, lr: Tensor) -> Tensor:
        return imresize(lr, self.scale, self.method)


class Compact(FrameNetwork):
    """SRVGGNetCompact, a network of 3x3 convolutions at low resolution that upscales every frame separately.

    Wang et al. 2021, Real-ESRGAN. The last convolution is followed by a pixel shuffle, and the result is added to
    bicubic upscaling.

    Args:
        scale: upscaling factor.
        channels: channels of every convolution.
        layers: number of 3x3 convolutions between the first and the last.
    """

    def __init__(self, scale: Scale, channels: Channels, layers: Layers) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.layers = layers
        body: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1), nn.PReLU(channels)]
        for _ in range(layers):
            body += [nn.Conv2d(channels, channels, 3, padding=1), nn.PReLU(channels)]
        self.body = nn.Sequential(*body)
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):  # torch's default would shrink the signal threefold a layer
                nn.init.kaiming_normal_(layer.weight, a=0.25)
        self.head = zero_(nn.Conv2d(channels, 3 * scale**2, 3, padding=1))
        self.skip = BicubicUpsample(scale)

    def frame(self, lr: Tensor) -> Tensor:
        return self.skip(lr) + F.pixel_shuffle(self.head(self.body(lr)), self.scale)
