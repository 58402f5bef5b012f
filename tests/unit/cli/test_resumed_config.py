"""What a stored configuration may say of loggers."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from vsr_lab.cli.configuration.resumed import check_loggers
from vsr_lab.core.errors import UserError

WANDB = "pytorch_lightning.loggers.WandbLogger"
BOARD = "pytorch_lightning.loggers.TensorBoardLogger"


def test_loggers_stay_offline_and_in_the_folder_of_the_run() -> None:
    wandb = {"_target_": WANDB, "project": "p", "name": "a", "id": "x", "offline": False, "save_dir": "ftp://a/b"}
    cfg = OmegaConf.create(
        {"logger": {"w": wandb, "t": {"_target_": BOARD, "save_dir": "/", "version": ""}, "n": None}}
    )
    check_loggers(cfg, Path("run/config.yaml"), Path("run"))
    assert cfg.logger.w.offline is True
    assert cfg.logger.w.id == "x"  # the run of wandb goes on
    assert (cfg.logger.w.save_dir, cfg.logger.t.save_dir) == ("run", "run")
    check_loggers(OmegaConf.create({"logger": None}), Path("run/config.yaml"), Path("run"))


@pytest.mark.parametrize(
    ("logger", "problem"),
    [
        ({"_target_": WANDB, "settings": {"base_url": "http://a"}}, "logger.x.settings is not allowed"),
        ({"_target_": WANDB, "entity": "a"}, "logger.x.entity is not allowed"),
        (
            {"_target_": "pytorch_lightning.loggers.MLFlowLogger", "tracking_uri": "http://a"},
            "tracking_uri is not",
        ),
        ({"_target_": BOARD, "version": "../../a"}, "logger.x.version has characters other than letters"),
        ({"_target_": BOARD, "name": "$KEY"}, "logger.x.name has characters other than letters"),
    ],
)
def test_loggers_that_reach_elsewhere_are_refused(logger: dict[str, object], problem: str) -> None:
    with pytest.raises(UserError, match=rf"config\.yaml: .*{problem}"):
        check_loggers(OmegaConf.create({"logger": {"x": logger}}), Path("run/config.yaml"), Path("run"))
