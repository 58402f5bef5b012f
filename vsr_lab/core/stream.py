"""Running networks on sequences of frames of any length."""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from vsr_lab.core.cuts import IsCut, no_cut
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network, State, StreamingNetwork


def pad_to_multiple(lr: Tensor, multiple: int) -> Tensor:
    """Pad lr (B, C, h, w) at the bottom and right by replication to multiples of `multiple`."""
    below, right = -lr.shape[-2] % multiple, -lr.shape[-1] % multiple
    return F.pad(lr, (0, right, 0, below), mode="replicate") if below or right else lr


def enlarge(network: Network, lr: Tensor) -> Tensor:
    """Run network on lr (B, T, C, h, w) of any size: pad as the network requires, and crop the result."""
    padded = pad_to_multiple(lr.flatten(0, 1), network.size_multiple).unflatten(0, lr.shape[:2])
    return _cropped(network(padded), padded, lr, network)


def _cropped(sr: Tensor, padded: Tensor, lr: Tensor, network: Network) -> Tensor:
    """Crop padding from sr. Raises UserError if the network does not upscale by its scale."""
    expected = tuple(network.scale * side for side in padded.shape[-2:])
    if sr.shape[-2:] != expected or sr.shape[-3] != lr.shape[-3]:
        name, given = type(network).__name__, tuple(sr.shape[-3:])
        problem = f"returned frames of {given}, expected {(lr.shape[-3], *expected)} for its scale {network.scale}"
        raise UserError(name, problem, "correct the network's output or its scale")
    return sr[..., : network.scale * lr.shape[-2], : network.scale * lr.shape[-1]]


class FrameStream:
    """Upscales a video frame by frame with a streaming network, and resets its state at scene cuts.

    Args:
        network: the network.
        is_cut: called once for every frame in order; returns True if a new scene starts, before which the state is
            reset.

    Attributes:
        state: state of the network after the last frame; None before the first.
    """

    def __init__(self, network: StreamingNetwork, is_cut: IsCut = no_cut) -> None:
        self._network, self._is_cut = network, is_cut
        self.state: State | None = None

    @torch.inference_mode()
    def __call__(self, lr: Tensor) -> Tensor:
        """Upscale the next frame (C, h, w) to (C, scale h, scale w)."""
        padded = pad_to_multiple(lr[None], self._network.size_multiple)
        if self._is_cut(lr) or self.state is None:
            self.state = self._network.initial_state(padded)
        sr, self.state = self._network.step(padded, self.state)
        return _cropped(sr, padded, lr, self._network)[0]

    def takes(self, state: State, lr: Tensor) -> bool:
        """Whether the tensors of a state have the shapes that the network needs for frame lr (C, h, w)."""
        own = self._network.zero_state(pad_to_multiple(lr[None], self._network.size_multiple))
        return [part.shape for part in own] == [part.shape for part in state]

    def skip(self, lr: Tensor) -> None:
        """Check the next frame for a scene cut, but do not run the network, because its output is known already."""
        self._is_cut(lr)


@torch.inference_mode()
def stream(network: Network, frames: Iterable[Tensor], is_cut: IsCut = no_cut) -> Iterator[Tensor]:
    """Upscale a video with any network, one frame after the other.

    A streaming network keeps one frame and its state in memory. Any other network processes a whole scene at once.

    Args:
        network: the network.
        frames: LR frames (C, h, w) in [0, 1], in order.
        is_cut: called once for every frame in order; returns True if a new scene starts, before which the state is
            reset.

    Yields:
        SR frames (C, scale h, scale w), not clamped.
    """
    if not isinstance(network, StreamingNetwork):
        for scene in _scenes(frames, is_cut):
            yield from enlarge(network, torch.stack(scene)[None])[0]
        return
    yield from map(FrameStream(network, is_cut), frames)


def _scenes(frames: Iterable[Tensor], is_cut: IsCut) -> Iterator[list[Tensor]]:
    scene: list[Tensor] = []
    for lr in frames:
        if is_cut(lr) and scene:
            yield scene
            scene = []
        scene.append(lr)
    yield scene
