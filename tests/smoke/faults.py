"""Losses that go wrong on purpose, named by tests in a configuration."""

import torch
from torch import Tensor, nn


class NanAt(nn.Module):
    """Zero, but NaN at the calls with these numbers, counted from 0."""

    def __init__(self, calls: list[int]) -> None:
        super().__init__()
        self.calls = calls
        self.count = -1

    def forward(self, sr: Tensor) -> Tensor:
        self.count += 1
        return sr.sum() * (torch.nan if self.count in self.calls else 0.0)


class Steep(nn.Module):
    """Zero with a slope of NaN, as the root of a square at zero has."""

    def forward(self, sr: Tensor) -> Tensor:
        return (sr - sr).sum().sqrt()


class OutOfMemory(nn.Module):
    """What CUDA says."""

    def forward(self, sr: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
