"""Recurrent networks that process frames one by one: one without and one with motion compensation of the state."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vsr_lab.core.flow import backward_warp
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.core.resize import BicubicUpsample
from vsr_lab.models.blocks import ResidualBlock, zero_
from vsr_lab.models.flow import FlowNet


class Recurrent(StreamingNetwork):
    """Recurrent network in the style of RLSP and RRN, whose output is added to bicubic upscaling.

    Fuoli et al. 2019; Isobe et al. 2020. Inputs of a step are the current LR frame and the state, which consists of

    - the previous LR frame, (B, 3, h, w);
    - hidden features, (B, channels, h, w);
    - the previous residual (SR minus bicubic), after pixel unshuffle to LR size, (B, 3 scale^2, h, w).

    Args:
        scale: upscaling factor.
        channels: channels of the hidden features.
        blocks: number of residual blocks.
        warm_up: number of additional passes over the first frame, whose outputs are discarded.
    """

    def __init__(self, scale: Scale, channels: Channels, blocks: Layers, *, warm_up: Layers = 0) -> None:
        super().__init__()
        self.warm_up = warm_up
        self.scale = scale
        self.channels = channels
        self.blocks = blocks
        depth = 3 * scale**2
        self.entry = nn.Conv2d(6 + channels + depth, channels, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.hidden = nn.Conv2d(channels, channels, 3, padding=1)
        self.head = zero_(nn.Conv2d(channels, depth, 3, padding=1))
        self.skip = BicubicUpsample(scale)

    def zero_state(self, lr: Tensor) -> State:
        batch, _, height, width = lr.shape
        hidden = lr.new_zeros(batch, self.channels, height, width)
        return torch.zeros_like(lr), hidden, lr.new_zeros(batch, 3 * self.scale**2, height, width)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        previous, hidden, residual = state
        features = self.body(self.entry(torch.cat([lr, previous, hidden, residual], 1)).relu())
        residual = self.head(features)
        sr = self.skip(lr) + F.pixel_shuffle(residual, self.scale)
        return sr, (lr, self.hidden(features).relu(), residual)


class RecurrentFlow(Recurrent):
    """Network `Recurrent` with motion compensation: the state is warped to the current frame by optical flow.

    The flow is estimated at low resolution by a small network that is trained jointly. The previous LR frame, the
    hidden features and the previous residual are warped at low resolution; FRVSR (Sajjadi et al. 2018) warps at high
    resolution.

    Args:
        scale: upscaling factor.
        channels: channels of the hidden features.
        blocks: number of residual blocks.
        warm_up: number of additional passes over the first frame, whose outputs are discarded.
        flow_channels: channels of the flow network, which has 0.02 million parameters with 24 channels.
    """

    def __init__(
        self, scale: Scale, channels: Channels, blocks: Layers, *, warm_up: Layers = 0, flow_channels: Channels = 32
    ) -> None:
        super().__init__(scale, channels, blocks, warm_up=warm_up)
        self.flow_channels = flow_channels
        self.flow = FlowNet(flow_channels)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        flow = self.flow(lr, state[0])
        return super().step(lr, tuple(backward_warp(part, flow) for part in state))
