"""Executors: every task has one outcome, whatever becomes of the others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.fleet import Executor, Local, Outcome, Ray


def work(task: tuple[str, Path]) -> str:
    """A task that fails in the way that its name says; "kill once" dies in its first attempt only."""
    name, folder = task
    if name == "refused":
        raise UserError(name, "cannot be used", "remove it")
    if name == "defect":
        raise KeyError(name)
    if name == "here":
        return str(Path.cwd())
    first = folder / f"{name} began"
    if name == "kill" or (name == "kill once" and not first.exists()):
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return name.upper()


def outcomes(executor: Executor, folder: Path, *names: str) -> dict[str, Outcome[str]]:
    found = list(executor.run(work, {name: (name, folder) for name in names}))
    assert sorted(outcome.key for outcome in found) == sorted(names)
    return {outcome.key: outcome for outcome in found}


@pytest.mark.parametrize("executor", [Local(), Local(2)])
def test_a_failed_task_stops_no_other(executor: Executor, tmp_path: Path) -> None:
    found = outcomes(executor, tmp_path, "a", "refused", "defect", "b")
    assert (found["a"].result, found["b"].result) == ("A", "B")
    assert found["refused"] == Outcome("refused", error="refused: cannot be used; remove it")
    assert found["defect"].error == "a defect of vsr-lab (KeyError: 'defect')"
    assert "in work" in found["defect"].traceback


def test_a_killed_process_fails_its_own_task(tmp_path: Path) -> None:
    found = outcomes(Local(2), tmp_path, "a", "kill", "b", "c", "d")
    assert [found[name].result for name in "abcd"] == ["A", "B", "C", "D"]
    assert "process that ran it ended" in found["kill"].error


def wait(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_processes_end_with_the_caller(tmp_path: Path) -> None:
    running = Local(2).run(wait, {"short": 0.0, "long": 600.0})
    process = next(running).result
    assert process and process != os.getpid()
    begin = time.monotonic()
    running.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert time.monotonic() - begin < 60
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_ray_runs_the_task_of_a_killed_process_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    for name in ("json", "pydantic", "torch", "vsr_lab"):  # workers import none of the current folder
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    found = outcomes(Ray(2), tmp_path, "a", "kill once", "here", "refused", "defect")
    assert (found["a"].result, found["kill once"].result) == ("A", "KILL ONCE")
    assert (tmp_path / "kill once began").exists()
    assert not (tmp_path / "executed").exists()
    assert found["here"].result == str(tmp_path)
    assert found["refused"].error == "refused: cannot be used; remove it"
    assert "KeyError" in found["defect"].traceback


def test_a_signal_while_a_task_finishes_ends_the_run_after_it() -> None:
    code = """
import os, signal
from vsr_lab.core.signals import catch_signals, pass_signals
from vsr_lab.fleet import Local

def finish(number):
    pass_signals()
    if number == 1:
        os.kill(os.getpid(), signal.SIGTERM)

catch_signals()
try:
    for outcome in Local().run(finish, {"a": 0, "b": 1, "c": 2}):
        print(outcome.key, flush=True)
except KeyboardInterrupt as error:
    print(error.args[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["a", "b", str(int(signal.SIGTERM))]
