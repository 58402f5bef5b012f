"""A module and batches small enough for a step in milliseconds."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from vsr_lab.core.flow import Farneback
from vsr_lab.core.network import Network
from vsr_lab.data.batch import Batch
from vsr_lab.data.datamodule import Feed
from vsr_lab.degradations import ResizeDown
from vsr_lab.losses import Charbonnier, Flicker, Objective, Term
from vsr_lab.metrics import flicker, psnr
from vsr_lab.training import VsrModule


@pytest.fixture
def make_module() -> Callable[..., VsrModule]:
    """make_module(network, name=loss, ...): it trains on Charbonnier, flicker and the losses given."""

    def make(network: Network, **losses: nn.Module) -> VsrModule:
        terms = {"charbonnier": Charbonnier(), "flicker": Flicker(), **losses}
        return VsrModule(
            network=network,
            objective=Objective({name: Term(loss, 1.0) for name, loss in terms.items()}, Farneback()),
            degradation=ResizeDown(2),
            optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
            scheduler=torch.optim.lr_scheduler.ConstantLR,
            metrics={"psnr": psnr, "flicker": flicker},
            score={"psnr": 1.0},
            measure_every=1,
        )

    return make


@pytest.fixture
def feed() -> Feed:
    """Two batches of noise for every epoch, and one to validate on."""

    def batches(count: int) -> DataLoader[Batch]:
        draw = torch.Generator().manual_seed(count)
        made = [
            Batch(
                hr=torch.randint(0, 256, (2, 3, 3, 32, 32), dtype=torch.uint8, generator=draw),
                lr=None,
                params=[{}, {}],
                numbers=[2 * i, 2 * i + 1],
                clips=["noise", "noise"],
                starts=[0, 0],
            )
            for i in range(count)
        ]
        return DataLoader(made, batch_size=None)  # type: ignore[arg-type]

    return Feed(lambda *, first, steps, rank, world: batches(2), lambda: batches(1))
