"""A sliding-window network without recurrence, which exports to plain convolutions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.network import Network
from vsr_lab.core.ranges import Channels, Layers, Odd, Scale
from vsr_lab.core.resize import BicubicUpsample
from vsr_lab.models.blocks import Trunk, zero_


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
        """Upscale the middle frame of a window.

        Args:
            stacked: frames of the window, stacked on channels, (B, 3 * frames, h, w).

        Returns:
            (B, 3, scale * h, scale * w).
        """
        middle = stacked[:, 3 * (self.frames // 2) :][:, :3]
        return self.skip(middle) + F.pixel_shuffle(self.head(self.trunk(stacked)), self.scale)
