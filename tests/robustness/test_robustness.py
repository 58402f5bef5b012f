"""Nothing that is pulled out, done twice or damaged loses anything, crashes or hangs.

A sample in `make test`, in one process of its own: forks of this one would inherit the threads of other tests.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _run(module: str, *options: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.robustness.{module}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_sample() -> None:
    _run("sample")


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("module", ["resuming", "killing", "foreign", "twice", "fuzz_records"])
def test_everything(module: str) -> None:
    """Every command stopped at five moments by three signals, beside files of others, twice; 500 damaged records."""
    _run(module)
