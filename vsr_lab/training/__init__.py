"""Batches to checkpoints."""

from vsr_lab.training.feed import Feed
from vsr_lab.training.fit import LAST, WEIGHTS, Trained, fit
from vsr_lab.training.module import VsrModule
from vsr_lab.training.progress import TrainingBar, quiet_lightning

__all__ = ["LAST", "WEIGHTS", "Feed", "Trained", "TrainingBar", "VsrModule", "fit", "quiet_lightning"]
