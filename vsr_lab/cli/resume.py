"""The configuration of a resumed training run."""

from pathlib import Path

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vsr_lab.cli.config import check
from vsr_lab.cli.overrides import key_of, literal
from vsr_lab.cli.usage import config_dir
from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file
from vsr_lab.core.run_folder import RUN_MARK, lock_folder

_OVERRIDABLE = ("compile", "data.root", "data.store", "data.workers")


def stored_config(path: Path) -> DictConfig:
    """Read the config.yaml of a run, in which all interpolations are resolved already.

    Raises:
        UserError: the file is damaged.
    """
    kinds = (yaml.YAMLError, OSError, UnicodeError, RecursionError, OmegaConfBaseException)
    with reported(kinds, path, "is not a valid config.yaml", "restore it, or start a new run"):
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise UserError(path, "has aliases, which could fill all memory", "restore it, or start a new run")
        cfg = OmegaConf.create(literal(yaml.safe_load(text)))
    if not isinstance(cfg, DictConfig):
        raise UserError(path, "is not a valid config.yaml", "restore it, or start a new run")
    return cfg


def resumed_config(cli_config: DictConfig) -> DictConfig:
    """Configuration with which a training run is resumed: the stored configuration with the user's overrides.

    Only overrides that do not change the results of the run are allowed.

    Args:
        cli_config: configuration of the command line; its key `resume` is the folder of the run.

    Raises:
        UserError: the folder contains no training run, or an override would change the results.
    """
    if not isinstance(cli_config.resume, str):
        raise UserError("resume", f"must be a path, got {cli_config.resume}", "set resume=<run_dir of a training run>")
    run_dir = Path(cli_config.resume)
    path = run_dir / RUN_MARK
    check_file(path, "set resume=<run_dir of a training run>")
    newer = OmegaConf.load(config_dir() / "train.yaml")  # it may have keys that the run does not know yet
    assert isinstance(newer, DictConfig)
    del newer["defaults"]
    with reported(OmegaConfBaseException, path, "cannot be read ({})", "fix it"):
        cfg = OmegaConf.merge(newer, stored_config(path))
    assert isinstance(cfg, DictConfig)
    if not {"model", "trainer"} <= {*cfg}:
        raise UserError(path, "is not a training run's", "set resume=<run_dir of a training run>")
    for word in HydraConfig.get().overrides.task:
        key = key_of(word)
        if key in _OVERRIDABLE:
            OmegaConf.update(cfg, key, literal(OmegaConf.select(cli_config, key)))
        elif key not in {"resume", "plan"}:
            problem = f"cannot be overridden in a resumed run, as {', '.join(_OVERRIDABLE)} can"
            raise UserError(key, problem, f"leave it out, or begin a new run with init_from={run_dir}")
    if missing := OmegaConf.missing_keys(cfg):
        raise UserError(path, f"has no {min(missing)}", "restore it, or start a new run")
    cfg.run_dir = cfg.resume = literal(str(run_dir))
    cfg.plan = cli_config.plan
    config = check("train", cfg, prefix=str(path))
    lock_folder(run_dir)
    return config
