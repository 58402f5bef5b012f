"""The wheel, installed: its commands run outside the checkout, with the configurations that it carries."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, write_moving_clip
from vsr_lab.models import Recurrent, save_network
from vsr_lab.video import open_footage

Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs vsr-lab from a wheel, in an environment that sees this one's packages but not the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    # A line of a .pth adds the folder alone: .pth files in it, such as an editable install of vsr_lab, are not read.
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (wheel,) = (folder / "dist").glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    where = [str(python), "-c", "import vsr_lab; print(vsr_lab.__file__)"]
    imported = subprocess.run(where, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout
    assert Path(imported.strip()).is_relative_to(site)

    def run(*arguments: object) -> str:
        command = [str(python.parent / "vsr-lab"), *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


def test_the_wheel_prints_its_help_and_composes_its_configurations(installed: Run) -> None:
    assert "upscale" in installed("--help")
    assert "recurrent_flow_small" in installed("train", "--help")
    assert "warm_up" in installed("train", "content=animation", "data.root=x", "--cfg", "job")


def test_the_wheel_evaluates_exports_and_upscales(installed: Run, tmp_path: Path) -> None:
    clip = write_moving_clip(tmp_path / "clips/a.mkv", frames=4)
    lean = ["~protocol.metrics.st_lpips", "~protocol.metrics.st_tlp"]
    suite = ["suite=folder", f"suite.root={clip.parent}", "suite.content=mixed", "protocol=content-x2-bi-y"]
    installed("evaluate", "candidate=bicubic", *suite, *lean, f"run_dir={tmp_path / 'scores'}")
    assert json.loads((tmp_path / "scores/summary.json").read_text())["metrics"]["psnr"]["mean"] > 10

    about = {"name": "tiny", "content": "mixed", "scale": 2, "pixel_format": "yuv420p"}
    save_network(Recurrent(2, 4, 1), about, tmp_path / "network.safetensors")
    path = f"candidate.path={tmp_path / 'network.safetensors'}"
    installed("export", path, "exporters.onnx.frames=4", f"run_dir={tmp_path / 'exported'}")
    output = tmp_path / "large.mkv"
    installed("upscale", f"bundle={tmp_path / 'exported/bundle'}", f"input={clip}", f"output={output}")
    footage = open_footage(output)
    assert (footage.frames, footage.size) == (4, (128, 160))
