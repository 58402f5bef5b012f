"""Configuration of a resumed training: the stored one, with the overrides that are allowed."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vsr_lab.cli.configuration.overrides import key_of, literal
from vsr_lab.cli.configuration.schema import check
from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file
from vsr_lab.core.run_folder import RUN_MARK, lock_folder

# Loggers that a stored configuration may have, and their keywords: none that names a server or a folder elsewhere.
_LOGGERS = {
    "pytorch_lightning.loggers.WandbLogger": "project name save_dir offline id tags group notes",
    "pytorch_lightning.loggers.TensorBoardLogger": "save_dir name version log_graph default_hp_metric sub_dir",
}
_LARGEST, _DEEPEST, _MOST = 1 << 20, 50, 50_000  # bytes, levels, and keys and values of a config.yaml
_LONG = re.compile(r"[-+]?(0x[\da-fA-F_]{30,}|[\d_:]{30,})")  # an integer, which may take minutes to be read
_RESTORE = "restore this file from a backup, or start a new run"
_OVERRIDABLE = ("compile", "data.root", "data.store", "data.workers", "scheduler", "trainer.max_steps")


def stored_config(path: Path) -> DictConfig:
    """Read the config.yaml of a run folder. `${...}` in it is plain text, not an interpolation.

    Raises:
        UserError: the file is damaged.
    """
    kinds = (yaml.YAMLError, OSError, ValueError, RecursionError, OmegaConfBaseException)
    with reported(kinds, path, "is not a valid config.yaml", _RESTORE):
        if path.stat().st_size > _LARGEST:
            raise UserError(path, f"has more than {_LARGEST >> 20} MiB", _RESTORE)
        text, depth = path.read_text(encoding="utf-8"), 0
        for number, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
            if number > _MOST or (isinstance(event, yaml.ScalarEvent) and _LONG.fullmatch(event.value)):
                problem = f"has more than {_MOST} keys and values, or a number of 30 digits or more"
                raise UserError(path, problem, _RESTORE)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
                problem = f"has an alias (*NAME) or more than {_DEEPEST} levels, which could fill the memory"
                raise UserError(path, problem, _RESTORE)
        cfg = OmegaConf.create(literal(yaml.safe_load(text)))
    if not isinstance(cfg, DictConfig):
        raise UserError(path, "is not a valid config.yaml", _RESTORE)
    return cfg


def resumed_config(cli_config: DictConfig) -> DictConfig:
    """Configuration with which a training run is resumed: the stored configuration with the user's overrides.

    Allowed are overrides of the schedule, of the number of steps, and of keys that do not change the results. All
    overrides are recorded in the key `resumed`.

    Args:
        cli_config: configuration of the command line; its key `resume` is the folder of the run.

    Raises:
        UserError: the folder contains no training run or is in use, an override is not allowed, or `trainer.max_steps`
            is set to at most the number of steps that are already done.
    """
    if not isinstance(cli_config.resume, str) or not cli_config.resume:
        raise UserError(
            "resume", f"must be a path, got {cli_config.resume!r}", "set resume=<run_dir of a training run>"
        )
    run_dir = Path(cli_config.resume)
    path = run_dir / RUN_MARK
    check_file(path, "set resume=<run_dir of a training run>")
    newer = OmegaConf.load(config_dir() / "train.yaml")  # it may have keys that the run does not know yet
    assert isinstance(newer, DictConfig)
    del newer["defaults"]
    with reported(OmegaConfBaseException, path, "cannot be read ({})", "correct this file"):
        cfg = OmegaConf.merge(newer, stored_config(path))
    assert isinstance(cfg, DictConfig)
    if not {"model", "trainer"} <= {*cfg}:
        raise UserError(path, "is not the configuration of a training", "set resume=<run_dir of a training run>")
    check_loggers(cfg, path, run_dir)
    words = [word for word in HydraConfig.get().overrides.task if key_of(word) not in {"resume", "plan"}]
    keys = [key_of(word) for word in words]
    if "trainer.max_steps" in keys:
        _follow_steps(cfg)
    for key in keys:
        if key not in _OVERRIDABLE and not re.match(r"scheduler\.|logger\.\w+\.offline$", key):
            problem = f"cannot be changed in a resumed run, only {', '.join(_OVERRIDABLE)} and logger.NAME.offline can"
            raise UserError(key, problem, f"remove it, or start a new run with init_from={run_dir}")
        value = OmegaConf.select(cli_config, key)
        whole = isinstance(value, DictConfig)  # a scheduler, which may refer to the steps of the run
        OmegaConf.update(cfg, key, OmegaConf.to_container(value) if whole else literal(value), merge=False)
    if missing := OmegaConf.missing_keys(cfg):
        raise UserError(path, f"has no {min(missing)}", _RESTORE)
    cfg.run_dir = cfg.resume = literal(str(run_dir))
    cfg.plan = cli_config.plan
    config = check("train", cfg, keys, prefix=str(path))
    lock_folder(run_dir)
    return _recorded(config, words) if words else config


def check_loggers(cfg: DictConfig, path: Path, run_dir: Path) -> None:
    """Set the loggers of a stored configuration so that they write to the run folder only and make no connection.

    Args:
        cfg: the stored configuration; `save_dir` and `offline` of its loggers are changed in place.
        path: file of the configuration, for error messages.
        run_dir: the run folder.

    Raises:
        UserError: a logger has a key that could name a server, or a name with which it could write to another folder.
    """
    loggers = cfg.get("logger")
    for name, logger in loggers.items() if isinstance(loggers, DictConfig) else ():
        if not isinstance(logger, DictConfig):
            continue
        known = _LOGGERS.get(str(logger.get("_target_")), "").split()
        for key in sorted({*logger} - {"_target_", *known}, key=str):
            problem = f"logger.{name}.{key} is not allowed in a resumed run, because it could name a server"
            raise UserError(path, problem, "remove this key from the file")
        for key in ("name", "version", "sub_dir"):
            # TensorBoardLogger replaces $NAME, and opens URLs.
            if re.search(r"[^\w .:-]|\.\.|::", str(logger.get(key))):
                raise UserError(
                    path,
                    f"logger.{name}.{key} has characters other than letters, digits, spaces and . : - _",
                    "change it",
                )
        if "save_dir" in logger:
            logger.save_dir = literal(str(run_dir))
        if "offline" in known:
            logger.offline = True  # unless the user sets logger.NAME.offline=false now


def _follow_steps(cfg: DictConfig) -> None:
    """Set the length of the schedule, in place, to a reference to trainer.max_steps if the two are equal."""
    steps = OmegaConf.select(cfg, "trainer.max_steps")
    for key in ("scheduler.T_max", "scheduler.total_steps"):
        if steps is not None and OmegaConf.select(cfg, key) == steps:
            OmegaConf.update(cfg, key, "${trainer.max_steps}")


def _recorded(config: Any, words: Sequence[str]) -> Any:
    """Record overrides and the step of the last checkpoint in the key `resumed`.

    Raises UserError if an override sets trainer.max_steps to this step or an earlier one.
    """
    from vsr_lab.cli.train_config import Resumption  # slow to import, as is the next
    from vsr_lab.training.checkpoints import LAST, newest

    step = int(newest(config.run_dir / LAST)[1]["global_step"])
    if config.trainer.max_steps <= step and "trainer.max_steps" in map(key_of, words):
        problem = f"must be > {step}, the number of steps that are done, got {config.trainer.max_steps}"
        raise UserError("trainer.max_steps", problem)
    entry = Resumption(step=step, overrides=[word.lstrip("+") for word in words])
    return config.model_copy(update={"resumed": [*config.resumed, entry]})
