"""The examples in the docstrings of vsr_lab.train, evaluate, ... run, one after another, in a folder with footage."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import vsr_lab
from tests.conftest import write_moving_clip

FUNCTIONS = list(vsr_lab._MODULES)  # in the order in which one needs the files of another


def test_examples_in_docstrings_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, name in enumerate("ab"):
        write_moving_clip(tmp_path / "footage" / f"{name}.mkv", seed=seed)
    monkeypatch.chdir(tmp_path)
    flags = doctest.FAIL_FAST | doctest.NORMALIZE_WHITESPACE  # progress bars print an empty line
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    for name in FUNCTIONS:
        (found,) = doctest.DocTestFinder(recurse=False).find(getattr(vsr_lab, name), name, globs={"vsr_lab": vsr_lab})
        assert found.examples, f"vsr_lab.{name} has no example"
        report: list[str] = []
        assert runner.run(found, out=report.append).failed == 0, "".join(report)


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, vsr_lab; dir(vsr_lab); sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vsr_lab.nothing  # noqa: B018
