"""BasicVSR: bidirectional propagation of features, aligned by optical flow."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.network import Network
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.models.blocks import Enlarger, Trunk, leaky
from vsr_lab.models.spynet import SpyNet


class BasicVsr(Network):
    """BasicVSR (Chan et al., "BasicVSR: The search for essential components in video super-resolution", 2021).

    It needs the whole clip. The default size is the paper's, 6.3 million parameters. The output is added to bilinear
    upscaling, as in the paper. `load_basicvsr` reads the published weights.

    Args:
        scale: upscaling factor.
        channels: channels of the features at LR size.
        blocks: residual blocks per direction.
        width: channels of the features at high resolution.
    """

    lookahead = None

    def __init__(self, scale: Scale = 4, channels: Channels = 64, blocks: Layers = 30, width: Channels = 64) -> None:
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.blocks = blocks
        self.width = width
        self.flow = SpyNet()
        self.backward_trunk = Trunk(channels + 3, channels, blocks)
        self.forward_trunk = Trunk(channels + 3, channels, blocks)
        self.fusion = nn.Conv2d(2 * channels, channels, 1)
        self.enlarger = Enlarger(channels, width, scale)

    def forward(self, lr: Tensor) -> Tensor:
        frames = lr.unbind(1)
        to_earlier, to_later = self.per_frame(self.flow.both_ways, lr)
        later = self._carried(self.backward_trunk, frames[::-1], to_later[::-1])[::-1]
        earlier = self._carried(self.forward_trunk, frames, to_earlier)
        three = zip(frames, later, earlier, strict=True)
        return torch.stack([self.per_frame(self._enlarged, *parts) for parts in three], 1)

    def _carried(self, trunk: Trunk, frames: Sequence[Tensor], flows: Sequence[Tensor]) -> list[Tensor]:
        """Propagate features through frames, in the order given.

        Args:
            trunk: network that computes the features of a frame.
            frames: LR frames.
            flows: flow from each frame to the preceding frame in that order.
        """
        batch, _, height, width = frames[0].shape
        features = frames[0].new_zeros(batch, self.channels, height, width)
        carried: list[Tensor] = []
        for t, frame in enumerate(frames):
            features = self.per_frame(self._carry, trunk, frame, features, flows[t - 1] if t else None)
            carried.append(features)
        return carried

    def _carry(self, trunk: Trunk, frame: Tensor, features: Tensor, flow: Tensor | None) -> Tensor:
        if flow is not None:
            features = backward_warp(features, flow, "zeros")
        return trunk(torch.cat([frame, features], 1))

    def _enlarged(self, frame: Tensor, later: Tensor, earlier: Tensor) -> Tensor:
        features = leaky(self.fusion(torch.cat([later, earlier], 1)))
        return F.interpolate(frame, scale_factor=self.scale, mode="bilinear") + self.enlarger(features)
