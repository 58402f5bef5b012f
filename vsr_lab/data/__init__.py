"""Footage to batches."""

from vsr_lab.data.loading import StepNumbers, hold_out, train_loader, validation_loader
from vsr_lab.data.samples import Crops, Sample, Windows, collate
from vsr_lab.data.store import StoredClip, store_shots

__all__ = [
    "Crops",
    "Sample",
    "StepNumbers",
    "StoredClip",
    "Windows",
    "collate",
    "hold_out",
    "store_shots",
    "train_loader",
    "validation_loader",
]
