"""Batches to checkpoints."""

from vsr_lab.training.adversarial import AdversarialModule
from vsr_lab.training.checkpoints import LAST
from vsr_lab.training.ema import AveragedWeights
from vsr_lab.training.fit import WEIGHTS, Trained, check_trainer, fit
from vsr_lab.training.module import OptimizerFactory, VsrModule
from vsr_lab.training.parameter_groups import ParameterGroup, freeze, with_rates
from vsr_lab.training.pictures import Pictures
from vsr_lab.training.plan import Plan, make_plan
from vsr_lab.training.progress import TrainingBar, quiet_lightning
from vsr_lab.training.schedule_free import averages
from vsr_lab.training.schedules import evened, one_cycle
from vsr_lab.training.start import StartReference

__all__ = [
    "LAST",
    "WEIGHTS",
    "AdversarialModule",
    "AveragedWeights",
    "OptimizerFactory",
    "ParameterGroup",
    "Pictures",
    "Plan",
    "StartReference",
    "Trained",
    "TrainingBar",
    "VsrModule",
    "averages",
    "check_trainer",
    "evened",
    "fit",
    "freeze",
    "make_plan",
    "one_cycle",
    "quiet_lightning",
    "with_rates",
]
