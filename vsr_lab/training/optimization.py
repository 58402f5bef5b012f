"""Learning rates of groups of parameters, a schedule that keeps them, and the interval between validations."""

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from vsr_lab.core.errors import UserError
from vsr_lab.training.module import OptimizerFactory


class ParameterGroup(BaseModel):
    """A group of network parameters with its own learning rate.

    Attributes:
        match: shell pattern of the names of the parameters, such as "flow.*".
        rate: factor of the optimizer's learning rate, >= 0; 0 freezes the parameters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Annotated[str, Field(min_length=1)]
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def freeze(network: nn.Module, groups: Sequence[ParameterGroup]) -> None:
    """Freeze the parameters of groups with rate 0 (requires_grad=False). Raises UserError if a group is empty."""
    names = [name for name, _ in network.named_parameters()]
    for group in groups:
        if not any(fnmatchcase(name, group.match) for name in names):
            raise UserError(
                "parameter_groups",
                f"{group.match} matches no parameter",
                f"write a pattern of names such as {names[0]}",
            )
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_rate(name, groups) > 0)


def with_rates(make: OptimizerFactory, network: nn.Module, groups: Sequence[ParameterGroup]) -> OptimizerFactory:
    """Wrap a function that makes an optimizer, so that learning rates are multiplied by the rates of groups.

    The first group that matches the name of a parameter is used. If no group matches, the rate is 1.

    Args:
        make: function that makes an optimizer from PyTorch's parameter groups.
        network: network whose parameters are trained.
        groups: groups of parameters, by name pattern, with their rates.
    """
    rates = {id(parameter): _rate(name, groups) for name, parameter in network.named_parameters()}

    def made(learners: list[dict[str, Any]]) -> torch.optim.Optimizer:
        parts: list[dict[str, Any]] = []
        for learner in learners:
            of_rate: dict[float, list[nn.Parameter]] = {}
            for parameter in learner["params"]:
                of_rate.setdefault(rates.get(id(parameter), 1.0), []).append(parameter)
            parts += [{**learner, "params": params, "rate": rate} for rate, params in of_rate.items()]
        optimizer = make(parts)
        for group in optimizer.param_groups:
            group["lr"] *= group["rate"]
        return optimizer

    return made if groups else make


def _rate(name: str, groups: Sequence[ParameterGroup]) -> float:
    return next((group.rate for group in groups if fnmatchcase(name, group.match)), 1.0)


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float) -> OneCycleLR:
    """PyTorch's OneCycleLR (Smith and Topin 2018), with the learning rate of each parameter group as its maximum.

    A single maximum for all groups, as in usual calls of PyTorch's class, would replace the separate learning rate of a
    discriminator.

    Args:
        optimizer: optimizer; the learning rate of each of its parameter groups is the maximum for that group.
        total_steps: number of steps of the training.
        pct_start: fraction of the steps in which the rate rises, in [0, 1].
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, rates, total_steps=total_steps, pct_start=pct_start)


def evened(every: int, steps: int) -> int:
    """Interval in training steps, at most `every`, at which validations are evenly spaced over a training.

    The last validation is at the last step or, if the interval does not divide `steps`, a few steps before it.

    Args:
        every: maximum interval in steps, >= 1.
        steps: number of steps of the training.

    Raises:
        UserError: `every` or `steps` is below 1.
    """
    if min(every, steps) < 1:
        raise UserError("validation.every", f"must be >= 1, got {every} ({steps} steps in all)")
    return steps // math.ceil(steps / every)
