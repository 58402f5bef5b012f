"""A module and batches small enough for a step in milliseconds."""

from collections.abc import Callable

import pytest
import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from vsr_lab.core.flow import Farneback
from vsr_lab.core.network import Network
from vsr_lab.data.batch import Batch, pair_on_device
from vsr_lab.degradations import ResizeDown
from vsr_lab.losses import Charbonnier, Flicker, Objective, Term
from vsr_lab.training import Recipe, Validation, VsrModule


@pytest.fixture
def make_module() -> Callable[..., VsrModule]:
    """make_module(network, name=loss, ...): it trains on Charbonnier, flicker and the losses given."""

    def make(network: Network, **losses: nn.Module) -> VsrModule:
        terms = {"charbonnier": Charbonnier(), "flicker": Flicker(), **losses}
        return VsrModule(
            network,
            Objective({name: Term(loss, 1.0) for name, loss in terms.items()}, Farneback()),
            Recipe(
                optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
                scheduler=torch.optim.lr_scheduler.ConstantLR,
                measure_every=1,
                skip_limit=0,
            ),
            validation=Validation(score={"psnr": 1.0}),
        )

    return make


class Batches(pl.LightningDataModule):
    """Batches for each step from the trainer's on, and some to validate on; LR is made on the device."""

    def __init__(self, train: Callable[..., DataLoader[Batch]], validation: DataLoader[Batch]) -> None:
        super().__init__()
        self.train = train
        self.validation = validation

    def train_dataloader(self) -> DataLoader[Batch]:
        accumulate = self.trainer.accumulate_grad_batches
        return self.train(first=self.trainer.global_step * accumulate, steps=self.trainer.max_steps * accumulate)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.validation

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        return pair_on_device(ResizeDown(2), batch, torch.float32)


@pytest.fixture
def data() -> Batches:
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

    return Batches(lambda *, first, steps: batches(2), batches(1))
