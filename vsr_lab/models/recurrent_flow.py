"""A streaming network that moves what it remembers to where things are now."""

from torch import Tensor

from vsr_lab.core.network import State
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.flow import FlowNet
from vsr_lab.models.recurrent import Recurrent


class RecurrentFlow(Recurrent):
    """`Recurrent` whose state is first warped onto the current frame.

    A small flow network, trained jointly, estimates the motion between the last frame and the current one. The last
    frame, the hidden state and the last residual (stored as channels) are warped by it, which is FRVSR's idea
    (Sajjadi et al. 2018) at low resolution.

    Args:
        flow_channels: width of the flow network, which has 0.02 million parameters at 24.
    """

    def __init__(
        self, scale: Scale, channels: Channels, blocks: Layers, warm_up: Layers = 0, flow_channels: Channels = 32
    ) -> None:
        super().__init__(scale, channels, blocks, warm_up)
        self.flow = FlowNet(flow_channels)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        flow = self.flow(lr, state[0])
        return super().step(lr, tuple(backward_warp(part, flow) for part in state))
