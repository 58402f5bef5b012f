"""When to validate; learning-rate schedules that torch does not have as they are needed here."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from vsr_lab.core.errors import UserError


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float) -> OneCycleLR:
    """One warm-up and one decay (Smith and Topin 2018), each parameter group up to the rate it was given.

    OneCycleLR itself takes the rates as an argument, and would train a discriminator at the network's.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, rates, total_steps=total_steps, pct_start=pct_start)


def evened(every: int, steps: int) -> int:
    """Steps from one validation to the next, at most `every`, such that the last is at the end of the training.

    Where that cannot be, fewer steps follow the last one than there are validations. Raises UserError below 1.
    """
    if min(every, steps) < 1:
        raise UserError("validation.every", f"{every} of {steps} steps is none", "use at least 1, of trainer.max_steps")
    return steps // math.ceil(steps / every)
