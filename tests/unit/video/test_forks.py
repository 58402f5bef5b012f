"""Reading in forked processes: files open in the parent are opened again, nothing hangs or is registered."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.encoded import write_encoded
from vsr_lab.video import VideoFile

_REGISTERED = """
import os, sys
hooks = []
os.register_at_fork = lambda **given: hooks.extend(hook for hook in given.values())
import vsr_lab.video, vsr_lab.video.preview, vsr_lab.video.roundtrip
sys.exit(any(str(hook.__module__).startswith("vsr_lab") for hook in hooks))
"""

_FORKED = """
import os, sys
from pathlib import Path
from vsr_lab.video import VideoFile
video = VideoFile(Path(sys.argv[1]))
video.read(0, 5)
child = os.fork()
sys.exit(child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_importing_registers_no_fork_hook() -> None:
    assert subprocess.run([sys.executable, "-c", _REGISTERED], check=False).returncode == 0


def in_fork(work: Callable[[], object]) -> int:
    """The exit code of a forked process that runs work; fails after 20 seconds."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    for _ in range(400):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the forked process hangs")


@pytest.fixture(
    params=[
        ("libx264", "yuv420p"),
        pytest.param(("libx264rgb", "bgr24"), marks=pytest.mark.slow),
        ("rawvideo", "nv12"),
    ],
    ids=lambda kind: kind[1],
)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> VideoFile:
    """A file that is read from and not closed; RGB and nv12 are converted by a filter graph with threads."""
    codec, pixel_format = request.param
    pictures = np.random.default_rng(0).integers(0, 255, (60, 256, 320, 3), np.uint8)
    write_encoded(tmp_path / "a.mkv", pictures, np.arange(60) / 25, codec=codec, pixel_format=pixel_format)
    video = VideoFile(tmp_path / "a.mkv")
    video.read(0, 5)
    return video


def test_a_forked_process_reads_what_the_parent_has_open(opened: VideoFile) -> None:
    expected = opened.read(10, 14).frames
    assert in_fork(lambda: np.testing.assert_array_equal(opened.read(10, 14).frames, expected)) == 0
    np.testing.assert_array_equal(opened.read(10, 14).frames, expected)


def test_a_forked_process_closes_and_frees_what_the_parent_has_open(opened: VideoFile) -> None:
    def free() -> None:
        nonlocal garbage
        assert gc.isenabled() and gc.get_freeze_count() == 0
        opened.close()
        del garbage
        gc.collect()

    garbage: list[object] = [VideoFile(opened.path)]
    garbage[0].read(0, 5)  # type: ignore[attr-defined]
    garbage.append(garbage)
    gc.collect()
    assert in_fork(free) == 0


def test_a_forked_process_ends_with_what_the_parent_has_open(opened: VideoFile) -> None:
    assert subprocess.run([sys.executable, "-c", _FORKED, opened.path], timeout=60, check=False).returncode == 0
