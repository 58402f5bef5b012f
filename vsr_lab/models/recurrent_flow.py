"""A streaming network that moves what it remembers to where things are now."""

from torch import Tensor

from vsr_lab.core.network import State
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.flow import FlowNet
from vsr_lab.models.recurrent import Recurrent


class RecurrentFlow(Recurrent):
    """`Recurrent` with its state warped onto each frame first, by a small flow network trained with it.

    FRVSR's idea (Sajjadi et al. 2018) at low resolution: the hidden state and the last residual, kept as channels,
    are warped with the last frame. flow_channels: width of the flow network, 0.02 million parameters at 24.
    """

    def __init__(
        self, scale: Scale, channels: Channels, blocks: Layers, warm_up: Layers = 0, flow_channels: Channels = 32
    ) -> None:
        super().__init__(scale, channels, blocks, warm_up)
        self.flow = FlowNet(flow_channels)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        flow = self.flow(lr, state[0])
        return super().step(lr, tuple(backward_warp(part, flow) for part in state))
