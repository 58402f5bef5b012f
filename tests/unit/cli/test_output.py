"""Output of commands whose reader ends before them, as in `vsr-lab --help | head -1`."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["inspect", "nowhere.mkv"]])
def test_no_traceback_if_nobody_reads(words: list[str]) -> None:
    command = [sys.executable, "-m", "vsr_lab", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert process.returncode in {0, 2}
