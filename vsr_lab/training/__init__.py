"""Training of networks; `train` combines data, network and objective (losses) to a training run."""

from vsr_lab.training.adversarial import AdversarialModule
from vsr_lab.training.callbacks import AveragedWeights, StartReference, TrainingBar, quiet_lightning
from vsr_lab.training.checkpoints import LAST
from vsr_lab.training.module import OptimizerFactory, Recipe, Validation, VsrModule
from vsr_lab.training.optimization import ParameterGroup, evened, freeze, one_cycle, with_rates
from vsr_lab.training.pictures import Pictures
from vsr_lab.training.plan import Plan, Workload, make_plan
from vsr_lab.training.train import WEIGHTS, RunFolder, Trained, TrainerOptions, train
