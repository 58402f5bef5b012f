"""A folder of many files on several processes, some of which are killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_moving_clip
from vsr_lab.deployment import write_bundle
from vsr_lab.models import Interpolation
from vsr_lab.video import VideoFile
from vsr_lab.workflows.batch import LEDGER

FILES, POISONED, FRAMES = 50, 5, 12


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "bicubic"), about={}, exporters=[])
    return tmp_path / "bundle"


def poison(path: Path, number: int) -> None:
    """Make a file one that cannot be upscaled, each in another way."""
    whole = path.read_bytes()
    contents = [b"", b"no video", whole[: len(whole) // 2], whole[200:], whole[:600] + bytes(len(whole) - 600)]
    path.write_bytes(contents[number])


def _processes(name: str, ancestor: int) -> list[int]:
    """Processes with a name in their command line, below another process."""
    parents, found = dict[int, int](), list[int]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid, stat = int(folder.name), (folder / "stat").read_text()
            parents[pid] = int(stat.rpartition(")")[2].split()[1])
            if name.encode() in (folder / "cmdline").read_bytes():
                found.append(pid)
        except OSError:
            continue  # it has ended

    def is_below(pid: int) -> bool:
        return pid == ancestor or (pid in parents and is_below(parents[pid]))

    return [pid for pid in found if is_below(pid)]


def test_the_exit_code_says_that_some_were_refused(
    cli: Callable[..., object], tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_moving_clip(tmp_path / "in" / "good.mkv", frames=4)
    (tmp_path / "in" / "bad.mkv").write_text("no video")
    words = (f"bundle={bundle}", f"input={tmp_path / 'in'}", f"output={tmp_path / 'out'}")
    planned = cli("upscale", *words, "plan=true")
    assert (planned.code, planned.error) == (3, "vsr-lab upscale: 1 of 2 files cannot be upscaled\n")
    assert not (tmp_path / "out").exists()
    for _ in range(2):
        outcome = cli("upscale", *words)
        assert outcome.code == 3 and "1 of 2 files were refused" in outcome.error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("good.mkv", "good.mkv.provenance.json"),
        LEDGER,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["ray", "local"])
def test_fifty_files_five_of_them_poisoned_and_a_killed_process(tmp_path: Path, bundle: Path, executor: str) -> None:
    if executor == "ray":
        pytest.importorskip("ray")
    paths = [write_moving_clip(tmp_path / "in" / f"{n:02d}.mkv", FRAMES, seed=n) for n in range(FILES)]
    bad = paths[3::10]
    for number, path in enumerate(bad):
        poison(path, number)
    out = tmp_path / "out"
    words = [f"bundle={bundle}", f"input={tmp_path / 'in'}", f"output={out}", f"executor={executor}", "workers=2"]
    command = [sys.executable, "-m", "vsr_lab", "upscale", *words, "backend=torch"]
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while len(list(out.glob("[0-9]*.mkv"))) < 5:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        workers = _processes("ray::_attempt" if executor == "ray" else "spawn_main", process.pid)
        os.kill(workers[0], signal.SIGKILL)
        output, errors = process.communicate(timeout=280)
    print(f"{executor}: {time.monotonic() - begin:.0f} s", errors)
    made = sorted(out.glob("[0-9]*.mkv"))
    killed = executor == "local"  # where the file of the killed process is left for the next run
    assert process.returncode == 3 and f"{POISONED + killed} of {FILES} files were refused" in errors
    assert all(f"refused: {path}: " in output for path in bad)
    assert len(made) == FILES - POISONED - killed
    before = {path: path.stat().st_mtime_ns for path in made}

    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 3 and f"{POISONED} of {FILES} files were refused" in again.stderr
    assert f"{int(killed)} files upscaled, {FILES - POISONED - killed} done before" in again.stdout
    assert len(list(out.glob("[0-9]*.mkv"))) == FILES - POISONED
    assert {path: path.stat().st_mtime_ns for path in made} == before
    assert all(VideoFile(path).frames == FRAMES for path in out.glob("[0-9]*.mkv"))
    assert not list(out.glob(".*.partial*"))
    with sqlite3.connect(out / LEDGER) as ledger:
        rows = ledger.execute("SELECT done, count(*), max(error) > '' FROM task GROUP BY done ORDER BY done").fetchall()
    assert rows == [(0, POISONED, 1), (1, FILES - POISONED, 0)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", ["ray", "local"])
def test_an_evaluation_gives_the_same_tables_whatever_is_killed(tmp_path: Path, executor: str) -> None:
    """The command is killed, then a worker of the next one. The tables are those of one process."""
    if executor == "ray":
        pytest.importorskip("ray")
    for n in range(8):
        write_moving_clip(tmp_path / "hr" / f"{n}.mkv", 8, seed=n)
    words = ["candidates=[bicubic,nearest]", "suite=folder", f"suite.root={tmp_path / 'hr'}", "protocol=vid4-bi-y"]
    command = [sys.executable, "-m", "vsr_lab", "evaluate", *words, "protocol.scale=2", "protocol.crop=0"]
    subprocess.run([*command, f"run_dir={tmp_path / 'serial'}"], check=True, capture_output=True)
    out = tmp_path / "out"
    command += [f"run_dir={out}", f"executor={executor}", "workers=2"]

    def done() -> int:
        return len(list(out.glob("*/.clips/*.json")))

    def until(count: int, process: subprocess.Popen[str]) -> None:
        while done() < count:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(2, process)
        process.kill()
    time.sleep(2)  # in which its workers end
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until(done() + 2, process)
        os.kill(_processes("ray::_attempt" if executor == "ray" else "spawn_main", process.pid)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=280)
    if executor == "local":  # Ray runs a task whose worker was killed again
        assert process.returncode == 2 and "1 of " in errors and "the process that ran it ended" in errors
        subprocess.run(command, check=True, capture_output=True)
    assert process.returncode == (2 if executor == "local" else 0), errors
    for candidate in ("bicubic", "nearest"):
        for table in ("frames.parquet", "clips.csv"):
            assert (out / candidate / table).read_bytes() == (tmp_path / "serial" / candidate / table).read_bytes()
    assert not done()
