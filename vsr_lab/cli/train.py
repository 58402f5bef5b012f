"""vsr-lab train: a training run from footage to network.safetensors."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
import torch
from hydra.core.hydra_config import HydraConfig
from lightning_utilities.core.rank_zero import rank_zero_only
from pydantic import JsonValue
from pytorch_lightning.strategies import DDPStrategy

import vsr_lab
from vsr_lab import training
from vsr_lab.cli.app import begin_run, continue_run
from vsr_lab.cli.configuration.overrides import key_of
from vsr_lab.cli.show import console, show, show_facts
from vsr_lab.cli.train_config import TrainConfig
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.core.parts import Part
from vsr_lab.core.run_folder import end_run
from vsr_lab.core.spec import same_fields
from vsr_lab.data import CropOptions, WindowOptions
from vsr_lab.data.datamodule import Curriculum, LoaderOptions, VideoDataModule, split_footage
from vsr_lab.evaluation.candidates import Candidate, NetworkCandidate
from vsr_lab.footage.shots import Shot, ShotSelection, find_lr_shots, find_shots, splits_of
from vsr_lab.footage.tables import TABLE_SUFFIXES
from vsr_lab.models import add_branches, init_network, trained_with
from vsr_lab.video.disclosure import find_disclosure


def run(config: TrainConfig) -> float | None:
    """Train a network, or resume a training. Returns the score of the best weights, as the objective of a sweep.

    With plan=true, nothing is trained: the footage is searched, and an estimate of memory and time is printed.
    """
    console.quiet = not _is_first()
    if config.plan:
        split_footage(*_shots(config), config.scale, crops=_crops(config), windows=_windows(config))
        show(str(_plan(config, build_network(config))))
        return None
    trained = train(config)
    folder = trained.weights.parent
    if config.resume and _is_first():
        end_run(folder)
    files = {"weights": folder / training.WEIGHTS, "curves": folder / "metrics.csv", "resume": folder / training.LAST}
    show_facts(
        f"trained {config.name}: best at step {trained.step}, score {trained.score:.3f}",
        {what: path for what, path in files.items() if path.exists()},  # a run shorter than save_every has no last
    )
    return trained.score


def train(config: TrainConfig) -> training.Trained:
    """Build all objects that the configuration describes, and train. Nothing is written before all checks are done."""
    pl.seed_everything(config.seed, verbose=False)
    network = build_network(config)
    metrics = {name: metric.measure.build() for name, metric in config.validation.metrics.items()}
    validation = training.Validation(metrics, config.validation.score, config.validation.colour)
    data = _data(config)  # before the plan, which may take minutes
    show(str(_plan(config, network)), "dim")
    if config.compile:
        network.compile_parts()
    objective = config.loss.build()
    if config.teacher is not None and not objective.asks_for("teacher_sr"):
        raise UserError("teacher", "has no effect: no loss takes teacher_sr", "remove it, or set loss=distillation")
    if _is_first() and config.trainer.devices != 1:
        _prepare_copies([] if config.resume else [f"run_dir={config.run_dir}"])
    return training.train(
        data,
        network,
        objective,
        run=training.RunFolder(
            config.run_dir,
            about=_about(config),
            save_every=config.save_every,
            resume=config.resume is not None,
            begin=partial(continue_run if config.resume else begin_run, config) if _is_first() else lambda: None,
        ),
        recipe=_recipe(config, network),
        validation=validation,
        options=_options(config),
    )


def build_network(config: TrainConfig) -> Network:
    """Build the network of a training, with the weights of `init_from` if it is set."""
    network = config.model.build()
    if config.init_from and not config.resume:  # a resumed run has been trained further
        left = init_network(network, config.init_from, config.init_skip)
        if left:
            show(f"not in {config.init_from}: {', '.join(left)}", "dim")
    if config.branches:
        add_branches(network)
    training.freeze(network, config.parameter_groups)
    network.checkpoint_activations = config.checkpoint_activations
    return network.to(memory_format=torch.channels_last) if config.channels_last else network


def _recipe(config: TrainConfig, network: Network) -> training.Recipe:
    return replace(
        training.Recipe(**same_fields(training.Recipe, config)),
        optimizer=training.with_rates(config.optimizer.build(), network, config.parameter_groups),
        scheduler=config.scheduler.build(),
        teacher=_teacher(config.teacher.build(), config.scale) if config.teacher else None,
    )


def _is_first() -> bool:
    """Whether this process prints and writes files; if several processes train together, only the first does."""
    return not getattr(rank_zero_only, "rank", 0)


def _prepare_copies(more: list[str]) -> None:
    """Set sys.argv for the processes of other devices, which Lightning starts as a script with arguments."""
    script = Path(vsr_lab.__file__).with_name("__main__.py")
    sys.argv = [str(script), "train", *HydraConfig.get().overrides.task, *more]


def _plan(config: TrainConfig, network: Network) -> training.Plan:
    """Estimate the training on the first device that Lightning would use."""
    accelerator = str(config.trainer.accelerator)
    cuda = torch.cuda.is_available() and accelerator in {"auto", "gpu", "cuda"}
    device = torch.device("cuda" if cuda else "cpu")
    devices = config.trainer.devices if isinstance(config.trainer.devices, int) else 1
    with torch.autocast(device.type, torch.bfloat16, enabled=config.trainer.precision == "bf16-mixed"):
        work = training.Workload(
            batch_size=config.data.batch_size,
            frames=config.data.clip_frames,
            size=config.data.size // config.scale,
            steps=config.trainer.max_steps,
            accumulate=config.trainer.accumulate_grad_batches,
            world=max(devices, 1) * config.trainer.num_nodes,
        )
        return training.make_plan(network, device, work)


def _teacher(candidate: Candidate, scale: int) -> Network:
    """The network of the teacher candidate. Raises UserError if it has none, or has another scale."""
    if not isinstance(candidate, NetworkCandidate):
        raise UserError("teacher", "must be a network", "set candidate@teacher=checkpoint teacher.path=WEIGHTS")
    if candidate.scale != scale:
        raise UserError(
            "teacher",
            f"upscales by {candidate.scale}, and scale is {scale}",
            f"set scale={candidate.scale}, or choose another teacher",
        )
    return candidate.network


def _shots(config: TrainConfig) -> tuple[list[Shot], list[Shot] | None]:
    """Find the HR footage of a training and its recorded LR; no frame is read."""
    data, shown, root = config.data, config.validation, config.data.root
    if data.split is None and len(splits := splits_of(root)) > 1:
        raise UserError(
            "data.split",
            f"is required: {root} has {', '.join(splits)}",
            f"set data.split={splits[0]} or another of these",
        )
    shots = find_shots(root, ShotSelection(**same_fields(ShotSelection, data)), report=show)
    if root.suffix not in TABLE_SUFFIXES:  # of a manifest, `footage index` left them out, or the user chose them
        for shot in shots:
            if made := find_disclosure(shot.path):
                raise UserError(
                    shot.path,
                    f"cannot be used as HR: {made}",
                    "remove it from data.root, or set data.root= to a manifest",
                )
    longest = max(len(shot) for shot in shots)
    if shown.frames > longest and any(key_of(word) == "validation.frames" for word in HydraConfig.get().overrides.task):
        raise UserError("validation.frames", f"must be <= {longest}, the longest clip, got {shown.frames}")
    return shots, find_lr_shots(shots, str(data.lr_root) if data.lr_root else None, config.scale, data.frames)


def _crops(config: TrainConfig) -> CropOptions:
    return replace(CropOptions(**same_fields(CropOptions, config.data)), frames=config.data.clip_frames)


def _windows(config: TrainConfig) -> WindowOptions:
    shown = config.validation
    return WindowOptions(frames=shown.frames, size=shown.size, clips=shown.clips, hold_out=config.data.hold_out)


def _data(config: TrainConfig) -> VideoDataModule:
    data = config.data
    curriculum = Curriculum(data.curriculum, data.clip_frames) if data.curriculum else None
    shots, lr_shots = _shots(config)
    return VideoDataModule.from_footage(
        shots,
        config.degradation.build(),
        data.store,
        lr_shots=lr_shots,
        crops=_crops(config),
        windows=_windows(config),
        loading=replace(LoaderOptions(**same_fields(LoaderOptions, data)), curriculum=curriculum, seed=config.seed),
    )


def _options(config: TrainConfig) -> training.TrainerOptions:
    lightning = {key: value for key, value in dict(config.trainer).items() if key != "max_steps"}
    if isinstance(strategy := config.trainer.strategy, Part):
        lightning["strategy"] = strategy.build()
    elif strategy == "auto" and config.trainer.devices != 1:  # buffers are the same in every process
        lightning["strategy"] = DDPStrategy(broadcast_buffers=False)
    callbacks = [callback.build() for callback in config.callbacks.values() if callback]
    return training.TrainerOptions(
        max_steps=config.trainer.max_steps,
        validate_every=config.validation.every,
        lightning=lightning,
        callbacks=[*callbacks, training.StartReference()] if config.init_from else callbacks,
        loggers=[logger.build() for logger in (config.logger or {}).values()],
    )


def _about(config: TrainConfig) -> dict[str, JsonValue]:
    """Information on the training for the weights file."""
    return {
        "name": config.name,
        "content": config.content,
        "scale": config.scale,
        "pixel_format": config.pixel_format,
        "degradation": None if config.data.lr_root else config.degradation.target.__name__,
        "footage": config.data.root.name,
        **(
            {"init_from": "/".join(config.init_from.parts[-2:]), "trained_with": trained_with(config.init_from)}
            if config.init_from
            else {}
        ),
        "steps": config.trainer.max_steps,
        "seed": config.seed,
    }
