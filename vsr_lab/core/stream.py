"""Any network over an endless run of frames."""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.network import Network, StreamingNetwork


def pad_to_multiple(lr: Tensor, multiple: int) -> Tensor:
    """Repeat the last rows and columns of lr (B C h w) until both sizes are multiples."""
    below, right = -lr.shape[-2] % multiple, -lr.shape[-1] % multiple
    return F.pad(lr, (0, right, 0, below), mode="replicate") if below or right else lr


@torch.inference_mode()
def stream(network: Network, frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Enlarge frames (C h w each), yielding C sh sw each, in order.

    A streaming network holds one frame and its state, whatever the length; any other sees the whole clip at once.
    """
    if not isinstance(network, StreamingNetwork):
        yield from _whole(network, frames)
        return
    state = None
    for lr in frames:
        padded = pad_to_multiple(lr[None], network.size_multiple)
        if state is None:
            state = network.initial_state(padded)
        sr, state = network.step(padded, state)
        yield sr[0, :, : network.scale * lr.shape[-2], : network.scale * lr.shape[-1]]


def _whole(network: Network, frames: Iterable[Tensor]) -> Iterator[Tensor]:
    lr = torch.stack(list(frames))
    sr = network(pad_to_multiple(lr, network.size_multiple)[None])[0]
    yield from sr[..., : network.scale * lr.shape[-2], : network.scale * lr.shape[-1]]
