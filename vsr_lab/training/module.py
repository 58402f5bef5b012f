"""The training step. It is handed its parts and keeps nothing of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.inputs import Inputs, required_inputs
from vsr_lab.core.luma import quantise
from vsr_lab.core.network import FrameNetwork, Network
from vsr_lab.core.stream import enlarge
from vsr_lab.data.batch import Batch
from vsr_lab.degradations import Degradation, apply_batch, target_batch
from vsr_lab.losses import Objective
from vsr_lab.metrics import NETS
from vsr_lab.training.nan_guard import dump_batch, where

OptimizerFactory = Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
SchedulerFactory = Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]
Metric = Callable[..., Tensor]
_RESETS = 3  # a stream of random numbers of its own, beside those of data/samples.py


def _unit(frames: Tensor) -> Tensor:
    """uint8 as it lies in the store, colours innermost, to float in [0, 1], colours outermost."""
    return frames.to(torch.get_default_dtype(), memory_format=torch.contiguous_format) / 255


class VsrModule(pl.LightningModule):
    """Trains a network on batches of crops.

    Half precision (trainer.precision) is for networks alone: degradations, losses and metrics always see float32.
    teacher: a network whose output a loss may learn from; it is neither trained nor saved. metrics: what validation
    reports, as in metrics/, of the channels that `colour` names (y or rgb); score: metric name -> weight, whose sum
    picks the best checkpoint; measure_every: steps between logs of the losses that are not trained; skip_limit: how
    many batches with a non-finite loss are skipped before the run ends; state_reset_prob: the probability that the
    state is reset at a frame of the crops, as after a cut, drawn from seed and sample number alone.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        degradation: Degradation,
        optimizer: OptimizerFactory,
        scheduler: SchedulerFactory,
        metrics: Mapping[str, Metric],
        score: Mapping[str, float],
        measure_every: int,
        skip_limit: int = 0,
        teacher: Network | None = None,
        colour: str = "y",
        state_reset_prob: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not 0 <= state_reset_prob <= 1:
            raise UserError(f"state_reset_prob={state_reset_prob}", "is no chance", "say a number from 0 to 1")
        self.colour = colour
        self.state_reset_prob = state_reset_prob
        self.seed = seed
        self.skip_limit = skip_limit
        self.skipped: Tensor
        self.register_buffer("skipped", torch.zeros((), dtype=torch.long))
        self.network = network
        self._teacher = [teacher.eval().requires_grad_(False)] if teacher else []  # a list: not saved with the rest
        self.objective = objective
        self.degradation = degradation
        self.make_optimizer = optimizer
        self.make_scheduler = scheduler
        self.metrics = metrics
        self.score = score
        self.measure_every = measure_every
        objective.check(self._more(torch.empty(0)))
        _check_score(score, metrics, colour)
        for name, metric in metrics.items():
            _check_metric(name, metric)

    def _more(self, lr: Tensor) -> dict[str, Callable[[], Tensor]]:
        """What losses may ask for besides sr, hr, lr and motion: each computed only where one does."""
        more: dict[str, Callable[[], Tensor]] = {}
        if not isinstance(self.network, FrameNetwork):  # to which the way back is the way there
            more["sr_backward"] = lambda: self._there_and_back(lr)
        if isinstance(flow := getattr(self.network, "flow", None), nn.Module):
            more["lr_flow"] = lambda: _flow_to_previous(flow, lr)
        for teacher in self._teacher:
            more["teacher_sr"] = lambda teacher=teacher: self._run(teacher.to(lr.device), lr)
        return more

    def _there_and_back(self, lr: Tensor) -> Tensor:
        """sr of every frame, made after the whole clip was seen and on the way back from its end."""
        return self._run(self.network, torch.cat([lr, lr[:, :-1].flip(1)], 1))[:, lr.shape[1] - 1 :].flip(1)

    def _run(self, network: Network, lr: Tensor) -> Tensor:
        """network(lr) in the trainer's precision, returned in lr's; lr of any size."""
        with self.trainer.precision_plugin.forward_context():
            return enlarge(network, lr).to(lr.dtype)

    def _in_scenes(self, lr: Tensor, resets: list[int]) -> Tensor:
        """sr of every frame, the network begun anew at those numbered in resets."""
        if not resets:
            return self._run(self.network, lr)  # joining one scene would copy it
        return torch.cat([self._run(self.network, scene) for scene in lr.tensor_split(resets, 1)], 1)

    def _float32(self) -> torch.autocast:
        """Without the half precision that Lightning puts around a whole step."""
        return torch.autocast(self.device.type, enabled=False)

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The batch as lr, hr in [0, 1]; lr is made here, on the device, where neither the footage nor the loader has.

        Either way both are of 8 bits, so that the same parameters give the same pair.
        """
        hr = _unit(batch.hr)
        if batch.lr is not None:
            return _unit(batch.lr), hr
        lr = apply_batch(self.degradation, hr, batch.params)
        return quantise(lr), quantise(target_batch(self.degradation, hr, batch.params))

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        lr = None if batch.lr is None else batch.lr.to(device, non_blocking=True)
        return replace(batch, hr=batch.hr.to(device, non_blocking=True), lr=lr)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor | None:
        step = self.global_step
        progress = step / max(self.trainer.max_steps, 1)
        measured = step % self.measure_every == 0
        with self._float32():
            lr, hr = self.pair(batch)
            sr = self._in_scenes(lr, resets_of(batch, self.state_reset_prob, self.seed))
            total, parts = self.losses(sr, hr, lr, progress, measured)
        if not torch.isfinite(total):
            return self._skipped(batch, lr, hr, total)
        self.log("train/loss", total.detach(), prog_bar=True)
        if measured and batch_idx % self.trainer.accumulate_grad_batches == 0:  # self.log would repeat them, stale
            for logger in self.loggers:
                logger.log_metrics({f"train/{name}": value.item() for name, value in parts.items()}, step)
        return total

    def losses(
        self, sr: Tensor, hr: Tensor, lr: Tensor, progress: float, measured: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What a step minimises, and each loss by name: see `Objective`."""
        return self.objective(sr, hr, lr, progress, measured, self._more(lr))

    def _skipped(self, batch: Batch, lr: Tensor, hr: Tensor, total: Tensor) -> None:
        """Keep the batch to look at; go on without it. Raises Refusal past the limit, or where others wait for us."""
        step = self.global_step
        path = Path(self.trainer.default_root_dir) / "skipped" / f"step_{step}.safetensors"
        dump_batch(batch, lr, hr, path)
        told = f"the loss is {total.item()} at step {step}, samples {batch.numbers} ({where(batch)}), kept in {path}"
        self._count(told, alone=self.trainer.world_size > 1)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Leave out a step whose gradients are no numbers though its loss was one: it would spoil every weight."""
        if getattr(self.trainer.precision_plugin, "scaler", None) is not None:
            return  # which looks for itself, and for a while expects them
        gradients = [p.grad for p in self.parameters() if p.grad is not None]
        if not torch.isfinite(nn.utils.get_total_norm(gradients)):
            optimizer.zero_grad()
            self._count(f"the loss at step {self.global_step} has gradients that are no numbers", alone=False)

    def _count(self, told: str, alone: bool) -> None:
        """One more that was left out. Raises Refusal past the limit, or where the other processes wait for this one."""
        self.skipped += 1
        if self.skipped > self.skip_limit or alone:
            raise Refusal(f"{told}; {int(self.skipped)} such batches, skip_limit={self.skip_limit}")
        rank_zero_warn(told)

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Inputs]:
        """Logs the metrics; returns what they were computed from, for whoever draws it."""
        with self._float32():
            lr, hr = self.pair(batch)
            sr = quantise(self._run(self.network, lr))
            lazy = {"motion": lambda: self.objective.estimator(hr), **_features("sr", sr), **_features("hr", hr)}
            inputs = Inputs({"sr": sr, "hr": hr, "lr": lr, "colour": self.colour}, lazy)
            values = {name: inputs.call(metric).nanmean() for name, metric in self.metrics.items()}
        values["score"] = sum(weight * values[name] for name, weight in self.score.items())
        for name, value in values.items():
            self.log(
                f"val/{name}", value.float(), batch_size=len(sr), sync_dist=True, prog_bar=name in {"psnr", "score"}
            )
        return {"inputs": inputs}

    def learners(self) -> list[dict[str, Any]]:
        """What the optimizer trains: groups of weights, each with settings of its own, if it has any."""
        return [{"params": [p for p in self.network.parameters() if p.requires_grad]}]

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        optimizer = self.make_optimizer(self.learners())
        schedule: Any = {"scheduler": self.make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}


def resets_of(batch: Batch, chance: float, seed: int) -> list[int]:
    """The frames of a batch at which the network begins anew; the same whenever that batch comes."""
    if not chance:
        return []
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_RESETS, batch.numbers[0])))
    return [t for t in range(1, batch.hr.shape[1]) if rng.random() < chance]


def _flow_to_previous(flow: nn.Module, lr: Tensor) -> Tensor:
    """The network's own flow from each frame of lr (B T 3 h w) to the one before it, B T-1 2 h w."""
    return flow(lr[:, 1:].flatten(0, 1), lr[:, :-1].flatten(0, 1)).unflatten(0, (len(lr), -1))


def _features(name: str, clip: Tensor) -> dict[str, Callable[[], Any]]:
    """What learned metrics compare, made of a clip where one asks for it."""
    return {f"{net}_{name}": lambda make=make: make().to(clip.device).features(clip) for net, make in NETS.items()}


def _check_score(score: Mapping[str, float], metrics: Mapping[str, Metric], colour: str) -> None:
    """Raises UserError for a score that the first validation could not make."""
    if unknown := [name for name in score if name not in metrics]:
        problem = f"no validation.metrics.{unknown[0]} measures it"
        raise UserError(f"validation.score.{unknown[0]}", problem, f"drop it: ~validation.score.{unknown[0]}")
    if colour not in {"y", "rgb"}:
        raise UserError(f"validation.colour={colour}", "is not known", "say y or rgb")


def _check_metric(name: str, metric: Metric) -> None:
    """Raises UserError for a metric that validation cannot measure or that lacks its weights."""
    asked = set(required_inputs(metric)) - {"sr", "hr", "lr", "colour", "motion"}
    for net, make in NETS.items():
        if wanted := asked & {f"{net}_sr", f"{net}_hr"}:
            make()
            asked -= wanted
    if asked:
        problem = f"asks for {min(asked)}, which a training does not have"
        raise UserError(f"validation.metrics.{name}", problem, f"drop it: ~validation.metrics.{name}")
