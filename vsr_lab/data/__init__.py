"""Footage to batches."""

from vsr_lab.data.curriculum import Curriculum
from vsr_lab.data.dataset import Crops, Sample, Windows, collate
from vsr_lab.data.loader import Part, StepNumbers, hold_out, spread, train_loader, validation_loader
from vsr_lab.data.store import StoredClip, StoreEntry, inspect_store, remove_entry
from vsr_lab.data.store_writer import store_shots

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
