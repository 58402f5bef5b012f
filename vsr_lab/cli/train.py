"""vsr-lab train: a training run from footage to network.safetensors."""

import os
import secrets
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from lightning_utilities.core.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf

import vsr_lab
from vsr_lab import training
from vsr_lab.cli.app import begin_run, build, plain
from vsr_lab.cli.overrides import key_of
from vsr_lab.cli.resume import resumed_config
from vsr_lab.cli.show import console, show_files
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.core.run_folder import end_run
from vsr_lab.data import CropOptions, Curriculum, WindowOptions
from vsr_lab.data.datamodule import LoaderOptions, VideoDataModule
from vsr_lab.evaluation import NetworkCandidate
from vsr_lab.footage.shots import find_lr_shots, find_shots, splits_of
from vsr_lab.losses import Objective
from vsr_lab.models import add_branches, init_network
from vsr_lab.training import (
    LAST,
    WEIGHTS,
    ParameterGroup,
    Plan,
    Recipe,
    RunFolder,
    StartReference,
    Trained,
    TrainerOptions,
    Validation,
    Workload,
    freeze,
    make_plan,
    with_rates,
)
from vsr_lab.video import ReadOptions


def run(cfg: DictConfig) -> float | None:
    """Train or resume a run; return the score of the best weights, which a sweep may optimise.

    With plan=true, only print the memory and time that the training needs.
    """
    console.quiet = not _is_first()
    resume = cfg.resume is not None
    plan = cfg.plan
    if resume:
        cfg = resumed_config(cfg)
    if plan:
        console.print(str(_plan(cfg, _network(cfg, resume))))
        return None
    trained = train(cfg, resume)
    folder = trained.weights.parent
    if resume and _is_first():
        end_run(folder)
    files = {"weights": folder / WEIGHTS, "curves": folder / "metrics.csv", "resume": folder / LAST}
    show_files(
        f"trained {cfg.name}: best at step {trained.step}, score {trained.score:.3f}",
        {what: path for what, path in files.items() if path.exists()},  # a run shorter than save_every has no last
    )
    return trained.score


def train(cfg: DictConfig, resume: bool) -> Trained:
    """Build every object that the configuration names, and train. Nothing is written before all checks are done."""
    os.environ.setdefault("WANDB_SILENT", "true")
    pl.seed_everything(cfg.seed, verbose=False)
    network = _network(cfg, resume)
    data = _data(cfg)  # before the plan, which may take minutes
    console.print(str(_plan(cfg, network)), style="dim")
    if cfg.compile:
        network.compile_parts()
    objective: Objective = build(cfg.loss)
    if cfg.teacher is not None and not objective.asks_for("teacher_sr"):
        raise UserError("teacher", "has no effect: no loss takes teacher_sr", "remove it, or set loss=distillation")
    recipe, validation = _recipe(cfg, network), _validation(cfg)
    if not resume:
        _name_wandb_run(cfg)
    if _is_first() and cfg.trainer.devices != 1:
        _prepare_copies([] if resume else [f"run_dir={cfg.run_dir}"])
    return training.train(
        data,
        network,
        objective,
        run=RunFolder(
            Path(cfg.run_dir),
            spec=plain(cfg.model),
            about=_about(cfg),
            save_every=cfg.save_every,
            resume=resume,
            begin=partial(begin_run, cfg) if _is_first() else lambda: None,
        ),
        recipe=recipe,
        validation=validation,
        options=_options(cfg),
    )


def _network(cfg: DictConfig, resume: bool = False) -> Network:
    network: Network = build(cfg.model)
    if cfg.init_from and not resume:  # a resumed run has been trained further
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


def _recipe(cfg: DictConfig, network: Network) -> Recipe:
    return Recipe(
        optimizer=with_rates(build(cfg.optimizer), network, _groups(cfg)),
        scheduler=build(cfg.scheduler),
        teacher=_teacher(cfg),
        measure_every=cfg.measure_every,
        skip_limit=cfg.skip_limit,
        state_reset_prob=cfg.state_reset_prob,
        seed=cfg.seed,
    )


def _validation(cfg: DictConfig) -> Validation:
    metrics = {name: build(metric.measure) for name, metric in cfg.validation.metrics.items()}
    return Validation(metrics, plain(cfg.validation.score), cfg.validation.colour)


def _is_first() -> bool:
    """Whether this process prints and writes files, if several train together."""
    return not getattr(rank_zero_only, "rank", 0)


def _prepare_copies(more: list[str]) -> None:
    """Set sys.argv for the processes of other devices, which Lightning starts as a script with arguments."""
    script = Path(vsr_lab.__file__).with_name("__main__.py")
    sys.argv = [str(script), "train", *HydraConfig.get().overrides.task, *more]


def _plan(cfg: DictConfig, network: Network) -> Plan:
    """Estimate the training on the first device that Lightning would use."""
    accelerator = str(cfg.trainer.accelerator)
    cuda = torch.cuda.is_available() and accelerator in {"auto", "gpu", "cuda"}
    device = torch.device("cuda" if cuda else "cpu")
    devices = cfg.trainer.devices if isinstance(cfg.trainer.devices, int) else 1
    with torch.autocast(device.type, torch.bfloat16, enabled=cfg.trainer.precision == "bf16-mixed"):
        work = Workload(
            batch_size=cfg.data.batch_size,
            frames=cfg.data.clip_frames,
            size=cfg.data.size // cfg.scale,
            steps=cfg.trainer.max_steps,
            accumulate=cfg.trainer.accumulate_grad_batches,
            world=max(devices, 1) * cfg.trainer.num_nodes,
        )
        return make_plan(network, device, work)


def _teacher(cfg: DictConfig) -> Network | None:
    """The network of the teacher candidate. Raises UserError if it has none, or has another scale."""
    if cfg.teacher is None:
        return None
    candidate = build(cfg.teacher)
    if not isinstance(candidate, NetworkCandidate):
        raise UserError("teacher", "has no network to run", "choose a checkpoint, a bundle or a published one")
    if candidate.scale != cfg.scale:
        raise UserError("teacher", f"enlarges by {candidate.scale}, not {cfg.scale}", "choose another, or scale=")
    return candidate.network


def _data(cfg: DictConfig) -> VideoDataModule:
    data, shown = cfg.data, cfg.validation
    degradation = build(cfg.degradation)
    root = Path(data.root)
    if data.split is None and len(splits := splits_of(root)) > 1:
        raise UserError("data.split", f"is required: {root} has {', '.join(splits)}", "set data.split=")
    shots = find_shots(
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
    longest = max(len(shot) for shot in shots)
    if shown.frames > longest and any(key_of(word) == "validation.frames" for word in HydraConfig.get().overrides.task):
        raise UserError("validation.frames", f"must be <= {longest}, the longest clip, got {shown.frames}")
    return VideoDataModule.from_footage(
        shots,
        degradation,
        Path(data.store),
        lr_shots=find_lr_shots(shots, data.lr_root, degradation.scale, data.frames),
        crops=CropOptions(
            frames=data.clip_frames,
            size=data.size,
            crop_candidates=data.crop_candidates,
            flips=data.flips,
            strides=plain(data.strides),
            min_motion=data.min_motion,
        ),
        windows=WindowOptions(frames=shown.frames, size=shown.size, clips=shown.clips, hold_out=data.hold_out),
        loading=LoaderOptions(
            batch_size=data.batch_size,
            workers=data.workers,
            seed=cfg.seed,
            curriculum=Curriculum(plain(data.curriculum), data.clip_frames) if data.curriculum else None,
            budget_gib=data.budget_gib,
        ),
    )


def _name_wandb_run(cfg: DictConfig) -> None:
    """Set the id of wandb's run, which config.yaml stores so that a resumed training continues that run."""
    for logger in (cfg.logger or {}).values():
        if "id" in logger and logger.id is None:
            logger.id = secrets.token_hex(4)


def _options(cfg: DictConfig) -> TrainerOptions:
    lightning = {key: value for key, value in plain(cfg.trainer).items() if key != "max_steps"}
    if OmegaConf.is_config(cfg.trainer.strategy):
        lightning["strategy"] = build(cfg.trainer.strategy)
    callbacks = [build(callback) for callback in (cfg.callbacks or {}).values() if callback]
    return TrainerOptions(
        max_steps=cfg.trainer.max_steps,
        validate_every=cfg.validation.every,
        lightning=lightning,
        callbacks=[*callbacks, StartReference()] if cfg.init_from else callbacks,
        loggers=[build(logger) for logger in (cfg.logger or {}).values()],
    )


def _about(cfg: DictConfig) -> dict[str, Any]:
    """Information on the training for the weights file."""
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
