"""Base classes of networks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

State = tuple[Tensor, ...]
Args = TypeVarTuple("Args")
R = TypeVar("R")


class Network(nn.Module, ABC):
    """Base class of networks: `forward` takes lr (B, T, C, h, w) in [0, 1] and returns sr (B, T, C, scale h, scale w).

    sr may leave [0, 1]; callers that show or score it clamp it.

    The constructor takes plain values and keeps each as an attribute of its name, from which a weights file is made.

    Attributes:
        scale: integer upscaling factor.
        size_multiple: h and w must be multiples of it.
        lookahead: number of later frames that a frame needs; None for the whole clip.
        checkpoint_activations: train with less memory, more slowly.
    """

    scale: int
    size_multiple: int = 1
    lookahead: int | None = None
    checkpoint_activations: bool = False

    def per_frame(self, part: Callable[[*Args], R], *args: *Args) -> R:
        """Return part(*args), the computation of one frame, or of a whole clip if that is small.

        With checkpoint_activations, activations are recomputed in the backward pass instead of stored ("Training deep
        nets with sublinear memory cost", Chen et al. 2016): memory for one frame instead of a clip, at the cost of one
        more forward pass. Gradients are the same. part must not draw random numbers.
        """
        if self.checkpoint_activations and torch.is_grad_enabled():
            return checkpoint(part, *args, use_reentrant=False, preserve_rng_state=False)
        return part(*args)

    def compile_parts(self) -> None:
        """Apply torch.compile to the submodules, in place, so that the names of weights do not change.

        Compiling a whole clip as one graph would take minutes, for every clip length.
        """
        for part in self.children():
            for piece in part if isinstance(part, nn.ModuleList) else (part,):
                if any(True for _ in piece.children()):
                    piece.compile()


class StreamingNetwork(Network):
    """Base class of networks that process frames one by one with a recurrent state, without future frames.

    `forward` is `step` unrolled over the clip, so training and streaming compute the same.

    Attributes:
        warm_up: number of additional passes over the first frame, whose outputs are discarded; reduces flicker at the
            start of a clip.
    """

    lookahead = 0
    warm_up: int = 0

    @abstractmethod
    def zero_state(self, lr: Tensor) -> State:
        """State before the first frame: zeros, for frames like lr (B, C, h, w); empty for a network without a state."""

    def initial_state(self, lr: Tensor) -> State:
        """State after `warm_up` passes over the first frame lr (B, C, h, w) of a clip or scene."""
        state = self.zero_state(lr)
        for _ in range(self.warm_up):
            _, state = self.per_frame(self._flat_step, lr, *state)
        return state

    @abstractmethod
    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        """Process one frame lr (B, C, h, w): return sr (B, C, scale h, scale w) and the next state."""

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
        """Process one frame: lr (B, C, h, w) to sr (B, C, scale h, scale w)."""

    def zero_state(self, lr: Tensor) -> State:
        return ()

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        return self.frame(lr), ()

    def forward(self, lr: Tensor) -> Tensor:
        if self.checkpoint_activations:
            return super().forward(lr)  # frame by frame
        return self.frame(lr.flatten(0, 1)).unflatten(0, lr.shape[:2])
