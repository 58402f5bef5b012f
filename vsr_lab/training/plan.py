"""What a training will take, told before it starts: measured on one sample of noise, and scaled."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vsr_lab.core.network import Network, StreamingNetwork

_LR = (180, 320)  # the size at which papers state the cost of a frame
_STATES = 4  # copies of the weights that a training holds: weights, gradients, two moments of Adam
_FRAMES = 2


@dataclass(frozen=True)
class Plan:
    """parameters: numbers trained; gmac: 1e9 multiplications and additions a frame of 180 x 320; memory: bytes, of
    weights, optimiser and what the backward pass keeps, remade: where it makes the rest anew; samples: clips over the
    whole training; seconds: of one step in the network alone, forward and backward, on this machine.
    """

    parameters: int
    gmac: float
    memory: int
    samples: int
    steps: int
    seconds: float
    remade: bool = False

    def __str__(self) -> str:
        hours = self.steps * self.seconds / 3600
        took = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"
        cost = f"{self.parameters / 1e6:.2f} M parameters, {self.gmac:.1f} GMAC a frame at 320x180"
        work = f"{self.steps} steps of {self.seconds:.2f} s, {self.samples} clips: about {took}"
        way = " by making activations anew" if self.remade else ""
        return f"{cost}, at least {self.memory / 2**30:.2f} GiB{way}; {work}"


def make_plan(
    network: Network, device: torch.device, batch: int, frames: int, size: int, steps: int, accumulate: int, world: int
) -> Plan:
    """The plan of `steps` steps, each of `accumulate` batches of crops (`frames` frames of size x size LR pixels) on
    each of `world` devices.
    """
    network = network.to(device)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    lr = _noise(_FRAMES, size, size).to(device)
    once = network.warm_up if isinstance(network, StreamingNetwork) else 0  # frames shown before those that count
    share = batch * (frames + once) / (_FRAMES + once)
    memory = 4 * _STATES * parameters + share * _kept(network, lr)
    if remade := network.checkpoint_activations:  # one frame's at a time, on top of what goes into each
        network.checkpoint_activations = False
        memory += batch / (_FRAMES + once) * _kept(network, lr)
        network.checkpoint_activations = True
    return Plan(
        parameters=parameters,
        gmac=_gmac(network, device),
        memory=int(memory),
        samples=steps * accumulate * world * batch,
        steps=steps,
        seconds=_timed(network, lr) * share * accumulate,
        remade=remade,
    )


def _kept(network: Network, lr: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward pass, the weights not counted."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(lr).square().mean()
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    return sum(size for place, size in kept.items() if place not in weights)


def _timed(network: Network, lr: Tensor) -> float:
    """Seconds of a forward and a backward pass: the faster of two, as the first prepares and either may be held up."""
    return min(_pass(network, lr) for _ in range(2))


def _pass(network: Network, lr: Tensor) -> float:
    start = time.perf_counter()
    network(lr).square().mean().backward()
    if lr.is_cuda:
        torch.cuda.synchronize()
    network.zero_grad(set_to_none=True)
    return time.perf_counter() - start


@torch.no_grad()
def _gmac(network: Network, device: torch.device) -> float:
    """Of one frame more, so that what a clip costs once is left out; on a smaller one, since cost grows with area."""
    small = (_LR[0] // 3, _LR[1] // 4)
    totals: list[int] = []
    for frames in (_FRAMES, _FRAMES + 1):
        counter: Any = FlopCounterMode(display=False)
        with counter:
            network(_noise(frames, *small).to(device))
        totals.append(counter.get_total_flops())
    return (totals[1] - totals[0]) / 2 * (_LR[0] * _LR[1]) / (small[0] * small[1]) / 1e9


def _noise(frames: int, height: int, width: int) -> Tensor:
    """From a source of its own: what is trained afterwards draws as if nothing had been planned."""
    return torch.rand(1, frames, 3, height, width, generator=torch.Generator().manual_seed(0))
