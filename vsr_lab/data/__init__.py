"""Footage to batches."""

from vsr_lab.data.build import store_shots
from vsr_lab.data.curriculum import Curriculum
from vsr_lab.data.loading import Part, StepNumbers, hold_out, spread, train_loader, validation_loader
from vsr_lab.data.samples import Crops, Sample, Windows, collate
from vsr_lab.data.store import StoredClip, StoreEntry, inspect_store, remove_entry

__all__ = [
    "Crops",
    "Curriculum",
    "Part",
    "Sample",
    "StepNumbers",
    "StoreEntry",
    "StoredClip",
    "Windows",
    "collate",
    "hold_out",
    "inspect_store",
    "remove_entry",
    "spread",
    "store_shots",
    "train_loader",
    "validation_loader",
]
