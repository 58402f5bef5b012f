"""Settings of `VsrModule` other than network and objective."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from vsr_lab.core.errors import UserError
from vsr_lab.core.inputs import required_inputs
from vsr_lab.core.network import Network
from vsr_lab.metrics import NETS, flicker, psnr

OptimizerFactory = Callable[[list[dict[str, Any]]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]
Metric = Callable[..., Tensor]
_ADAMW = partial(AdamW, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
_CONSTANT = partial(ConstantLR, factor=1.0)


@dataclass(frozen=True)
class Recipe:
    """Optimizer, learning rate schedule and other settings of a training.

    Args:
        optimizer: function from parameter groups to an optimizer.
        scheduler: function from an optimizer to a learning rate scheduler, which is stepped after every step.
        teacher: teacher network of distillation, neither trained nor saved; None: no distillation.
        measure_every: number of steps between two logs of the losses with weight 0.
        skip_limit: number of batches with a non-finite loss that are skipped; the next one ends the run.
        state_reset_prob: probability, in [0, 1] for each frame, that the recurrent state is reset as after a scene cut.
        seed: seed of the frames at which the state is reset.

    Raises:
        UserError: the probability is outside [0, 1].
    """

    optimizer: OptimizerFactory = _ADAMW
    scheduler: SchedulerFactory = _CONSTANT
    teacher: Network | None = None
    measure_every: int = 50
    skip_limit: int = 5
    state_reset_prob: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.state_reset_prob <= 1:
            raise UserError("state_reset_prob", f"must be in [0, 1], got {self.state_reset_prob}", "choose another")


@dataclass(frozen=True)
class Validation:
    """Metrics of validation, and the score by which the best weights are selected.

    Args:
        metrics: functions by name, as in `vsr_lab.metrics`.
        score: metric name -> weight; the checkpoint with the highest weighted sum is the best.
        colour: channels that metrics are computed on, "y" (luma) or "rgb".

    Raises:
        UserError: the score uses a metric that is not measured, validation cannot compute a metric, or the colour is
            unknown.
    """

    metrics: Mapping[str, Metric] = field(default_factory=lambda: {"psnr": psnr, "flicker": flicker})
    score: Mapping[str, float] = field(default_factory=lambda: {"psnr": 1.0, "flicker": -0.1})
    colour: str = "y"

    def __post_init__(self) -> None:
        if not self.score:
            raise UserError("validation.score", "is empty, and would choose no weights", "name a metric and its weight")
        if unknown := [name for name in self.score if name not in self.metrics]:
            problem = f"no validation.metrics.{unknown[0]} measures it"
            raise UserError(f"validation.score.{unknown[0]}", problem, f"drop it: ~validation.score.{unknown[0]}")
        if self.colour not in {"y", "rgb"}:
            raise UserError(f"validation.colour={self.colour}", "is not known", "use y or rgb")
        for name, metric in self.metrics.items():
            _check_metric(name, metric)


def features(name: str, clip: Tensor) -> dict[str, Callable[[], Any]]:
    """Functions that compute the features of a clip for a learned metric (LPIPS), by the name of the metric's input.

    Args:
        name: "sr" or "hr".
        clip: (B, T, 3, H, W) in [0, 1].
    """
    return {f"{net}_{name}": lambda make=make: make().to(clip.device).features(clip) for net, make in NETS.items()}


def _check_metric(name: str, metric: Metric) -> None:
    """Raise UserError if validation cannot compute a metric or its weights are missing."""
    nothing = torch.empty(0)
    offered = {"sr", "hr", "lr", "colour", "motion", *features("sr", nothing), *features("hr", nothing)}
    wanted = set(required_inputs(metric))
    for net, make in NETS.items():
        if wanted & {f"{net}_sr", f"{net}_hr"}:
            make()
    if missing := wanted - offered:
        problem = f"asks for {min(missing)}, which a training does not have"
        raise UserError(f"validation.metrics.{name}", problem, f"drop it: ~validation.metrics.{name}")
