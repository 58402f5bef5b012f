"""A streaming network whose state is motion-compensated."""

from torch import Tensor

from vsr_lab.core.network import State
from vsr_lab.core.ranges import Channels, Layers, Scale
from vsr_lab.core.warp import backward_warp
from vsr_lab.models.flow import FlowNet
from vsr_lab.models.recurrent import Recurrent


class RecurrentFlow(Recurrent):
    """`Recurrent` whose state is warped to the current frame.

    A small flow network, trained jointly, estimates the motion. The previous frame, the hidden state and the previous
    residual are warped by it, as in FRVSR (Sajjadi et al. 2018) but at low resolution.

    Args:
        flow_channels: channels of the flow network, which has 0.02 million parameters with 24.
    """

    def __init__(
        self, scale: Scale, channels: Channels, blocks: Layers, warm_up: Layers = 0, flow_channels: Channels = 32
    ) -> None:
        super().__init__(scale, channels, blocks, warm_up)
        self.flow_channels = flow_channels
        self.flow = FlowNet(flow_channels)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        flow = self.flow(lr, state[0])
        return super().step(lr, tuple(backward_warp(part, flow) for part in state))
