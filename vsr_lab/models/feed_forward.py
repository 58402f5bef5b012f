"""Networks without recurrence: interpolation, a per-frame network, and a network over a sliding window of frames."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.network import FrameNetwork, Network
from vsr_lab.core.ranges import Channels, Kernel, Layers, Odd, Scale
from vsr_lab.core.resize import BicubicUpsample, imresize
from vsr_lab.models.blocks import Trunk, zero_


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


class Window(Network):
    """Sliding-window network with early fusion (VESPCN, Caballero et al. 2017) that refines bicubic upscaling.

    Args:
        scale: upscaling factor.
        frames: number of frames in the window, odd; (frames - 1) / 2 of them are future frames. At the ends of a clip,
            missing frames are replaced by the first or the last frame.
        channels: number of channels of the convolutions.
        blocks: number of residual blocks.
    """

    def __init__(self, scale: Scale, frames: Odd, channels: Channels, blocks: Layers) -> None:
        super().__init__()
        if frames % 2 == 0:
            raise ValueError(f"frames must be odd, got {frames}")
        self.scale = scale
        self.frames = frames
        self.channels = channels
        self.blocks = blocks
        self.lookahead = frames // 2
        self.trunk = Trunk(3 * frames, channels, blocks)
        self.head = zero_(nn.Conv2d(channels, 3 * scale**2, 3, padding=1))
        self.skip = BicubicUpsample(scale)

    def forward(self, lr: Tensor) -> Tensor:
        length, reach = lr.shape[1], self.frames // 2
        padded = torch.cat([lr[:, :1]] * reach + [lr] + [lr[:, -1:]] * reach, 1)
        stacked = torch.cat([padded[:, i : i + length] for i in range(self.frames)], 2)
        if self.checkpoint_activations:
            return torch.stack([self.per_frame(self.window, frames) for frames in stacked.unbind(1)], 1)
        return self.window(stacked.flatten(0, 1)).unflatten(0, lr.shape[:2])

    def window(self, stacked: Tensor) -> Tensor:
        """Upscale the middle one of `frames` consecutive frames.

        Args:
            stacked: the frames, stacked along the channels, (B, 3 * frames, h, w).

        Returns:
            (B, 3, scale * h, scale * w).
        """
        middle = stacked[:, 3 * (self.frames // 2) :][:, :3]
        return self.skip(middle) + F.pixel_shuffle(self.head(self.trunk(stacked)), self.scale)
