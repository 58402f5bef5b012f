"""Learning-rate schedules that torch does not have as they are needed here."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR


def one_cycle(optimizer: Optimizer, total_steps: int, pct_start: float) -> OneCycleLR:
    """One warm-up and one decay (Smith and Topin 2018), each group of weights up to the rate it was given.

    torch's own takes the rates as an argument, and would train a discriminator at the network's.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, rates, total_steps=total_steps, pct_start=pct_start)
