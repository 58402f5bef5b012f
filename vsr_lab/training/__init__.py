"""Batches to checkpoints."""

from vsr_lab.training.adversarial import AdversarialModule
from vsr_lab.training.checkpoints import LAST
from vsr_lab.training.feed import Feed
from vsr_lab.training.fit import WEIGHTS, Trained, fit
from vsr_lab.training.module import VsrModule
from vsr_lab.training.plan import Plan, make_plan
from vsr_lab.training.progress import TrainingBar, quiet_lightning

__all__ = [
    "LAST",
    "WEIGHTS",
    "AdversarialModule",
    "Feed",
    "Plan",
    "Trained",
    "TrainingBar",
    "VsrModule",
    "fit",
    "make_plan",
    "quiet_lightning",
]
