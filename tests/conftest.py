"""Shared by all tests: where footage outside the checkout may lie, and tiny footage made on the spot."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from vsr_lab.video import VideoWriter
from vsr_lab.video.writer import give_back_priority

ROOT = Path(__file__).parents[1]
# Tests assert no times: the first example of a worker also imports libraries, and the machine may be busy.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Choices of runtimes are not cached in the user's folder, and commands do not change how tests import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONSAFEPATH", "")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def seeded() -> None:
    """What a test draws does not depend on the tests before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def ordinary_priority() -> Iterator[None]:
    """Tests that use SVT-AV1 without `open_encoder` leave real-time priority, which would starve all others."""
    yield
    give_back_priority()


@pytest.fixture(scope="session")
def shared_footage() -> Path:
    """Real benchmark footage, which is not part of the project. Skips, saying so, where it is not there."""
    folder = Path(os.environ.get("VSR_LAB_FOOTAGE", ROOT.parent / "shared" / "footage"))
    if not folder.is_dir():
        pytest.skip("no benchmark footage beside the checkout; set VSR_LAB_FOOTAGE to the folder that holds eval/vid4")
    return folder


def write_moving_clip(path: Path, frames: int = 24, height: int = 64, width: int = 80, seed: int = 0) -> Path:
    """A lossless clip of a texture that drifts, made of blocks so that it survives being halved."""
    rng = np.random.default_rng(seed)
    texture = np.kron(rng.integers(0, 256, (height // 4 + 8, width // 4 + 8, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, (height, width), Fraction(25)) as writer:
        for t in range(frames):
            window = texture[t % 16 : t % 16 + height, t % 16 : t % 16 + width]
            writer.write(np.ascontiguousarray(window)[None], [t / 25])
    return path


@pytest.fixture(scope="session")
def tiny_footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three tiny videos."""
    folder = tmp_path_factory.mktemp("footage")
    for seed in range(3):
        write_moving_clip(folder / f"clip_{seed}.mkv", seed=seed)
    return folder


@pytest.fixture(scope="session")
def vsr_lab() -> Callable[..., str]:
    """Runs vsr-lab as a user would and returns what it printed; fails, with that, on another exit code."""

    def run(*arguments: object, code: int = 0) -> str:
        command = [str(Path(sys.executable).parent / "vsr-lab"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stderr if code else done.stdout

    return run
