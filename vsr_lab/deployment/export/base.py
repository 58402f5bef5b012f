"""Base class of exporters, which load every exported graph again and compare it with the network."""

from abc import ABC, abstractmethod
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vsr_lab.core.errors import Refusal
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.ranges import Positive, Rollout
from vsr_lab.core.records.bundle import Difference, Graph, GraphTensor, Parity
from vsr_lab.core.resize import imresize

SIZES = ((48, 64), (72, 96), (121, 161))  # one odd, one that needs no padding: a graph of fixed size is detected
LEAST_PSNR = 50.0  # of lower precisions, worst frame, in dB
Precision = Literal["fp32", "fp16"]


class Exporter(ABC):
    """Base class of exporters, which write a streaming network as a graph in one format and verify the graph.

    Args:
        tolerance: largest allowed absolute difference of any value, RGB in [0, 1], of a graph in fp32. A graph in a
            lower precision needs a PSNR of 50 dB in every frame instead.
        frames: number of frames of each test clip. Graph and network process the clip separately, each with its own
            state.
    """

    precision: Precision = "fp32"
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
        """Describe file, inputs and outputs of the graph of a network: here a graph of one step of the network."""
        frames, names = (("lr", (3, 1, 1)), ("sr", (3, network.scale, 1))), ("state", "next")
        inputs, outputs = (
            [frame, *((f"{name}_{i}", shape) for i, shape in enumerate(state_shapes(network)))]
            for frame, name in zip(frames, names, strict=True)
        )
        return Graph(file=self.file, inputs=self.tensors(*inputs), outputs=self.tensors(*outputs))

    def tensors(self, *described: tuple[str, tuple[int, int, int]]) -> list[GraphTensor]:
        """Describe inputs or outputs of the graph.

        Args:
            described: (name, (channels, numerator, denominator)) of each input or output; its height and width are
                those of the LR frame, times numerator / denominator.
        """
        result: list[GraphTensor] = []
        for name, (channels, numerator, denominator) in described:
            times, over = Fraction(numerator, denominator).as_integer_ratio()
            height, width = (f"{times}*" * (times > 1) + side + f"/{over}" * (over > 1) for side in "hw")
            kind = "float16" if self.precision == "fp16" else "float32"
            result.append(GraphTensor(name=name, type=kind, shape=(1, channels, height, width)))
        return result

    def reference(self, network: StreamingNetwork) -> StreamingNetwork:
        """Return the network with which the graph is compared: `network`, unless a subclass exports a variant of it."""
        return network

    def export(self, network: StreamingNetwork, folder: Path) -> Parity:
        """Write the graph of a network, load it again, and compare the outputs of both, see `compare_graph`.

        Args:
            network: network to export.
            folder: folder for the graph.

        Returns:
            The difference of the outputs.

        Raises:
            Refusal: the network cannot be exported to this format, or the outputs differ by more than is allowed. A
                graph whose outputs differ is removed.
        """
        path = folder / self.file
        network = network.eval()
        self.write(network, torch.rand(1, 3, *SIZES[0]), path)
        given, made = self.reference(network), self.load(path)
        try:
            return compare_graph(
                given, made, self.format, tolerance=self.tolerance, frames=self.frames, precision=self.precision
            )
        except Refusal as error:
            path.unlink()
            raise Refusal(f"{error}; nothing was exported") from error


def state_shapes(network: StreamingNetwork) -> list[tuple[int, int, int]]:
    """(channels, numerator, denominator) of each tensor of the state.

    Height and width of the tensor are those of lr, times numerator / denominator. Raises ValueError if the state is not
    zero at the beginning, or if the size of a tensor is not proportional to the size of lr.
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
    network: StreamingNetwork,
    graph: StreamingNetwork,
    format: str,
    *,
    tolerance: float,
    frames: int,
    precision: Precision = "fp32",
) -> Parity:
    """Compare the outputs of a network and of its exported graph on clips of three frame sizes.

    Args:
        network: network from which the graph was exported, in fp32.
        graph: exported graph, loaded from its file.
        format: name of the graph's format.
        tolerance: largest allowed absolute difference of any value, RGB in [0, 1], of a graph in fp32.
        frames: number of frames of the clips.
        precision: precision of the graph; if it is not fp32, a PSNR of 50 dB is required in every frame instead.

    Returns:
        The difference of the outputs for each size, and the largest of all sizes.

    Raises:
        Refusal: the outputs differ by more than is allowed.
    """
    found = [compare(network, graph, rollout_clip(frames, *size)) for size in SIZES]
    worst = max(found)
    psnr = min(difference.psnr for difference in found)
    if precision == "fp32" and worst.value > tolerance:
        problem = f"differs from the network by {worst.value:.2g} at frame {worst.frame} of {frames}"
        raise Refusal(f"{format}: the graph {problem} (allowed {tolerance:.2g})")
    if precision != "fp32" and psnr < LEAST_PSNR:
        problem = f"has {psnr:.1f} dB to the network in fp32 in the worst of {frames} frames"
        raise Refusal(f"{format}: the graph {problem} (at least {LEAST_PSNR:g} required)")
    return Parity(
        format=format,
        precision=precision,
        worst=worst.value,
        worst_frame=worst.frame,
        psnr=psnr if psnr < inf else None,
        tolerance=tolerance,
        frames=frames,
        sizes=[difference.record(size) for difference, size in zip(found, SIZES, strict=True)],
    )


class Compared(NamedTuple):
    """Largest absolute difference of any value, the number of its frame, and the PSNR in dB of the worst frame.

    If a value is not finite or the sizes differ, the difference is infinite and the PSNR minus infinity.
    """

    value: float
    frame: int
    psnr: float

    def record(self, size: tuple[int, int]) -> Difference:
        """Convert to the record `Difference`; size: height and width of the LR frames."""
        psnr = self.psnr if self.psnr < inf else None
        return Difference(width=size[1], height=size[0], worst=self.value, worst_frame=self.frame, psnr=psnr)


def compare(network: StreamingNetwork, graph: StreamingNetwork, clip: Tensor) -> Compared:
    """Compare the outputs of two networks on a clip (T, 3, h, w)."""
    worst = Compared(-1.0, 0, inf)
    for number, (ours, theirs) in enumerate(zip(stream(network, clip), stream(graph, clip), strict=True)):
        value, psnr = inf, -inf
        if ours.shape == theirs.shape and theirs.isfinite().all():
            value, psnr = float((ours - theirs).abs().max()), psnr_of_worst(theirs[None], ours[None])
        largest = (value, number) if value > worst.value else (worst.value, worst.frame)
        worst = Compared(*largest, min(psnr, worst.psnr))
    return worst


def psnr_of_worst(frames: Tensor, expected: Tensor) -> float:
    """PSNR in dB of the worst frame, of (T, 3, H, W) limited to [0, 1]; infinity if all are equal."""
    return -10 * (frames.clamp(0, 1) - expected.clamp(0, 1)).square().mean((1, 2, 3)).max().log10().item()


def rollout_clip(frames: int, height: int, width: int) -> Tensor:
    """Synthetic clip with motion, a flash and a scene cut, (T, 3, h, w) in [0, 1]. It is the same in every call."""
    generator = torch.Generator().manual_seed(0)
    texture = torch.rand(3, height // 3 + 1, width // 3 + 1, generator=generator)
    texture = imresize(texture, 3).clamp(0, 1)[:, :height, :width]
    clip = torch.stack([texture.roll((t, 2 * t), (1, 2)) for t in range(frames)])
    clip[frames // 3] = 1.0
    clip[frames // 2 :] = 1 - clip[frames // 2 :]
    return clip
