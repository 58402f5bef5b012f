"""Base classes of networks, and functions that run a network on a whole clip or frame by frame."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vsr_lab.core.cuts import IsCut, no_cut
from vsr_lab.core.errors import UserError

State = tuple[Tensor, ...]
_BLOCK, _SAME = 8, 3 / 255  # of `is_repeat`
Args = TypeVarTuple("Args")
R = TypeVar("R")


class Network(nn.Module, ABC):
    """Base class of networks, which upscale lr (B, T, C, h, w) in [0, 1] to sr (B, T, C, scale * h, scale * w).

    sr is not limited to [0, 1]. Clamp it before it is displayed or scored.

    The arguments of the constructor must be plain values such as numbers and strings. Each must be stored as an
    attribute of the same name, from which the network is rebuilt when its weights file is loaded.

    Attributes:
        scale: integer upscaling factor.
        size_multiple: h and w must be multiples of this number.
        lookahead: number of later frames on which an output frame depends; None: the whole clip.
        checkpoint_activations: use activation checkpointing: training needs less memory and more time.
    """

    scale: int
    size_multiple: int = 1
    lookahead: int | None = None
    checkpoint_activations: bool = False

    def per_frame(self, part: Callable[[*Args], R], *args: *Args) -> R:
        """Call a part of the network that processes one frame, with activation checkpointing if it is enabled.

        If `checkpoint_activations` is set, activations are recomputed in the backward pass instead of stored ("Training
        deep nets with sublinear memory cost", Chen et al. 2016). Memory is then needed for the activations of one frame
        instead of the whole clip, at the cost of one more forward pass. Gradients are the same.

        Args:
            part: function or module; it must not draw random numbers.
            args: arguments of the part.

        Returns:
            part(*args).
        """
        if self.checkpoint_activations and torch.is_grad_enabled():
            return checkpoint(part, *args, use_reentrant=False, preserve_rng_state=False)
        return part(*args)

    def compile_parts(self) -> None:
        """Apply torch.compile to the parts of the network, in place, so that the names of weights do not change.

        The parts are the direct submodules (of a ModuleList, its items), except those without submodules of their own.
        The network as a whole is not compiled, since this would take minutes for every clip length.

        Raises UserError if other users of this machine can write to the folder in which torch.compile stores its code.
        """
        _check_cache()
        for part in self.children():
            for piece in part if isinstance(part, nn.ModuleList) else (part,):
                if any(True for _ in piece.children()):
                    piece.compile(dynamic=False)  # symbolic sizes fail in torch 2.15 (python_mod)


def _check_cache() -> None:
    """Raise UserError if other users can write to the folder from which torch.compile loads compiled code."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir, default_cache_dir  # takes seconds to import

    for folder in (Path(default_cache_dir()), Path(cache_dir())):  # by default in /tmp
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            problem = "can be written by other users, and compiled code in it is executed"
            raise UserError(
                folder, problem, "remove this folder, set the variable TMPDIR to your own folder, or set compile=false"
            )


class StreamingNetwork(Network):
    """Base class of networks that process frames one by one with a recurrent state, without future frames.

    `forward` calls `step` for each frame of a clip, so training and streaming give the same output.

    Attributes:
        warm_up: number of additional passes over the first frame, whose outputs are discarded; they reduce flicker at
            the start of a clip.
    """

    lookahead = 0
    warm_up: int = 0

    @abstractmethod
    def zero_state(self, lr: Tensor) -> State:
        """State before the first frame: zero tensors, or an empty state for a network without recurrence.

        Args:
            lr: a frame (B, C, h, w); only its size, dtype and device are used.
        """

    def initial_state(self, lr: Tensor) -> State:
        """State after `warm_up` passes over the first frame lr (B, C, h, w) of a clip or scene."""
        state = self.zero_state(lr)
        for _ in range(self.warm_up):
            _, state = self.per_frame(self._flat_step, lr, *state)
        return state

    @abstractmethod
    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one frame lr (B, C, h, w). Returns sr (B, C, scale * h, scale * w) and the next state."""

    def _flat_step(self, lr: Tensor, *state: Tensor) -> tuple[Tensor, State]:
        return self.step(lr, state)

    def forward(self, lr: Tensor) -> Tensor:
        state = self.initial_state(lr[:, 0])
        frames: list[Tensor] = []
        for frame in lr.unbind(1):
            sr, state = self.per_frame(self._flat_step, frame, *state)
            frames.append(sr)
        return torch.stack(frames, 1)


class FrameNetwork(StreamingNetwork):
    """Base class of per-frame networks, which have no state."""

    @abstractmethod
    def frame(self, lr: Tensor) -> Tensor:
        """Upscale one frame lr (B, C, h, w) to sr (B, C, scale * h, scale * w)."""

    def zero_state(self, lr: Tensor) -> State:
        return ()

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        return self.frame(lr), ()

    def forward(self, lr: Tensor) -> Tensor:
        if self.checkpoint_activations:
            return super().forward(lr)  # frame by frame
        return self.frame(lr.flatten(0, 1)).unflatten(0, lr.shape[:2])


def pad_to_multiple(lr: Tensor, multiple: int) -> Tensor:
    """Pad lr (B, C, h, w) at the bottom and right by replication, so that h and w are multiples of `multiple`."""
    below, right = -lr.shape[-2] % multiple, -lr.shape[-1] % multiple
    return F.pad(lr, (0, right, 0, below), mode="replicate") if below or right else lr


def enlarge(network: Network, lr: Tensor) -> Tensor:
    """Run a network on lr (B, T, C, h, w) of any size: lr is padded to a multiple of `size_multiple`, sr is cropped."""
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


def is_repeat(lr: Tensor, earlier: Tensor) -> bool:
    """Whether two frames (C, h, w) in [0, 1] show the same picture, apart from coding noise.

    In every block of 8x8 pixels, the mean of each channel may differ by at most 3/255.
    """
    blocks = F.avg_pool2d((lr - earlier)[None], _BLOCK, ceil_mode=True)
    return bool(blocks.abs().max() <= _SAME)


class FrameStream:
    """Upscales a video frame by frame with a streaming network, and resets the state of the network at scene cuts.

    Args:
        network: the network.
        is_cut: called once for every frame, in order; returns True if the frame starts a new scene. The state is then
            reset before the frame is processed.
        skip_repeats: if a frame repeats the last frame on which the network was run (see `is_repeat`), return the same
            output again without running the network. The state does not change.

    Attributes:
        state: state of the network after the last frame; None before the first frame.
        repeats: number of frames so far for which the network was not run.
    """

    def __init__(self, network: StreamingNetwork, is_cut: IsCut = no_cut, skip_repeats: bool = False) -> None:
        self._network, self._is_cut, self._skip_repeats = network, is_cut, skip_repeats
        self.state: State | None = None
        self.repeats = 0
        self._shown: Tensor | None = None
        self._sr = torch.empty(0)

    @torch.inference_mode()
    def __call__(self, lr: Tensor) -> Tensor:
        """Upscale the next frame (C, h, w) to (C, scale * h, scale * w)."""
        padded = pad_to_multiple(lr[None], self._network.size_multiple)
        cut = self._is_cut(lr)
        if self._repeats(lr):
            return self._sr
        if cut or self.state is None:
            self.state = self._network.initial_state(padded)
        sr, self.state = self._network.step(padded, self.state)
        self._sr = _cropped(sr, padded, lr, self._network)[0]
        return self._sr

    def _repeats(self, lr: Tensor) -> bool:
        if self._skip_repeats and self._shown is not None and is_repeat(lr, self._shown):
            self.repeats += 1
            return True
        self._shown = lr
        return False

    def forget(self) -> None:
        """Make sure that the network is run on the next frame, even if it is a repeat."""
        self._shown = None

    def takes(self, state: State, lr: Tensor) -> bool:
        """Whether the tensors of a state have the shapes that the network requires for frame lr (C, h, w)."""
        own = self._network.zero_state(pad_to_multiple(lr[None], self._network.size_multiple))
        return [part.shape for part in own] == [part.shape for part in state]

    def skip(self, lr: Tensor) -> None:
        """Pass over the next frame without running the network. Cuts and repeats are still detected at this frame."""
        self._is_cut(lr)
        self._repeats(lr)


@torch.inference_mode()
def stream(network: Network, frames: Iterable[Tensor], is_cut: IsCut = no_cut) -> Iterator[Tensor]:
    """Upscale a video with any network and yield its frames one by one.

    A streaming network is run frame by frame, so only one frame and the state are in memory. For any other network, all
    frames of a scene are kept in memory and processed at once.

    Args:
        network: the network.
        frames: LR frames (C, h, w) in [0, 1], in order.
        is_cut: called once for every frame, in order; returns True if the frame starts a new scene. Scenes are
            processed independently.

    Yields:
        SR frames (C, scale * h, scale * w), not clamped.
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
