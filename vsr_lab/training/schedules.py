"""Validation intervals, and a learning rate schedule that PyTorch does not have."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from vsr_lab.core.errors import UserError


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float) -> OneCycleLR:
    """PyTorch's OneCycleLR (Smith and Topin 2018), with the learning rate of each parameter group as its maximum.

    PyTorch takes one maximum as an argument, which would replace the separate learning rate of the discriminator.

    Args:
        optimizer: optimizer; the learning rate of each of its parameter groups is the maximum for that group.
        total_steps: number of steps of the training.
        pct_start: fraction of the steps in which the rate rises, in [0, 1].
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, rates, total_steps=total_steps, pct_start=pct_start)


def evened(every: int, steps: int) -> int:
    """Interval between validations in training steps, at most `every`, so that they are evenly spaced.

    The last validation is at the last step, or a few steps before it if the interval does not divide `steps`.

    Args:
        every: maximum interval in steps, >= 1.
        steps: number of steps of the training.

    Raises:
        UserError: every < 1.
    """
    if min(every, steps) < 1:
        raise UserError("validation.every", f"{every} of {steps} steps is none", "use at least 1, of trainer.max_steps")
    return steps // math.ceil(steps / every)
