"""vsr-lab train: footage to a run folder with network.safetensors in it."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import wandb
from hydra.core.hydra_config import HydraConfig
from lightning_utilities.core.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.loggers.logger import Logger

import vsr_lab
from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.resume import stored
from vsr_lab.cli.show import console, show_files
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.data import (
    Crops,
    Curriculum,
    Part,
    Windows,
    hold_out,
    spread,
    store_shots,
    train_loader,
    validation_loader,
)
from vsr_lab.data.datamodule import Feed
from vsr_lab.degradations import Degradation
from vsr_lab.evaluation import NetworkCandidate
from vsr_lab.footage.shots import check_lr_shot, find_lr_shots, find_shots
from vsr_lab.losses import Objective
from vsr_lab.models import add_branches, init_network
from vsr_lab.training import (
    LAST,
    WEIGHTS,
    AdversarialModule,
    AveragedWeights,
    OptimizerFactory,
    ParameterGroup,
    Pictures,
    Plan,
    StartReference,
    Trained,
    TrainingBar,
    VsrModule,
    averages,
    check_trainer,
    evened,
    fit,
    freeze,
    make_plan,
    quiet_lightning,
    with_rates,
)
from vsr_lab.video import ReadOptions


def run(cfg: DictConfig) -> float | None:
    """Train, or go on with a run that was cut short, and return the score of the best weights, for a sweep to steer by.

    With plan=true only say what that would take.
    """
    console.quiet = not _is_first()
    resume = cfg.resume is not None
    plan = cfg.plan
    if resume:
        cfg = stored(cfg)
    if plan:
        console.print(str(_plan(cfg, _network(cfg, resume))))
        return None
    trained = train(cfg, resume)
    folder = trained.weights.parent
    files = {"weights": folder / WEIGHTS, "curves": folder / "metrics.csv", "resume": folder / LAST}
    show_files(
        f"trained {cfg.name}: best at step {trained.step}, score {trained.score:.3f}",
        {what: path for what, path in files.items() if path.exists()},  # a run shorter than save_every has no last
    )
    return trained.score


def train(cfg: DictConfig, resume: bool) -> Trained:
    """Build every part the configuration names and train. Nothing is written before the footage was checked."""
    about = _about(cfg)
    if not cfg.validation.score:
        raise UserError("validation.score", "is empty, and would choose no weights", "name a metric and its weight")
    os.environ.setdefault("WANDB_SILENT", "true")
    quiet_lightning()
    pl.seed_everything(cfg.seed, verbose=False)
    degradation: Degradation = build(cfg.degradation)
    network = _network(cfg, resume)
    console.print(str(_plan(cfg, network)), style="dim")
    if cfg.compile:
        network.compile_parts()
    data = _footage(cfg, degradation)
    objective: Objective = build(cfg.loss)
    module = (AdversarialModule if objective.adversary else VsrModule)(
        network=network,
        objective=objective,
        degradation=degradation,
        optimizer=_optimizer(cfg, network),
        scheduler=build(cfg.scheduler),
        metrics={name: build(metric.measure) for name, metric in cfg.validation.metrics.items()},
        score=plain(cfg.validation.score),
        measure_every=cfg.measure_every,
        skip_limit=cfg.skip_limit,
        teacher=_teacher(cfg),
        colour=cfg.validation.colour,
        state_reset_prob=cfg.state_reset_prob,
        seed=cfg.seed,
    )
    check_trainer(module, _trainer_options(cfg))
    run_dir = begin_run(cfg) if _is_first() and not resume else Path(cfg.run_dir)
    if _is_first() and cfg.trainer.devices != 1:
        _prepare_copies([] if resume else [f"run_dir={run_dir}"])
    trained = fit(
        module=module,
        data=data,
        trainer_options=_trainer_options(cfg),  # anew: a strategy serves one trainer
        callbacks=_callbacks(cfg),
        loggers=_loggers(cfg),
        run_dir=run_dir,
        save_every=cfg.save_every,
        resume=resume,
        spec=plain(cfg.model),
        about=about,
    )
    wandb.finish()  # or the next training of this process would go on in the same run
    return trained


def _network(cfg: DictConfig, resume: bool = False) -> Network:
    network: Network = build(cfg.model)
    if cfg.init_from and not resume:  # a resumed run has gone on from there
        left = init_network(network, Path(cfg.init_from), plain(cfg.init_skip))
        if left:
            console.print(f"not in {cfg.init_from}: {', '.join(left)}", style="dim")
    if cfg.branches:
        add_branches(network)
    freeze(network, _groups(cfg))
    network.checkpoint_activations = cfg.checkpoint_activations
    return network.to(memory_format=torch.channels_last) if cfg.channels_last else network


def _groups(cfg: DictConfig) -> list[ParameterGroup]:
    try:
        return [ParameterGroup(**group) for group in plain(cfg.parameter_groups)]
    except TypeError as error:
        raise UserError("parameter_groups", str(error), "like [{match: block_*, rate: 0.1}]") from error


def _optimizer(cfg: DictConfig, network: Network) -> OptimizerFactory:
    """Raises UserError for weights that would be averaged twice."""
    factory = build(cfg.optimizer)
    if averages(factory.func) and cfg.trainer.ema_decay is not None:
        raise UserError("trainer.ema_decay", "would average weights that the optimizer averages already", "say null")
    return with_rates(factory, network, _groups(cfg))


def _is_first() -> bool:
    """Whether this process, of several that train together, is the one that speaks and writes."""
    return not getattr(rank_zero_only, "rank", 0)


def _prepare_copies(more: list[str]) -> None:
    """Lightning starts the processes of the other devices by sys.argv: a script and its arguments."""
    script = Path(vsr_lab.__file__).with_name("__main__.py")
    sys.argv = [str(script), "train", *HydraConfig.get().overrides.task, *more]


def _plan(cfg: DictConfig, network: Network) -> Plan:
    """What the training will take on the first device that Lightning would choose."""
    accelerator = str(cfg.trainer.accelerator)
    cuda = torch.cuda.is_available() and accelerator in {"auto", "gpu", "cuda"}
    device = torch.device("cuda" if cuda else "cpu")
    devices = cfg.trainer.devices if isinstance(cfg.trainer.devices, int) else 1
    with torch.autocast(device.type, torch.bfloat16, enabled=cfg.trainer.precision == "bf16-mixed"):
        return make_plan(
            network,
            device,
            batch=cfg.data.batch_size,
            frames=cfg.data.clip_frames,
            size=cfg.data.size // cfg.scale,
            steps=cfg.trainer.max_steps,
            accumulate=cfg.trainer.accumulate_grad_batches,
            world=max(devices, 1) * cfg.trainer.num_nodes,
        )


def _teacher(cfg: DictConfig) -> Network | None:
    """The network of the candidate that teaches. Raises UserError for one that has none, or another scale."""
    if cfg.teacher is None:
        return None
    candidate = build(cfg.teacher)
    if not isinstance(candidate, NetworkCandidate):
        raise UserError("teacher", "has no network to run", "choose a checkpoint, a bundle or a published one")
    if candidate.scale != cfg.scale:
        raise UserError("teacher", f"enlarges by {candidate.scale}, not {cfg.scale}", "choose another, or scale=")
    return candidate.network


def _footage(cfg: DictConfig, degradation: Degradation) -> Feed:
    data = cfg.data
    curriculum = Curriculum(plain(data.curriculum), data.clip_frames) if data.curriculum else None
    high = find_shots(
        Path(data.root),
        plain(data.clips),
        data.frames,
        data.downscale,
        data.split,
        data.content,
        data.layout,
        ReadOptions(data.deinterlace, data.tone_map, data.damaged),
        tell=lambda line: console.print(line, soft_wrap=True),
    )
    low = find_lr_shots(high, data.lr_root, degradation.scale, data.frames)
    for shot, twin in zip(high, low or [], strict=low is not None):
        check_lr_shot(shot, twin, degradation.scale)
    _split(high, cfg)  # what is too short is told before anything is written
    stored = store_shots([*high, *(low or [])], Path(data.store), data.budget_gib, data.workers)
    train, validation = _split(stored[: len(high)], cfg)
    train_low, validation_low = _split(stored[len(high) :], cfg) if low else (None, None)
    crops = Crops(
        train,
        train_low,
        degradation,
        cfg.seed,
        frames=data.clip_frames,
        size=data.size,
        crop_candidates=data.crop_candidates,
        flips=data.flips,
        strides=plain(data.strides),
        min_motion=data.min_motion,
    )
    shown = cfg.validation
    windows = Windows(validation, validation_low, degradation, cfg.seed, shown.frames, shown.size)
    return Feed(
        partial(train_loader, crops, data.batch_size, data.workers, curriculum=curriculum),
        partial(validation_loader, windows, data.workers),
    )


def _split(clips: Sequence[Part], cfg: DictConfig) -> tuple[list[Part], list[Part]]:
    """For training and for validation: a function of lengths alone, so that HR and LR are split alike."""
    train, validation = hold_out(clips, cfg.data.hold_out, max(cfg.data.clip_frames, 2))
    return train, spread(validation, cfg.validation.clips)


def _trainer_options(cfg: DictConfig) -> dict[str, Any]:
    options: dict[str, Any] = {key: value for key, value in plain(cfg.trainer).items() if key != "ema_decay"}
    if OmegaConf.is_config(cfg.trainer.strategy):
        options["strategy"] = build(cfg.trainer.strategy)
    every = evened(cfg.validation.every, cfg.trainer.max_steps) * cfg.trainer.accumulate_grad_batches
    return {
        **options,
        "val_check_interval": every,
        "check_val_every_n_epoch": None,
        "num_sanity_val_steps": -1 if cfg.init_from else 0,
    }


def _loggers(cfg: DictConfig) -> list[Logger]:
    """Those beside metrics.csv, by name; a run of before there were several holds one without a name."""
    named = cfg.logger or {}
    return [build(named)] if "_target_" in named else [build(node) for node in named.values()]


def _callbacks(cfg: DictConfig) -> list[Callback]:
    callbacks: list[Callback] = [TrainingBar(leave=True), *([StartReference()] if cfg.init_from else [])]
    if cfg.logger:
        callbacks.append(LearningRateMonitor("step"))
        if cfg.validation.get("pictures", 0):
            callbacks.append(Pictures(cfg.validation.pictures))
    if cfg.trainer.ema_decay is not None:
        callbacks.append(AveragedWeights(cfg.trainer.ema_decay))
    return callbacks


def _about(cfg: DictConfig) -> dict[str, Any]:
    """What the weights file says of its making."""
    return {
        "name": cfg.name,
        "content": cfg.content,
        "scale": cfg.scale,
        "pixel_format": cfg.pixel_format,
        "degradation": plain(cfg.degradation)["_target_"].rpartition(".")[2],
        "footage": str(cfg.data.root),
        **({"init_from": str(cfg.init_from)} if cfg.init_from else {}),
        "steps": cfg.trainer.max_steps,
        "seed": cfg.seed,
    }
