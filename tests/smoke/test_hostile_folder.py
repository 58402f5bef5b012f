"""A folder whose files have the names of modules: no process of a command that is run in it imports them."""

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import vsr_lab
from tests.conftest import write_moving_clip
from tests.smoke.test_resume import VSR_LAB
from vsr_lab.deployment import write_bundle
from vsr_lab.models import Interpolation

_LINES = {
    "render": "footage render kind=screen n=2 frames=1 size=[64,96] workers=2 run_dir=run",
    "upscale": "upscale bundle=bundle input=hr/a.mkv output=out.mkv codec=ffv1 segment=0.2 workers=2",
    "train": "train content=mixed data.root=hr data.store=store data.size=32 data.clip_frames=3 data.batch_size=1 "
    "data.workers=1 trainer.max_steps=1 validation.every=1 validation.size=32 validation.frames=3 logger=none "
    "model.channels=4 model.blocks=1 data.hold_out=0.3 trainer=ddp trainer.devices=2 trainer.accelerator=cpu "
    "run_dir=run",
}
_CODE = "open('executed', 'a').write(__name__)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Footage, a bundle, and a file for each module of Python and of the installed packages, and for libraries of C."""
    for name in "ab":
        write_moving_clip(tmp_path / f"hr/{name}.mkv", frames=12)
    write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "bicubic"), about={}, exporters=[])
    packages = {name.partition("/")[0] for name in packages_distributions()}
    for name in {*sys.stdlib_module_names, *packages, "sitecustomize", "usercustomize"}:
        (tmp_path / f"{name}.py").write_text(_CODE)
    for name in ("c.so.6", "m.so.6", "z.so.1", "dl.so.2", "rt.so.1", "util.so.1", "pthread.so.0"):
        (tmp_path / f"lib{name}").touch()  # a process that loads it ends at once
    (tmp_path / "vsr-lab train").write_text(_CODE)  # what Lightning would start for the second device
    return tmp_path


@pytest.mark.parametrize(
    "command", [name if name == "upscale" else pytest.param(name, marks=pytest.mark.slow) for name in _LINES]
)
def test_no_process_executes_what_lies_in_the_current_folder(folder: Path, command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(vsr_lab.__file__).parents[1])}
    for name in ("PYTHONSAFEPATH", "LD_LIBRARY_PATH"):
        environment.pop(name, None)
    words = [VSR_LAB, *_LINES[command].split()]
    done = subprocess.run(words, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (folder / "executed").exists(), (folder / "executed").read_text()
