"""The configuration of a training run that is gone on with."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from vsr_lab.cli.schema import check
from vsr_lab.cli.usage import config_dir
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import RUN_MARK

_MAY_SAY = ("compile", "data.root", "data.store", "data.workers")


def stored(told: DictConfig) -> DictConfig:
    """The configuration of the run to go on with, and of what was told now the little that leaves its results alone.

    Raises UserError for a folder that holds no training run, and for any other key: it would be ignored.
    """
    run_dir = Path(told.resume)
    path = run_dir / RUN_MARK
    if not path.is_file():
        raise UserError(path, "not found", "say resume=<run_dir of a training run>")
    younger = OmegaConf.load(config_dir() / "train.yaml")  # it may have keys that the run does not know yet
    del younger["defaults"]
    try:
        cfg = OmegaConf.merge(younger, OmegaConf.load(path))
    except (YAMLError, OSError, OmegaConfBaseException) as error:
        raise UserError(path, f"cannot be read ({str(error).splitlines()[0]})", "mend it") from error
    assert isinstance(cfg, DictConfig)
    if not {"model", "trainer"} <= {*cfg}:
        raise UserError(path, "is not a training run's", "say resume=<run_dir of a training run>")
    for word in HydraConfig.get().overrides.task:
        key = word.lstrip("+~").partition("=")[0]
        if key in _MAY_SAY:
            OmegaConf.update(cfg, key, OmegaConf.select(told, key))
        elif key not in {"resume", "plan"}:
            offer = f"drop it, begin a new run (init_from={run_dir}), or say {', '.join(_MAY_SAY)}"
            raise UserError(key, "has no say in a run that is resumed", offer)
    cfg.run_dir = str(run_dir)
    check("train", cfg)
    return cfg
