"""wandb connects only to servers that the user named, and to none if it is offline."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
from vsr_lab.core.tracking import set_up_wandb
import wandb
set_up_wandb(silent=True, offline=True)
found = wandb.setup().settings
print(found.x_stats_open_metrics_endpoints, "127.0.0.1" in found.base_url, found.root_dir, found.entity)
"""
FILE = """[default]
x_stats_open_metrics_endpoints = {"a": "http://127.0.0.1:9/metrics"}
base_url = http://127.0.0.1:9
entity = them
"""
TRAINING = """
import pytorch_lightning as pl
from pytorch_lightning.loggers import WandbLogger
from vsr_lab.training.train import _wandb
logger = WandbLogger(save_dir="run", offline=True)
with _wandb([logger]):
    logger.log_metrics({"loss": 1.0}, 0)
    print(logger.experiment.offline)
"""


def run(code: str, folder: Path, **more: str) -> str:
    command, known = [sys.executable, "-c", code], {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    return subprocess.run(command, cwd=folder, env=known | more, capture_output=True, text=True, check=True).stdout


def test_settings_in_the_current_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb/settings").write_text(FILE)
    assert run(SETTINGS, tmp_path).split() == ["None", "False", str(tmp_path), "None"]


@pytest.mark.parametrize(("offline", "mode"), [(True, "offline"), (False, "disabled")])
def test_mode_is_that_of_the_files_of_the_user_unless_offline(tmp_path: Path, offline: bool, mode: str) -> None:
    (tmp_path / "settings").write_text("[default]\nmode = disabled\n")
    code = f"""
from vsr_lab.core.tracking import set_up_wandb
import wandb
set_up_wandb(silent=True, offline={offline})
print(wandb.setup().settings.mode)
"""
    assert run(code, tmp_path, WANDB_CONFIG_DIR=str(tmp_path)).strip() == mode


def test_offline_training_makes_no_connection(tmp_path: Path) -> None:
    """With a key of the user, and a server that would accept it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert run(TRAINING, tmp_path, WANDB_API_KEY="0" * 40, WANDB_BASE_URL=address).split() == ["True"]
        server.settimeout(0.1)
        try:
            server.accept()
        except TimeoutError:
            connected = False
        else:
            connected = True
    assert not connected
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert list(tmp_path.glob("run/wandb/offline-run-*"))
