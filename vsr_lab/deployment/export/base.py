"""Base class of exporters, which load every exported graph again and compare it with the network."""

from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from vsr_lab.core.errors import Refusal
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.ranges import Positive, Rollout
from vsr_lab.core.records.bundle import Graph, GraphTensor, Parity
from vsr_lab.core.resize import imresize

_SIZES = ((36, 52), (45, 33), (48, 64))  # one odd, one that needs no padding: a graph of fixed size is detected


class Exporter(ABC):
    """Base class of exporters, which write a streaming network as a graph in one format and verify the graph.

    Args:
        tolerance: largest allowed absolute difference of any value, RGB in [0, 1].
        frames: number of frames of each test clip. Graph and network process it separately, each with its own state.
    """

    format: str
    file: str

    def __init__(self, tolerance: Positive, frames: Rollout) -> None:
        self.tolerance = tolerance
        self.frames = frames

    @abstractmethod
    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        """Write the graph of a network to a file.

        Most formats contain one step of the network, which maps a frame and the state to the SR frame and the next
        state.

        Args:
            network: network to export.
            example: example frame, (1, 3, h, w).
            path: file to write.
        """

    @abstractmethod
    def load(self, path: Path) -> StreamingNetwork:
        """Load a graph that was written by `write`."""

    def describe(self, network: StreamingNetwork) -> Graph:
        """File, inputs and outputs of the graph of a network; unless a subclass overrides it, those of one step."""
        states = state_shapes(network)
        return Graph(
            file=self.file,
            inputs=[tensor("lr", 3), *(tensor(f"state_{i}", *shape) for i, shape in enumerate(states))],
            outputs=[
                tensor("sr", 3, network.scale),
                *(tensor(f"next_{i}", *shape) for i, shape in enumerate(states)),
            ],
        )

    def reference(self, network: StreamingNetwork) -> StreamingNetwork:
        """Return the network with which the graph is compared: `network`, unless a subclass exports a variant of it."""
        return network

    def export(self, network: StreamingNetwork, folder: Path) -> Parity:
        """Write the graph of a network, load it again, and compare the outputs of both, see `compare_graph`.

        Args:
            network: network to export.
            folder: folder for the graph.

        Returns:
            The largest difference of the outputs.

        Raises:
            Refusal: the network cannot be exported to this format, or the outputs differ by more than the tolerance; in
                the latter case the graph is removed.
        """
        path = folder / self.file
        network = network.eval()
        self.write(network, torch.rand(1, 3, *_SIZES[0]), path)
        given, made = self.reference(network), self.load(path)
        try:
            return compare_graph(given, made, self.format, tolerance=self.tolerance, frames=self.frames)
        except Refusal as error:
            path.unlink()
            raise Refusal(f"{error}; nothing was exported") from error


def tensor(
    name: str, channels: int, times: int = 1, over: int = 1, *, type: Literal["float32", "float16"] = "float32"
) -> GraphTensor:
    """Input or output of a graph, whose height and width are those of LR, multiplied by `times` / `over`."""
    times, over = Fraction(times, over).as_integer_ratio()
    height, width = (f"{times}*" * (times > 1) + side + f"/{over}" * (over > 1) for side in "hw")
    return GraphTensor(name=name, type=type, shape=(1, channels, height, width))


def state_shapes(network: StreamingNetwork) -> list[tuple[int, int, int]]:
    """(channels, numerator, denominator) of each tensor of the state, with its size relative to lr.

    Raises ValueError if it is not zero, or if its size is not proportional to that of lr.
    """
    size = 48
    shapes: list[tuple[int, int, int]] = []
    small, large = (network.zero_state(torch.rand(1, 3, size, width)) for width in (size, 2 * size))
    for part, wide in zip(small, large, strict=True):
        if part.abs().max() > 0:
            raise ValueError("only a state that is zero at the beginning can be exported")
        channels, height, width = part.shape[1:]
        if height != width or wide.shape[1:] != (channels, height, 2 * width):
            raise ValueError("only a state whose size is proportional to that of lr can be exported")
        shapes.append((channels, width, size))
    return shapes


def compare_graph(
    network: StreamingNetwork, graph: StreamingNetwork, format: str, *, tolerance: float, frames: int
) -> Parity:
    """Compare the outputs of a network and of its exported graph on clips of three frame sizes.

    Args:
        network: network from which the graph was exported.
        graph: exported graph, loaded from its file.
        format: name of the graph's format.
        tolerance: largest allowed absolute difference of any value, RGB in [0, 1].
        frames: number of frames of the clips.

    Returns:
        The largest difference of the outputs, and the number of its frame.

    Raises:
        Refusal: the outputs differ by more than the tolerance.
    """
    worst, at = max(_compare(network, graph, rollout_clip(frames, *size)) for size in _SIZES)
    if not worst <= tolerance:
        raise Refusal(
            f"{format}: the graph differs from the network by {worst:.2g} at frame {at} of {frames} "
            f"(allowed {tolerance:.2g})"
        )
    return Parity(format=format, worst=worst, worst_frame=at, tolerance=tolerance, frames=frames)


def _compare(network: StreamingNetwork, graph: StreamingNetwork, clip: Tensor) -> tuple[float, int]:
    """Largest absolute difference of any value (infinity if a value is not finite), and number of its frame."""
    pairs = zip(stream(network, clip), stream(graph, clip), strict=True)
    differences = torch.stack([_difference(ours, theirs) for ours, theirs in pairs]).nan_to_num(torch.inf)
    worst = int(differences.argmax())
    return float(differences[worst]), worst


def _difference(ours: Tensor, theirs: Tensor) -> Tensor:
    return (ours - theirs).abs().max() if ours.shape == theirs.shape else torch.tensor(torch.inf)


def rollout_clip(frames: int, height: int, width: int) -> Tensor:
    """Synthetic clip with motion, a flash and a scene cut, (T, 3, h, w) in [0, 1]. It is the same in every call."""
    generator = torch.Generator().manual_seed(0)
    texture = torch.rand(3, height // 3 + 1, width // 3 + 1, generator=generator)
    texture = imresize(texture, 3).clamp(0, 1)[:, :height, :width]
    clip = torch.stack([texture.roll((t, 2 * t), (1, 2)) for t in range(frames)])
    clip[frames // 3] = 1.0
    clip[frames // 2 :] = 1 - clip[frames // 2 :]
    return clip
