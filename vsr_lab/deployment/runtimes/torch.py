"""Runtime that runs the network of a bundle in torch, on the CPU or a CUDA device, in float32 or with autocast."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.models import load_network
from vsr_lab.models.files import WEIGHTS


def bundled_network(folder: Path) -> StreamingNetwork:
    """The network of a bundle, on the CPU in float32."""
    network, _ = load_network(folder / WEIGHTS)
    if not isinstance(network, StreamingNetwork):
        raise UserError(
            folder / WEIGHTS,
            "needs future frames, so it cannot run frame by frame",
            "export a bundle of a streaming network",
        )
    return network


class TorchStream(StreamingNetwork):
    """Streaming network that runs a network in torch, on a device and in a precision.

    In bfloat16 and float16 the network runs under autocast, except for the layers for which it disables autocast, such
    as the first and the last of SPAN. Frames are returned on the device, in float32.

    Args:
        network: the network; it is moved to the device.
        runtime: device, precision and threads.
    """

    def __init__(self, network: StreamingNetwork, runtime: Runtime) -> None:
        super().__init__()
        self.network = network.eval().to(torch.device(runtime.device)).to(memory_format=torch.channels_last)
        self.scale = network.scale
        self.size_multiple = network.size_multiple
        self.warm_up = network.warm_up
        self.device = torch.device(runtime.device)
        self.dtype: torch.dtype = getattr(torch, runtime.precision)
        self.threads = runtime.threads

    def zero_state(self, lr: Tensor) -> State:
        return self.network.zero_state(lr.to(self.device))

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        exact = self.dtype == torch.float32
        placed = lr.to(self.device, memory_format=torch.channels_last)
        state = tuple(tensor.to(self.device) for tensor in state)  # a saved state is on the CPU
        with (
            _threads(self.threads),
            torch.backends.cudnn.flags(benchmark=True, allow_tf32=not exact),
            torch.autocast(self.device.type, self.dtype, enabled=not exact),
        ):
            sr, state = self.network.step(placed, state)
        return sr.float(), state


@contextmanager
def _threads(count: int) -> Generator[None]:
    """Context manager in which torch computes with `count` CPU threads; 0: the number is not changed."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
