"""Command lines in forked processes: libraries are imported once, state is never shared."""

import contextlib
import gc
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEMORY = 6 << 30  # bytes that one command may take, so that a mistake cannot take the machine


@dataclass(frozen=True)
class Ended:
    """How a process ended. code: None where it had to be killed at its time limit."""

    code: int | None
    out: str
    err: str
    seconds: float


def import_everything() -> None:
    """Import what the commands import, so that no forked process has to."""
    import importlib

    for name in ("torch", "polars", "cv2", "av", "onnx", "onnxruntime", "pytorch_lightning", "spandrel", "pydantic"):
        importlib.import_module(name)
    with contextlib.suppress(ImportError):
        importlib.import_module("torch.onnx._internal.exporter._core")
    from vsr_lab.cli.configuration.usage import COMMANDS, module_name

    for command in COMMANDS:
        importlib.import_module(module_name(command))
    gc.collect()
    gc.freeze()  # or every forked process would copy the pages of all these objects when it collects garbage


def command(words: list[str]) -> int:
    """The exit code of vsr-lab with these words, run in this process."""
    from vsr_lab.cli.main import main

    sys.argv = ["vsr-lab", *words]
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0


def forked(work: Callable[[], int], folder: Path, limit: float, log: Path) -> Ended:
    """Run work in a forked process, in folder, for at most limit seconds; what it started ends with it.

    log: where its stdout and stderr are written, as `log`.out and `log`.err.
    """
    began = time.monotonic()
    child = start(work, folder, log)
    code = waited(child, limit)
    end_session(child)
    return ended(code, log, time.monotonic() - began)


def start(work: Callable[[], int], folder: Path, log: Path) -> int:
    """The id of a forked process, and of a session of its own, that does work in folder."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _child(work, folder, log.with_suffix(".out"), log.with_suffix(".err"))
    return child


def ended(code: int | None, log: Path, seconds: float) -> Ended:
    """How a process ended that wrote to log."""
    out, err = (
        path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for path in (log.with_suffix(".out"), log.with_suffix(".err"))
    )
    return Ended(code, out, err, seconds)


def _child(work: Callable[[], int], folder: Path, out: Path, err: Path) -> None:
    code = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        for descriptor, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), descriptor)
        # pytest replaces these objects
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("900", encoding="utf-8")
        os.chdir(folder)
        tempfile.tempdir = None  # TMPDIR is another by now
        code = work()
    except KeyboardInterrupt:
        traceback.print_exc()
        code = 130
    except BaseException:  # the traceback is what is looked for
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 255)


def waited(child: int, limit: float) -> int | None:
    """The exit code, minus the signal's number, or None for a process that had to be killed.

    limit: seconds of work, or of sleep; the time in which a busy machine lets it do neither is not counted.
    """
    began, pause = time.monotonic(), 0.002
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        spent = time.monotonic() - began
        if spent > limit:
            work, queued = _busy(child)
            if work > limit or spent - work - queued > limit or spent > 15 * limit:
                break
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _busy(leader: int) -> tuple[float, float]:
    """Seconds that a session has worked, and that it was ready to work and had no core."""
    work = queued = 0
    for process in (leader, *session(leader)):
        for schedule in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError):
                ran, waited_for, _ = schedule.read_text(encoding="utf-8").split()
                work, queued = work + int(ran), queued + int(waited_for)
    return work / 1e9, queued / 1e9


def session(leader: int) -> list[int]:
    """The processes of the session that leader began, itself aside."""
    found: list[int] = []
    for place in Path("/proc").iterdir():
        if not place.name.isdigit() or int(place.name) == leader:
            continue
        with contextlib.suppress(OSError):
            fields = (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(place.name))
    return found


def end_session(leader: int) -> None:
    """Kill what a process that has ended left running."""
    for process in session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
