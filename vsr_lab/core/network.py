"""The network contract."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

State = tuple[Tensor, ...]
Asked = TypeVarTuple("Asked")
Made = TypeVar("Made")


class Network(nn.Module, ABC):
    """Any network: `forward` takes lr (B T C h w) in [0, 1] and returns sr (B T C scale*h scale*w).

    scale: the enlargement; size_multiple: h and w must be multiples of it; lookahead: frames of future that a frame
    needs, None for the whole clip; checkpoint_activations: to train with less memory and more time. sr may leave
    [0, 1]: whoever shows or scores it clamps.
    """

    scale: int
    size_multiple: int = 1
    lookahead: int | None = None
    checkpoint_activations: bool = False

    def per_frame(self, part: Callable[[*Asked], Made], *asked: *Asked) -> Made:
        """part(...), the work of one frame, or of a clip where that is little.

        With checkpoint_activations its insides are made anew in the backward pass instead of being kept ("Training
        deep nets with sublinear memory cost", Chen et al. 2016): memory for one frame instead of a clip, and a forward
        pass more. Gradients stay the same; part may draw no random numbers.
        """
        if self.checkpoint_activations and torch.is_grad_enabled():
            return checkpoint(part, *asked, use_reentrant=False, preserve_rng_state=False)
        return part(*asked)

    def compile_parts(self) -> None:
        """torch.compile the parts, in place: weights keep their names, and what runs once a frame is compiled once.

        A whole clip in one graph would take minutes to compile, and minutes again for clips of another length.
        """
        for part in self.children():
            for piece in part if isinstance(part, nn.ModuleList) else (part,):
                if any(True for _ in piece.children()):
                    piece.compile()


class StreamingNetwork(Network):
    """A network that needs no future: one frame in, one frame out, and a state carried between them.

    `forward` is the unrolled `step`, so what was trained is what streams. warm_up: how often the first frame is shown
    before it counts, as if it had stood still, so that a clip does not begin with a flicker.
    """

    lookahead = 0
    warm_up: int = 0

    @abstractmethod
    def zero_state(self, lr: Tensor) -> State:
        """The state of a network that has seen nothing: zeros, for frames like lr (B C h w). Empty if per frame."""

    def initial_state(self, lr: Tensor) -> State:
        """The state before the first frame lr (B C h w) of a clip or a scene."""
        state = self.zero_state(lr)
        for _ in range(self.warm_up):
            _, state = self.per_frame(self._flat_step, lr, *state)
        return state

    @abstractmethod
    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        """One frame lr (B C h w) and the state so far -> sr (B C sh sw) and the next state."""

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
    """A network that sees one frame at a time: a streaming network with nothing to remember."""

    @abstractmethod
    def frame(self, lr: Tensor) -> Tensor:
        """lr B C h w -> sr B C sh sw."""

    def zero_state(self, lr: Tensor) -> State:
        return ()

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        return self.frame(lr), ()

    def forward(self, lr: Tensor) -> Tensor:
        if self.checkpoint_activations:
            return super().forward(lr)  # frame by frame
        return self.frame(lr.flatten(0, 1)).unflatten(0, lr.shape[:2])
