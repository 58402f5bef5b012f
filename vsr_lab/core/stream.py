"""Any network over an endless run of frames."""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.cuts import IsCut, no_cut
from vsr_lab.core.network import Network, StreamingNetwork


def pad_to_multiple(lr: Tensor, multiple: int) -> Tensor:
    """Repeat the last rows and columns of lr (B C h w) until both sizes are multiples."""
    below, right = -lr.shape[-2] % multiple, -lr.shape[-1] % multiple
    return F.pad(lr, (0, right, 0, below), mode="replicate") if below or right else lr


def enlarge(network: Network, lr: Tensor) -> Tensor:
    """network(lr) for lr (B T C h w) of any size, padded to what it needs: sr (B T C sh sw)."""
    padded = pad_to_multiple(lr.flatten(0, 1), network.size_multiple).unflatten(0, lr.shape[:2])
    return network(padded)[..., : network.scale * lr.shape[-2], : network.scale * lr.shape[-1]]


@torch.inference_mode()
def stream(network: Network, frames: Iterable[Tensor], is_cut: IsCut = no_cut) -> Iterator[Tensor]:
    """Enlarge frames (C h w each), yielding C sh sw each, in order.

    A streaming network holds one frame and its state, whatever the length; any other sees a whole scene at once.
    is_cut: asked once of every frame in order; where it says yes, nothing of the frames before is remembered.
    """
    if not isinstance(network, StreamingNetwork):
        for scene in _scenes(frames, is_cut):
            yield from _whole(network, scene)
        return
    state = None
    for lr in frames:
        padded = pad_to_multiple(lr[None], network.size_multiple)
        if is_cut(lr) or state is None:
            state = network.initial_state(padded)
        sr, state = network.step(padded, state)
        yield sr[0, :, : network.scale * lr.shape[-2], : network.scale * lr.shape[-1]]


def _scenes(frames: Iterable[Tensor], is_cut: IsCut) -> Iterator[list[Tensor]]:
    scene: list[Tensor] = []
    for lr in frames:
        if is_cut(lr) and scene:
            yield scene
            scene = []
        scene.append(lr)
    yield scene


def _whole(network: Network, frames: list[Tensor]) -> Iterator[Tensor]:
    yield from enlarge(network, torch.stack(frames)[None])[0]
