"""Estimate of the memory that a network needs for a frame, and the largest tile size for which memory suffices."""

import os
import weakref
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.records.deployment import Runtime

SMALLEST = 64  # LR pixels: of smaller tiles most would be overlap
_SIDE = 64  # of the frame on which tensors are counted; their number of pixels is proportional to that of the frame
_LIBRARY = {"torch": 1.7, "onnxruntime": 3.0, "openvino": 3.0}  # memory over that of the tensors that torch needs
_CGROUP = Path("/sys/fs/cgroup/memory.max")


class _LiveTensors(TorchDispatchMode):
    """Records the largest number of bytes of the tensors that exist at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self._live = dict[int, int]()
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and (key := (storage := value.untyped_storage()).data_ptr()) not in self._live:
                self._live[key] = storage.nbytes()
                weakref.finalize(storage, self._live.pop, key, None)
        self.peak = max(self.peak, sum(self._live.values()))
        return result


@torch.no_grad()
def bytes_per_pixel(network: StreamingNetwork) -> float:
    """Peak memory of the tensors of a network in torch during a step, in bytes per LR pixel of the frame."""
    lr = torch.zeros(1, 3, _SIDE, _SIDE)
    with _LiveTensors() as tensors:
        _, state = network.step(lr, network.zero_state(lr))
        network.step(lr, state)
    return tensors.peak / _SIDE**2


def needed_memory(network: StreamingNetwork, runtime: Runtime | None, pixels: int) -> int:
    """Estimate the bytes that a runtime needs for a frame or tile of `pixels` LR pixels.

    Args:
        network: the network in torch, whose memory is measured.
        runtime: the runtime; None: onnxruntime.
        pixels: number of LR pixels, height times width.
    """
    return round(bytes_per_pixel(network) * _LIBRARY[runtime.backend if runtime else "onnxruntime"] * pixels)


def total_memory(device: str) -> int:
    """Total memory in bytes: of the GPU for "cuda", else of the machine or of its container if that has less."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[1]
    limit = _CGROUP.read_text(encoding="ascii").strip() if _CGROUP.is_file() else ""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(machine, int(limit)) if limit.isdecimal() else machine


def fitting_tile(size: tuple[int, int], overlap: int, pixels: float) -> int:
    """Height and width of the largest tile with at most `pixels` LR pixels, its overlap included.

    Args:
        size: height and width of the frame.
        overlap: overlap on each side of a tile, in LR pixels.
        pixels: allowed number of LR pixels.

    Returns:
        Size of the tile without its overlap, a multiple of 64 and at least 64, even if that is too large; 0 if the
        whole frame has at most `pixels` pixels.
    """
    if size[0] * size[1] <= pixels:
        return 0
    return max(SMALLEST, (int(sqrt(pixels)) - 2 * overlap) // SMALLEST * SMALLEST)
