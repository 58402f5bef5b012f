"""A package of a user's own adds a network, a loss and a metric by the entry point group vsr_lab.parts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "tests" / "example_package"
TRAIN = [
    *("content=mixed", "degradation=bi", "model._target_=example_parts.Sharpened", "model.channels=4"),
    *(
        "~model.blocks",
        "~model.warm_up",
        "loss.terms.color._target_=vsr_lab.losses.Term",
        "loss.terms.color.weight=0.1",
    ),
    *("loss.terms.color.loss._target_=example_parts.MeanColor", "trainer.max_steps=2", "trainer.accelerator=cpu"),
    "validation.metrics.color={measure: {_target_: example_parts.color_error, _partial_: true}, show: null}",
    *("validation.every=2", "validation.size=32", "validation.frames=3", "validation.clips=1", "logger=none"),
    *("data.clip_frames=3", "data.size=32", "data.batch_size=1", "data.workers=0", "data.hold_out=0.2"),
]


def _run(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    paths = [str(path)] if path else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", str(ROOT))])}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def trained(tiny_footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `vsr-lab train` ran in, with the example package on the path."""
    folder = tmp_path_factory.mktemp("example")
    done = _run(folder, "-m", "vsr_lab", "train", *TRAIN, f"data.root={tiny_footage}", "run_dir=run", path=PACKAGE)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_package_adds_a_network_a_loss_and_a_metric(trained: Path) -> None:
    log = (trained / "run" / "metrics.csv").read_text()
    assert "val/color" in log
    assert "train/color" in log
    code = "import vsr_lab; network, note = vsr_lab.load_network('run/network.safetensors'); print(network.scale, note)"
    done = _run(trained, "-c", code, path=PACKAGE)
    assert done.returncode == 0, done.stderr
    assert "'_target_': 'example_parts.Sharpened', 'channels': 4, 'scale': 2" in done.stdout


def test_a_package_that_is_not_registered_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "example_parts").symlink_to(PACKAGE / "example_parts")  # importable, and without an entry point
    done = _run(trained, "-m", "vsr_lab", "train", *TRAIN, "data.root=x", "run_dir=other", path=tmp_path)
    assert done.returncode == 2
    assert "example_parts.color_error cannot be used in a configuration" in done.stderr


@pytest.mark.slow
def test_weights_of_a_package_that_is_not_registered_are_refused(trained: Path) -> None:
    code = "import vsr_lab; vsr_lab.load_network('run/network.safetensors')"
    assert "is not a network of vsr_lab.models or of a registered package" in _run(trained, "-c", code).stderr
