"""Running networks tile by tile, for frames that are too large for memory."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vsr_lab.core.network import State, StreamingNetwork


class Tile(NamedTuple):
    """Position and size of the area that a tile contributes to the result, in LR pixels.

    Attributes:
        y, x, height, width: position and size of the area.
        top, left: height of the margin above the area, and width of the margin to the left of it.
    """

    y: int
    x: int
    height: int
    width: int
    top: int
    left: int


def tiles(height: int, width: int, size: int, overlap: int) -> Iterator[Tile]:
    """Split a frame of height x width into areas of at most size x size, with margins of at most `overlap`."""
    for y in range(0, height, size):
        for x in range(0, width, size):
            yield Tile(y, x, min(size, height - y), min(size, width - x), min(overlap, y), min(overlap, x))


class Tiled(StreamingNetwork):
    """Wraps a streaming network to process frames in overlapping tiles, which needs less memory.

    Each tile has its own recurrent state. The output equals that of the network if the receptive field of the network
    extends at most `overlap` pixels to each side.

    Args:
        network: the network.
        size: height and width of a tile in LR pixels, a multiple of the network's `size_multiple`.
        overlap: width in LR pixels of the margin around a tile, which is processed with it and then discarded; also a
            multiple of `size_multiple`.

    Raises:
        ValueError: size is below 1, overlap is negative, or one of them is not a multiple of `size_multiple`.
    """

    def __init__(self, network: StreamingNetwork, size: int, overlap: int) -> None:
        super().__init__()
        if size < 1 or overlap < 0 or size % network.size_multiple or overlap % network.size_multiple:
            raise ValueError(f"size {size} and overlap {overlap} must be multiples of {network.size_multiple}")
        self.network = network
        self.scale = network.scale
        self.size_multiple = network.size_multiple
        self.size = size
        self.overlap = overlap

    def _cut(self, lr: Tensor) -> Iterator[tuple[Tile, Tensor]]:
        for tile in tiles(lr.shape[-2], lr.shape[-1], self.size, self.overlap):
            bottom, right = tile.y + tile.height + self.overlap, tile.x + tile.width + self.overlap
            yield tile, lr[..., tile.y - tile.top : bottom, tile.x - tile.left : right]

    def zero_state(self, lr: Tensor) -> State:
        return tuple(part for _, cut in self._cut(lr) for part in self.network.zero_state(cut))

    def initial_state(self, lr: Tensor) -> State:
        return tuple(part for _, cut in self._cut(lr) for part in self.network.initial_state(cut))

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        s = self.scale
        sr = lr.new_empty(*lr.shape[:-2], lr.shape[-2] * s, lr.shape[-1] * s)
        cuts = list(self._cut(lr))
        parts = len(state) // len(cuts)
        following: list[Tensor] = []
        for i, (tile, cut) in enumerate(cuts):
            out, new = self.network.step(cut, state[i * parts : (i + 1) * parts])
            top, left, height, width = (s * n for n in (tile.top, tile.left, tile.height, tile.width))
            sr[..., s * tile.y : s * tile.y + height, s * tile.x : s * tile.x + width] = out[
                ..., top : top + height, left : left + width
            ]
            following += new
        return sr, tuple(following)

    def forward(self, lr: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(lr)
