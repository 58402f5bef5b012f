"""The command line in this process, so that its many mistakes are tried in seconds."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from vsr_lab.cli.app import launch
from vsr_lab.core import parts


@dataclass(frozen=True)
class Outcome:
    code: int
    error: str
    output: str = ""


@pytest.fixture(autouse=True)
def _faults_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LIBRARIES", (*parts.LIBRARIES, "tests.smoke.faults."))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """cli("evaluate", "key=value", ...): its exit code and what it wrote to stderr and stdout."""

    def run(command: str, *arguments: object) -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [f"vsr-lab {command}", *map(str, arguments)])
        code = launch(command)
        said = capsys.readouterr()
        return Outcome(code, said.err, said.out)

    return run
