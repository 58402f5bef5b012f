"""How a network is trained and judged while it trains: settings of `VsrModule`, apart from network and objective."""

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
    """How the weights are trained.

    Args:
        optimizer: parameter groups -> optimizer.
        scheduler: optimizer -> learning-rate scheduler, stepped after every step.
        teacher: a network whose output a loss may learn from; neither trained nor saved.
        measure_every: steps between logs of the losses that are not trained (weight 0).
        skip_limit: batches with a non-finite loss that are skipped before the run ends.
        state_reset_prob: probability that the network starts again at a frame of a crop, as after a cut; in [0, 1].
        seed: of those resets.

    Raises:
        UserError: for a probability outside [0, 1].
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
    """What is measured while training, and which weights are the best.

    Args:
        metrics: by name, as in `vsr_lab.metrics`.
        score: metric name -> weight of the sum that the best checkpoint has the highest of.
        colour: the channels that metrics see, "y" or "rgb".

    Raises:
        UserError: for a score that no metric measures, a metric that validation cannot compute, and another colour.
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
    """Lazy inputs of the learned metrics: what their networks extract from a clip."""
    return {f"{net}_{name}": lambda make=make: make().to(clip.device).features(clip) for net, make in NETS.items()}


def _check_metric(name: str, metric: Metric) -> None:
    """Raises UserError for a metric that validation cannot measure or that lacks its weights."""
    nothing = torch.empty(0)
    offered = {"sr", "hr", "lr", "colour", "motion", *features("sr", nothing), *features("hr", nothing)}
    wanted = set(required_inputs(metric))
    for net, make in NETS.items():
        if wanted & {f"{net}_sr", f"{net}_hr"}:
            make()
    if missing := wanted - offered:
        problem = f"asks for {min(missing)}, which a training does not have"
        raise UserError(f"validation.metrics.{name}", problem, f"drop it: ~validation.metrics.{name}")
