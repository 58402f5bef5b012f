"""Configuration of the command `train`."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import AfterValidator, Field, model_validator
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.strategies import Strategy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vsr_lab.cli.configuration.schema import (
    Bool,
    Command,
    Count,
    FolderPath,
    FootageChoice,
    Int,
    Reading,
    Scale,
    Section,
    Seed,
    check_scale,
)
from vsr_lab.cli.evaluate import Metric
from vsr_lab.core.network import Network
from vsr_lab.core.parts import FilePath, Number, Part, PartError, Text, describes
from vsr_lab.core.ranges import LayoutName, file_name
from vsr_lab.degradations import Degradation
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.footage.tables import TABLE_SUFFIXES
from vsr_lab.losses import Objective
from vsr_lab.training import OptimizerFactory, ParameterGroup
from vsr_lab.training.module import SchedulerFactory

Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Steps = Annotated[Int, Field(ge=1, le=1_000_000_000)]
Side = Annotated[Int, Field(ge=8, le=4096)]
Lesson = Annotated[list[Number], Field(min_length=2, max_length=2)]


def _check_builds(part: Part[Any], *arguments: Any) -> Part[Any]:
    """Call a factory of a library once; otherwise unusable values would be reported only when a training begins.

    Raises PartError if the call fails. The error names the keyword without which the call succeeds.
    """

    def failure(keywords: Mapping[str, Any]) -> str:
        try:
            replace(part, keywords=keywords).build()(*arguments)
        except (ValueError, TypeError, RuntimeError, ArithmeticError) as error:
            return str(error).partition("\n")[0] or type(error).__name__
        return ""

    if problem := failure(part.keywords):
        others = ({name: v for name, v in part.keywords.items() if name != key} for key in part.keywords)
        found = (key for key, rest in zip(part.keywords, others, strict=True) if not failure(rest))
        detail = {"type": "value_error", "loc": tuple(islice(found, 1)), "msg": problem, "input": None}
        raise PartError({**detail, "ctx": {"error": problem}})
    return part


def _scheduler(part: Part[Any]) -> Part[Any]:
    for name in ("T_max", "total_steps", "T_0", "step_size"):
        value = part.keywords.get(name)
        if isinstance(value, int) and value < 1:
            raise PartError({"type": "greater_than_equal", "loc": (name,), "msg": "", "input": value, "ctx": {"ge": 1}})
    return _check_builds(part, torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1, 1))]))


def _optimizer(part: Part[Any]) -> Part[Any]:
    parameter = torch.nn.Parameter(torch.zeros(1, 1))
    _check_builds(part, [parameter])
    optimizer = part.build()([parameter])
    parameter.grad = torch.ones(1, 1)
    if hasattr(optimizer, "train"):  # of schedulefree
        optimizer.train()
    try:
        optimizer.step()
    except (TypeError, RuntimeError) as error:  # LBFGS needs a closure, SparseAdam sparse gradients
        raise ValueError(f"{type(optimizer).__name__} cannot train a network here: {error}") from error
    return part


class DataConfig(FootageChoice, Reading):
    """Footage of a training, and size, length and number of the samples that are cut from it."""

    root: FilePath
    content: Text | None = None
    """content_type of the manifest rows to use; null: all."""
    layout: LayoutName
    lr_root: FilePath | None
    hold_out: Annotated[Number, Field(ge=0, le=0.99)]
    store: FolderPath
    budget_gib: Positive
    size: Side
    clip_frames: Annotated[Int, Field(ge=1, le=10_000)]
    curriculum: Annotated[list[Lesson], Field(min_length=1)] | None
    crop_candidates: Annotated[Int, Field(ge=1, le=10_000)]
    flips: Bool
    strides: Annotated[list[NonNegative], Field(min_length=1, max_length=64)]
    min_motion: Annotated[NonNegative, Field(le=255)]
    batch_size: Annotated[Int, Field(ge=1, le=65_536)]
    workers: Annotated[Int, Field(ge=0, le=1024)]


class ValidationConfig(Section):
    """Clips and metrics of validation, and the score by which the best checkpoint is selected."""

    every: Steps
    size: Side
    frames: Annotated[Int, Field(ge=2, le=10_000)]
    clips: Count
    colour: Literal["y", "rgb"]
    metrics: Annotated[dict[str, Metric], Field(min_length=1)]
    score: Annotated[dict[str, Number], Field(min_length=1)]


class TrainerConfig(Section):
    """Keywords of pytorch_lightning.Trainer."""

    max_steps: Steps
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    gradient_clip_val: NonNegative | None
    accumulate_grad_batches: Steps
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps", "tpu"] | None
    devices: Count | Literal["auto"] | list[Int]
    num_nodes: Count
    strategy: Text | Annotated[Part[Strategy], describes(Strategy)]
    log_every_n_steps: Steps


class Resumption(Section):
    """Record that a run was resumed with other settings: the step at which it was resumed, and the overrides."""

    step: Annotated[Int, Field(ge=0)]
    overrides: list[Text]


class TrainConfig(Command):
    """Train a network.

    Example: vsr-lab train content=animation data.root=FOLDER
    """

    ignored: ClassVar[frozenset[str]] = frozenset({"gates"})
    results = "checkpoints/last*.ckpt"
    writes = (
        "metrics.csv",
        "checkpoints/best*.ckpt",
        "checkpoints/last*.ckpt",
        "wandb/*run*",
        "wandb/debug*.log",
        "tensorboard/*.tfevents.*",
    )
    content: Annotated[Text, Field(min_length=1)]
    resume: FilePath | None
    resumed: list[Resumption] = Field(default_factory=list)
    """Overrides with which the run was resumed; they are recorded here, and cannot be set."""
    plan: Bool
    name: Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(file_name)]
    seed: Seed
    scale: Scale
    pixel_format: Literal["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gbrp", "rgb24"]
    channels_last: Bool
    compile: Bool
    checkpoint_activations: Bool
    init_from: FilePath | None
    init_skip: list[Text]
    branches: Bool
    parameter_groups: list[ParameterGroup]
    teacher: Annotated[Part[Candidate], describes(Candidate)] | None
    data: DataConfig
    validation: ValidationConfig
    model: Annotated[Part[Network], describes(Network)]
    degradation: Annotated[Part[Degradation], describes(Degradation)]
    loss: Annotated[Part[Objective], describes(Objective)]
    optimizer: Annotated[Part[OptimizerFactory], describes(Optimizer), AfterValidator(_optimizer)]
    scheduler: Annotated[Part[SchedulerFactory], describes(LRScheduler), AfterValidator(_scheduler)]
    callbacks: dict[str, Annotated[Part[Callback], describes(Callback)] | None]
    trainer: TrainerConfig
    logger: dict[str, Annotated[Part[Logger], describes(Logger)]] | None = None
    save_every: Steps
    measure_every: Steps
    skip_limit: Annotated[Int, Field(ge=0, le=1_000_000_000)]

    def without_effect(self) -> dict[str, str]:
        found = {"resumed": "overrides of a resumed run are recorded here"}
        if self.data.lr_root:
            found["degradation"] = "LR is read from data.lr_root"
        if self.data.root.suffix in TABLE_SUFFIXES:
            found["data.layout"] = "data.root is a manifest"
        if not self.init_from:
            found["init_skip"] = "init_from is null"
        for name in (name for name, weight in self.validation.score.items() if not weight):
            found[f"validation.score.{name}"] = f"its weight is 0; leave it out by ~validation.score.{name}"
        return found

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_scale(self.degradation, self.scale)
        if (own := self.model.keywords.get("scale", self.scale)) != self.scale:
            raise ValueError(f"model.scale is {own} and scale is {self.scale}; they must be equal")
        for key, side in (("data.size", self.data.size), ("validation.size", self.validation.size)):
            if side % self.scale:
                raise ValueError(f"{key}={side} is not a multiple of scale={self.scale}")
        least, rate = self.scheduler.keywords.get("eta_min", 0), self.optimizer.keywords.get("lr", math.inf)
        if not rate:
            raise ValueError("optimizer.lr is 0, so nothing would be trained; it must be above 0")
        if least > rate:
            raise ValueError(f"scheduler.eta_min={least} is above optimizer.lr={rate}")
        return self

    @model_validator(mode="after")
    def _fits_machine(self) -> Self:
        """Check the numbers of processes and nodes: a configuration from elsewhere may not fit this machine."""
        on_cpu = self.trainer.accelerator in {"cpu", "auto", None}
        devices = self.trainer.devices if on_cpu and isinstance(self.trainer.devices, int) else 1
        processes, cores = devices * (1 + self.data.workers), os.cpu_count() or 1
        if processes > max(16, 4 * cores):
            raise ValueError(
                f"trainer.devices={devices} and data.workers={self.data.workers} start {processes} processes;"
                f" the maximum for the {cores} cores of this machine is {max(16, 4 * cores)}"
            )
        if self.trainer.num_nodes > 1 and not {"NODE_RANK", "GROUP_RANK", "SLURM_NNODES"} & os.environ.keys():
            raise ValueError(f"trainer.num_nodes={self.trainer.num_nodes} needs a launcher, such as torchrun or srun")
        return self
