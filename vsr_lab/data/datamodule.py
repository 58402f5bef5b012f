"""How Lightning asks for batches: only it knows the step to go on from and the processes there are."""

from collections.abc import Callable
from typing import Protocol

import pytorch_lightning as pl
from torch.utils.data import DataLoader

from vsr_lab.data.batch import Batch


class TrainLoader(Protocol):
    """Batches of steps first..steps-1 for one of `world` processes."""

    def __call__(self, *, first: int, steps: int, rank: int, world: int) -> DataLoader[Batch]: ...


class Feed(pl.LightningDataModule):
    """Loaders for a trainer, begun at the step where a resumed run stands."""

    def __init__(self, train: TrainLoader, validation: Callable[[], DataLoader[Batch]]) -> None:
        super().__init__()
        self.train = train
        self.validation = validation

    def train_dataloader(self) -> DataLoader[Batch]:
        trainer = self.trainer
        assert trainer is not None
        accumulate = trainer.accumulate_grad_batches
        return self.train(
            first=trainer.global_step * accumulate,
            steps=trainer.max_steps * accumulate,
            rank=trainer.global_rank,
            world=trainer.world_size,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.validation()
