"""Settings of a training (recipe), and the LightningModule that trains a network."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler

from vsr_lab.core.clip import quantise
from vsr_lab.core.errors import Refusal, UserError, noted
from vsr_lab.core.flow import Motion
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.core.network import FrameNetwork, Network, enlarge
from vsr_lab.data.batch import Batch
from vsr_lab.losses import Objective
from vsr_lab.metrics import NETS, flicker, psnr, reference_motion

OptimizerFactory = Callable[[list[dict[str, Any]]], Optimizer]
SchedulerFactory = Callable[[Optimizer], LRScheduler]
Metric = Callable[..., Tensor]
_ADAMW = partial(AdamW, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0)
_CONSTANT = partial(ConstantLR, factor=1.0)


@dataclass(frozen=True)
class Recipe:
    """Optimizer, learning rate schedule and other settings of a training.

    Args:
        optimizer: function from parameter groups to an optimizer.
        scheduler: function from an optimizer to a learning rate scheduler, which is stepped after every step.
        teacher: teacher network of distillation, neither trained nor saved; None: no distillation.
        measure_every: number of steps between two logs of the losses with weight 0.
        skip_limit: number of batches with a non-finite loss that are skipped; the next such batch ends the run.
    """

    optimizer: OptimizerFactory = _ADAMW
    scheduler: SchedulerFactory = _CONSTANT
    teacher: Network | None = None
    measure_every: int = 50
    skip_limit: int = 5


@dataclass(frozen=True)
class Validation:
    """Metrics of validation, and the score by which the best weights are selected.

    Args:
        metrics: functions by name, as in `vsr_lab.metrics`.
        score: metric name -> weight; the checkpoint with the highest weighted sum of metrics is the best.
        colour: channels on which metrics are computed, "y" (luma) or "rgb".

    Raises:
        UserError: the score is empty or uses a metric that is not in `metrics`, a metric needs inputs that validation
            does not have or weights that are missing, or the colour is unknown.
    """

    metrics: Mapping[str, Metric] = field(default_factory=lambda: {"psnr": psnr, "flicker": flicker})
    score: Mapping[str, float] = field(default_factory=lambda: {"psnr": 1.0, "flicker": -0.1})
    colour: str = "y"

    def __post_init__(self) -> None:
        if not self.score:
            raise UserError(
                "validation.score", "must not be empty", "give a metric and its weight, such as {psnr: 1.0}"
            )
        if unknown := [name for name in self.score if name not in self.metrics]:
            problem = f"needs the metric validation.metrics.{unknown[0]}, which is not set"
            raise UserError(f"validation.score.{unknown[0]}", problem, f"remove it by ~validation.score.{unknown[0]}")
        if self.colour not in {"y", "rgb"}:
            raise UserError(f"validation.colour={self.colour}", "is not known", "use y or rgb")
        for name, metric in self.metrics.items():
            _check_metric(name, metric)


def features(name: str, clip: Tensor) -> dict[str, Callable[[], Any]]:
    """Inputs of learned metrics, computed only on use: features of a clip in the networks of `vsr_lab.metrics.NETS`.

    Args:
        name: "sr" or "hr".
        clip: (B, T, 3, H, W) in [0, 1].

    Returns:
        Name of the input, such as "lpips_sr" -> function that computes these features of `clip`.
    """
    return {f"{net}_{name}": lambda make=make: make().to(clip.device).features(clip) for net, make in NETS.items()}


def _check_metric(name: str, metric: Metric) -> None:
    """Raise UserError if validation cannot compute a metric or its weights are missing."""
    nothing = torch.empty(0)
    offered = {"sr", "hr", "lr", "colour", "motion", *features("sr", nothing), *features("hr", nothing)}
    wanted = set(required_inputs(metric))
    for net, make in NETS.items():
        if wanted & {f"{net}_sr", f"{net}_hr"}:
            make()
    if missing := wanted - offered:
        problem = f"needs {min(missing)}, an input that a validation does not have"
        raise UserError(f"validation.metrics.{name}", problem, f"remove it by ~validation.metrics.{name}")


class VsrModule(pl.LightningModule):
    """Lightning module that trains a network on pairs of LR and HR clips.

    If trainer.precision is a half precision, it is only used in the network; losses and metrics stay in float32.

    Args:
        network: network to train.
        objective: the losses.
        recipe: optimizer, scheduler and logging.
        validation: metrics, and the score that selects the best checkpoint.

    Raises:
        UserError: the losses cannot be used in this training, see `Objective.check`.
    """

    def __init__(self, network: Network, objective: Objective, recipe: Recipe, *, validation: Validation) -> None:
        super().__init__()
        self.skipped: Tensor
        self.register_buffer("skipped", torch.zeros((), dtype=torch.long))
        self.network = network
        self.objective = objective
        self.recipe = recipe  # its teacher is not registered, and so not saved
        self.validation = validation
        self.is_started = False
        self._motions: dict[tuple[int, ...], Motion] = {}
        if recipe.teacher:
            recipe.teacher.eval().requires_grad_(False)
        objective.check(self.extra_inputs(torch.empty(0)))

    def extra_inputs(self, lr: Tensor) -> dict[str, Callable[[], Tensor]]:
        """Inputs that losses may use in addition to sr, hr, lr and motion.

        Args:
            lr: LR frames of the batch, (B, T, C, h, w) in [0, 1].

        Returns:
            Name -> function that computes the input; only the functions of inputs that a loss needs are called.
        """
        extra: dict[str, Callable[[], Tensor]] = {}
        if not isinstance(self.network, FrameNetwork):  # whose backward pass would equal its forward pass
            extra["sr_backward"] = lambda: self._backward_in_time(lr)
        if isinstance(flow := getattr(self.network, "flow", None), nn.Module):
            extra["lr_flow"] = lambda: _flow_to_previous(flow, lr)
        if teacher := self.recipe.teacher:
            extra["teacher_sr"] = lambda: self._run(teacher.to(lr.device), lr)
        return extra

    def _backward_in_time(self, lr: Tensor) -> Tensor:
        """Run the network on a clip forward, then backward. Returns SR of the backward pass in the original order."""
        return self._run(self.network, torch.cat([lr, lr[:, :-1].flip(1)], 1))[:, lr.shape[1] - 1 :].flip(1)

    def _run(self, network: Network, lr: Tensor) -> Tensor:
        """Run network on lr of any size, in the trainer's precision; the result has the dtype of lr."""
        # Weights with branches are merged once a clip, not at every frame; activations that are remade would miss them.
        once = nullcontext() if network.checkpoint_activations else parametrize.cached()
        with self.trainer.precision_plugin.forward_context(), once:
            return enlarge(network, lr).to(lr.dtype)

    def _full_precision(self) -> torch.autocast:
        """Context manager that disables Lightning's half precision."""
        return torch.autocast(self.device.type, enabled=False)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        """Compute the loss of a batch. Returns None, by which Lightning skips the batch, if the loss is not finite.

        Raises Refusal if too many batches were skipped. If several processes train together, the first skipped batch
        raises Refusal, since the other processes would wait for this process.
        """
        step = self.global_step
        progress = step / max(self.trainer.max_steps, 1)
        measured = step % self.recipe.measure_every == 0
        total, parts = self.batch_losses(batch, progress=progress, measured=measured)
        if not torch.isfinite(total):
            report = f"the loss is {total.item()} at step {step}, samples {batch.numbers} ({batch.source})"
            self._count_skipped(report, alone=self.trainer.world_size > 1)
            return None
        self.log("train/loss", total.detach(), prog_bar=True)
        if measured and batch_idx % self.trainer.accumulate_grad_batches == 0:  # self.log would repeat old values
            for logger in self.loggers:
                logger.log_metrics({f"train/{name}": value.item() for name, value in parts.items()}, step)
        return total

    def batch_losses(self, batch: Batch, *, progress: float, measured: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """Run the network on a batch, and compute its losses. Arguments and results are as in `losses`."""
        assert batch.lr is not None
        with self._full_precision():
            with noted("model"):
                sr = self._run(self.network, batch.lr)
            return self.losses(sr, batch.hr, batch.lr, progress=progress, measured=measured)

    def losses(
        self, sr: Tensor, hr: Tensor, lr: Tensor, *, progress: float, measured: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the total loss, and each loss by name.

        Args:
            sr: (B, T, C, H, W), not clamped.
            hr: (B, T, C, H, W) in [0, 1].
            lr: (B, T, C, h, w) in [0, 1].
            progress: fraction of the training that is done, on which the weights of the losses may depend.
            measured: whether losses with weight 0 are computed too, for the log.
        """
        return self.objective(sr, hr, lr, progress=progress, measure_all=measured, extra=self.extra_inputs(lr))

    def on_train_start(self) -> None:
        self.is_started = True

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set the gradients to zero if they are not finite although the loss is finite: weights would become NaN.

        With 16-mixed precision, the gradient scaler skips the step instead. Raises Refusal if too many batches were
        skipped.
        """
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            return  # which checks by itself, and at first expects them
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        if not torch.isfinite(nn.utils.get_total_norm(gradients)):
            optimizer.zero_grad()
            self._count_skipped(
                f"the gradients of the loss at step {self.global_step} are NaN or infinite", alone=False
            )

    def _count_skipped(self, report: str, *, alone: bool) -> None:
        """Count a skipped batch. Raises Refusal beyond `skip_limit`, or if only this process skips it (`alone`)."""
        self.skipped += 1
        if self.skipped > self.recipe.skip_limit or alone:
            limit = f"batches with NaN or infinity: {int(self.skipped)}, skip_limit={self.recipe.skip_limit}"
            raise Refusal(f"{report} ({limit}); lower optimizer.lr, or check the footage")
        self.print(report)

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Inputs | Tensor]:
        """Compute and log the metrics of a batch, and return their inputs (sr, hr, ...) and the score for callbacks."""
        inputs, values = self.measure(batch)
        sr = inputs["sr"]
        finite = bool(sr.isfinite().all())
        for name, value in values.items():
            absent = finite and bool(value.isnan())  # such as flicker where no pixel of HR stays visible
            size, shown = 0 if absent else len(sr), name in {"psnr", "score"}
            logged = torch.zeros_like(value) if absent else value
            self.log(f"val/{name}", logged.float(), batch_size=size, sync_dist=True, prog_bar=shown)
        return {"inputs": inputs, "score": values["score"]}

    def measure(self, batch: Batch) -> tuple[Inputs, dict[str, Tensor]]:
        """Compute the inputs of the metrics of a batch, and the mean of each metric and the score by name.

        Raises UserError if a metric does not return one value per frame.
        """
        assert batch.lr is not None
        with self._full_precision():
            with noted("model"):
                sr = quantise(self._run(self.network, batch.lr))
            lazy = {"motion": lambda: self._motion(batch), **features("sr", sr), **features("hr", batch.hr)}
            known = {"sr": sr, "hr": batch.hr, "lr": batch.lr, "colour": self.validation.colour}
            inputs = Inputs(known, lazy)
            values = {
                name: _mean(f"validation.metrics.{name}", m, inputs) for name, m in self.validation.metrics.items()
            }
        scored = [weight * values[name] for name, weight in self.validation.score.items()]
        values["score"] = torch.stack(scored).sum()
        return inputs, values

    def _motion(self, batch: Batch) -> Motion:
        """Optical flow of a validation batch, which all temporal metrics use.

        Cached, since validation clips do not change.
        """
        key = tuple(batch.numbers)
        if key not in self._motions:
            self._motions[key] = Motion(*(part.cpu() for part in reference_motion(batch.hr)))
        return Motion(*(part.to(batch.hr.device) for part in self._motions[key]))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameter groups to pass to the optimizer, in PyTorch's format."""
        return [{"params": [p for p in self.network.parameters() if p.requires_grad]}]

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimizer, scheduler = self.optimizer_at(0)
        schedule: Any = {"scheduler": scheduler, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def optimizer_at(self, step: int) -> tuple[Optimizer, LRScheduler]:
        """Make a new optimizer and scheduler, with the learning rates that they have after `step` steps."""
        optimizer = self.recipe.optimizer(self.parameter_groups())
        scheduler = self.recipe.scheduler(optimizer)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch expects that the optimizer steps too
            for _ in range(step):
                scheduler.step()
        return optimizer, scheduler


def _mean(key: str, metric: Metric, inputs: Inputs) -> Tensor:
    """Mean of a metric over frames that have a value. Raises UserError, with the key, if the shape is not (B, T)."""
    with noted(key):
        values: object = inputs.call(metric)
    shape = inputs["sr"].shape[:2]
    if not isinstance(values, Tensor) or values.shape != shape:
        found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        hint = "return one value per frame, NaN where there is none"
        raise UserError(key, f"returned {found}, expected a tensor of shape {tuple(shape)}", hint)
    return values.nanmean()


def _flow_to_previous(flow: nn.Module, lr: Tensor) -> Tensor:
    """Flow of the network from each frame of lr (B, T, 3, h, w) to the previous one, (B, T - 1, 2, h, w)."""
    return flow(lr[:, 1:].flatten(0, 1), lr[:, :-1].flatten(0, 1)).unflatten(0, (len(lr), -1))
