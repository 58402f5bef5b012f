"""wandb connects only to servers that the user named."""

import subprocess
import sys
from pathlib import Path

CODE = """
from vsr_lab.core.tracking import set_up_wandb
import wandb
set_up_wandb(silent=True)
found = wandb.setup().settings
print(found.x_stats_open_metrics_endpoints, "127.0.0.1" in found.base_url, found.root_dir, found.entity)
"""
FILE = """[default]
x_stats_open_metrics_endpoints = {"a": "http://127.0.0.1:9/metrics"}
base_url = http://127.0.0.1:9
entity = them
"""


def test_settings_in_the_current_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb/settings").write_text(FILE)
    done = subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "False", str(tmp_path), "None"]
