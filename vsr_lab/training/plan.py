"""Estimate of the memory and time that a training needs, from a measurement on a sample of noise."""

import copy
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vsr_lab.core.network import Network, StreamingNetwork

_LR = (180, 320)  # the size at which papers state the cost of a frame
_STATES = 4  # copies of the weights in a training: weights, gradients, two moments of Adam
_FRAMES = 2


class Workload(NamedTuple):
    """The amount of work of a training, from which its memory and time are estimated.

    Args:
        batch_size: samples per batch and device.
        frames: frames per sample.
        size: height and width of a sample in LR pixels.
        steps: optimizer steps.
        accumulate: number of batches whose gradients are accumulated for a step.
        world: number of devices.
    """

    batch_size: int
    frames: int
    size: int
    steps: int
    accumulate: int = 1
    world: int = 1


@dataclass(frozen=True)
class Plan:
    """Estimated memory and time of a training.

    Attributes:
        parameters: number of trained parameters.
        gmac: multiply-accumulate operations for an LR frame of 180 x 320 pixels, divided by 1e9.
        memory: estimated bytes of weights, gradients, optimizer state and stored activations, per device.
        samples: number of samples of the whole training.
        steps: number of optimizer steps.
        seconds: estimated time of the forward and backward passes of one optimizer step, on this machine.
        checkpointed: whether activations are recomputed in the backward pass.
    """

    parameters: int
    gmac: float
    memory: int
    samples: int
    steps: int
    seconds: float
    checkpointed: bool = False

    def __str__(self) -> str:
        hours = self.steps * self.seconds / 3600
        took = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"
        cost = f"{self.parameters / 1e6:.2f} M parameters, {self.gmac:.1f} GMAC a frame at 320x180"
        work = f"{self.steps} steps of {self.seconds:.2f} s, {self.samples} clips: about {took}"
        way = " with recomputed activations" if self.checkpointed else ""
        return f"{cost}, at least {self.memory / 2**30:.2f} GiB{way}; {work}"


def make_plan(network: Network, device: torch.device, work: Workload) -> Plan:
    """Estimate the memory and time of a training, by running a copy of the network on a small sample of noise.

    Args:
        network: network to train.
        device: device of the training.
        work: size and number of the batches.
    """
    network = copy.deepcopy(network).to(device)
    checkpointed, network.checkpoint_activations = network.checkpoint_activations, False
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    lr = _noise(_FRAMES, work.size, work.size).to(device)
    once = network.warm_up if isinstance(network, StreamingNetwork) else 0  # frames shown before those that count
    share = work.batch_size * (work.frames + once) / (_FRAMES + once)
    kept = _kept(network, lr)
    network.checkpoint_activations = checkpointed
    activations = share * kept
    if checkpointed:  # the inputs of every frame, and one frame's activations at a time
        activations = share * _kept(network, lr) + work.batch_size / (_FRAMES + once) * kept
    return Plan(
        parameters=parameters,
        gmac=_gmac(network, device),
        memory=int(4 * _STATES * parameters + activations),
        samples=work.steps * work.accumulate * work.world * work.batch_size,
        steps=work.steps,
        seconds=_timed(network, lr) * share * work.accumulate,
        checkpointed=checkpointed,
    )


def _kept(network: Network, lr: Tensor) -> int:
    """Bytes that a forward pass stores for the backward pass, without the weights."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(lr).square().mean()
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    return sum(size for place, size in kept.items() if place not in weights)


def _timed(network: Network, lr: Tensor) -> float:
    """Seconds of a forward and a backward pass: the faster of two, since the first one allocates memory."""
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
    """Multiply-accumulate operations (1e9) of one more frame in a clip, without the constant cost of the clip.

    They are counted on a small frame, and scaled to a frame of 180 x 320 pixels.
    """
    small = (_LR[0] // 3, _LR[1] // 4)
    totals: list[int] = []
    for frames in (_FRAMES, _FRAMES + 1):
        counter: Any = FlopCounterMode(display=False)
        with counter:
            network(_noise(frames, *small).to(device))
        totals.append(counter.get_total_flops())
    return (totals[1] - totals[0]) / 2 * (_LR[0] * _LR[1]) / (small[0] * small[1]) / 1e9


def _noise(frames: int, height: int, width: int) -> Tensor:
    """Noise from a separate generator, so that planning does not change the random numbers of the training."""
    return torch.rand(1, frames, 3, height, width, generator=torch.Generator().manual_seed(0))
