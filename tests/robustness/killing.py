"""Stop every command with every signal at moments spread over its life: python -m tests.robustness.killing.

Afterwards nothing half-written may be under a final name, no process may be left, the exit code is the signal's, with
one line where there is time for one, and the same command then ends right (a training by the `resume=` of its message).
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.mistakes.lines import DROPPED
from tests.mistakes.processes import (
    Ended,
    command,
    end_session,
    ended,
    forked,
    import_everything,
    session,
    start,
    waited,
)
from tests.mistakes.records import write_records
from tests.mistakes.world import World, environment, snapshot, write_footage
from tests.robustness.leftovers import PARTIAL, broken_files

SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": -9}
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the time that the command takes when it is left alone
LIMIT = 120.0  # seconds for one command
_FAST = (
    "model.channels=4 model.blocks=1 data.size=32 data.clip_frames=3 data.batch_size=1 data.hold_out=0.3 logger=none"
)
_SHORT = f"{_FAST} validation.size=32 validation.frames=3"
_EVALUATION = "suite=folder suite.root=hr protocol=content-x2-bi-y " + DROPPED.replace("'", "").replace(
    " ~protocol.metrics.flicker", ""
)
_FOUR = f"{_EVALUATION} suite.frames=0:4"
# Made once, by vsr-lab itself; the other commands read it.
BASE = [
    f"train {_SHORT} data.workers=0 trainer.max_steps=2 validation.every=2 save_every=2 content=mixed data.root=hr "
    "data.store=store run_dir=runA",
    f"evaluate {_FOUR} save_frames=2 candidate=bicubic run_dir=ev/bicubic",
    f"evaluate {_FOUR} save_frames=2 candidate=checkpoint candidate.path=runA/network.safetensors run_dir=ev/ckpt",
    "export candidate.path=runA/network.safetensors run_dir=exp",
    "footage degrade root=hr degradation=bi scale=2 run_dir=deg",
    "footage index root=hr run_dir=idx split=0.3 scans=scans",
    "upscale bundle=exp/bundle input=long.mp4 output=up.mkv codec=ffv1 backend=onnxruntime",
]
_FOLDER = "upscale bundle=exp/bundle input=hr output=k/large preset=archive backend=onnxruntime"
_LONGER = (
    f"train {_SHORT} data.workers=1 trainer.max_steps=30 validation.every=10 save_every=5 content=mixed data.root=hr "
    "data.store=k/store"
)
COMMANDS = {
    "train": f"{_LONGER} run_dir=k/run",
    "train (resumed)": "train resume=k/cut",
    "evaluate": f"evaluate {_EVALUATION} candidate=bicubic run_dir=k/run",
    "evaluate (two candidates)": f"evaluate {_EVALUATION} candidates=[bicubic,checkpoint:runA/network.safetensors] "
    "run_dir=k/run",
    "compare": "compare runs=[ev/bicubic,ev/ckpt] run_dir=k/run",
    "compare (two videos)": "compare hr/c1.mkv deg/lr/c1.mkv run_dir=k/run",
    "select": "select runs=[ev/bicubic,ev/ckpt] run_dir=k/run",
    "export": "export candidate.path=runA/network.safetensors run_dir=k/run",
    "upscale": "upscale bundle=exp/bundle input=long.mp4 output=k/up.mkv codec=ffv1 segment=3 backend=onnxruntime "
    "run_dir=k/run",
    "upscale (three outputs)": "upscale bundle=exp/bundle input=long.mp4 output=k/up.mkv codec=ffv1 segment=3 "
    "backend=onnxruntime outputs=[{output:k/web.mp4,preset:web},{output:k/small.mp4,preset:web,height:80}]",
    "upscale (images)": "upscale bundle=exp/bundle input=long.mp4 output=k/images/%06d.png backend=onnxruntime",
    "upscale (a folder)": _FOLDER,
    "upscale (a folder, two workers)": f"{_FOLDER} workers=2",
    "upscale (segments, two workers)": "upscale bundle=exp/bundle input=long.mp4 output=k/up.mkv codec=ffv1 segment=3 "
    "backend=onnxruntime workers=2 run_dir=k/run",
    "recommend": "recommend hr selection=sel/selection.json bundles=exp scans=k/scans run_dir=k/run",
    "vote": "vote runs=[ev/bicubic,ev/ckpt] database=votes.sqlite serve=false run_dir=k/run",
    "bundle verify": "bundle verify exp/bundle",
    "bundle push": "bundle push exp/bundle to=wandb:k/small",
    "provenance": "provenance up.mkv original=long.mp4 pair=k/pair.json",
    "inspect": "inspect up.mkv",
    "bench": "bench bundle=exp/bundle sizes=[64x48]",
    "demo": "demo run_dir=k/run contents=[animation] footage.train_screens=1 footage.frames=60 "
    "train=['logger=none','data.split=train','data.workers=0','data.size=32','data.clip_frames=3','data.batch_size=1',"
    "'validation.every=2','validation.size=32','validation.frames=3','save_every=2'] "
    "specialist=['model=span_stream_nano','init_skip=[early.*,recall.*,late.*,correction.*,gate.*]',"
    "'trainer.max_steps=4'] per_frame=['model=span_nano','trainer.max_steps=4'] "
    "evaluate=['protocol=content-x2-bi-y','suite.split=eval','suite.frames=0:3','~protocol.metrics.st_lpips',"
    "'~protocol.metrics.st_tlp','~protocol.metrics.tof']",
    "footage index": "footage index root=hr scans=k/scans run_dir=k/run",
    "footage leaks": "footage leaks root=idx/manifest.csv scans=k/scans run_dir=k/run",
    "footage sample": "footage sample root=hr n=2 scans=k/scans run_dir=k/run",
    "footage check": "footage check lr=deg/lr hr=hr run_dir=k/run",
    "footage degrade": "footage degrade root=hr degradation=bi scale=2 run_dir=k/run",
    "footage store": "footage store root=s verify=true prune=true",
    "footage render": "footage render kind=screen n=3 frames=24 size=[96,160] workers=2 run_dir=k/run",
}
WITHOUT_BASE = ("train", "evaluate", "footage degrade", "footage render")  # need no more than the footage
RESUMED = ("train",)
_OLD = r"\.old-1(/|$)"  # what the stopped command wrote, kept under another name
_VOLATILE = re.compile(rf"(^|/)(home|tmp|\.lock)(/|$)|/\.|(^|/)wandb(/|$)|traceback-|^k/run/store/|{_OLD}")


@dataclass(frozen=True)
class Usual:
    """A command left alone: how long it takes, its exit code, what it writes and a copy of that."""

    seconds: float
    code: int | None
    files: dict[str, tuple[int, ...]]
    copy: Path


@dataclass
class Cell:
    """One command stopped once. faults: what was wrong; state: what there was to stop."""

    command: str
    signal: str
    moment: float
    faults: list[str] = field(default_factory=list)
    said: str = ""
    seconds: float = 0.0


def build(box: Path, base: Sequence[str] = BASE) -> World:
    """A world with footage and what the lines of base make of it."""
    world = World(box / "world", box / "whole")
    for name in ("home", "tmp", "k"):
        (world.folder / name).mkdir(parents=True)
    _made(lambda: write_footage(world.folder), world, box)
    for line in base:
        _made(lambda line=line: command(line.split()), world, box)
    if (world.folder / "exp").is_dir():
        _made(lambda: write_records(world.folder), world, box)
    if (world.folder / "store").is_dir():
        _stale_store(world.folder / "store", world.folder / "s")
        stopped(f"{_LONGER} run_dir=k/cut", world, "k/cut/checkpoints/last.ckpt")
        shutil.rmtree(world.folder / "k/store")
    subprocess.run(["cp", "-a", "-T", world.folder, world.whole], check=True)
    world.state = snapshot(world.folder)
    return world


def _made(work: Callable[[], int], world: World, box: Path) -> None:
    made = forked(work, world.folder, 300, box / "building")
    if made.code != 0:
        raise RuntimeError(f"exit {made.code}: {made.err}")


def stopped(line: str, world: World, sign: str, number: signal.Signals = signal.SIGTERM) -> None:
    """Stop a command by a signal once a path that matches `sign` is there."""
    child = start(lambda: command(line.split()), world.folder, world.folder.parent / "building")
    until = time.monotonic() + LIMIT
    while not any(world.folder.glob(sign)) and time.monotonic() < until:
        time.sleep(0.005)
    os.kill(child, number)
    code = waited(child, LIMIT)
    end_session(child)
    if code != {signal.SIGTERM: 143}.get(number, -number):
        raise RuntimeError(f"{line}: exit {code} before it was stopped")


def _stale_store(store: Path, copy: Path) -> None:
    """A store with clips that `prune` removes: of half of them a byte is another."""
    shutil.copytree(store, copy)
    for path in sorted(copy.glob("*.npy"))[::2]:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)


def usual(name: str, world: World) -> Usual:
    """Run a command alone and keep what it wrote."""
    log = world.folder.parent / "usual"
    done = forked(lambda: command(COMMANDS[name].split()), world.folder, 3 * LIMIT, log)
    if done.code not in {0, 1}:
        raise RuntimeError(f"{name}: exit {done.code}: {done.err}")
    copy = world.folder.parent / "reference"
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", "-T", world.folder, copy], check=True)
    found = Usual(done.seconds, done.code, _written(world), copy)
    world.restore()
    return found


def _written(world: World) -> dict[str, tuple[int, ...]]:
    """What is there and was not there before, and what was there and is gone."""
    now = snapshot(world.folder)
    gone = {f"gone: {path}": () for path in world.state.keys() - now.keys() if not _VOLATILE.search(path)}
    return gone | {p: now[p] for p in now.keys() - world.state.keys() if not _VOLATILE.search(p)}


def stop(name: str, kind: str, moment: float, world: World, alone: Usual) -> Cell:
    """Stop a command with a signal after a share of its usual time, look at what is left, and run it again."""
    cell = Cell(name, kind, moment)
    log = world.folder.parent / "stopped"
    began = time.monotonic()
    for attempt in range(6):
        child = start(lambda: command(COMMANDS[name].split()), world.folder, log)
        time.sleep(alone.seconds * moment * 0.6**attempt)
        if os.waitpid(child, os.WNOHANG)[0]:
            end_session(child)
            world.restore()
            continue
        sent = time.monotonic()
        send = os.killpg if kind == "SIGINT" else os.kill  # a terminal sends it to every process
        send(child, getattr(signal, kind))
        how = ended(waited(child, LIMIT), log, time.monotonic() - sent)
        if how.code == alone.code and how.seconds < 1.5:  # its work was done, and is all there
            cell.faults += left_behind(world, alone)
            end_session(child)
        else:
            _look(cell, how, child, world, alone)
            _again(cell, world, alone)
        break
    else:
        cell.faults.append("not run: it had ended before the signal, six times")
    world.restore()
    cell.seconds = time.monotonic() - began
    return cell


def _look(cell: Cell, how: Ended, child: int, world: World, alone: Usual) -> None:
    """What the signal left: exit code, words, processes, files."""
    until = time.monotonic() + 4
    while session(child) and time.monotonic() < until:
        time.sleep(0.02)
    if left := len(session(child)):
        cell.faults.append(f"{left} processes outlived it")
    end_session(child)
    # The forked process ends by os._exit, so that multiprocessing's tracker reports its semaphores.
    said = [line for line in how.err.splitlines() if line.strip() and "resource_tracker" not in line]
    cell.said = said[-1] if said else ""
    if how.code is None:
        cell.faults.append(f"hangs after {cell.signal}")
    elif how.code != SIGNALS[cell.signal]:
        cell.faults.append(f"exit {how.code}, {how.seconds:.1f} s after {cell.signal}: {cell.said[:200]}")
    elif cell.signal != "SIGKILL" and (
        len(said) != 1 or not said[0].startswith(f"vsr-lab {cell.command.partition(' (')[0]}: ")
    ):
        cell.faults.append(f"{len(said)} lines on stderr: {' / '.join(said)[:800]}")
    changes = world.changes()
    cell.faults += [f"{path} {what}" for path, what in changes.items() if what != "new" and _lost(cell, path)]
    new = [path for path, what in changes.items() if what == "new"]
    if cell.signal != "SIGKILL":
        cell.faults += [f"{p} is left" for p in new if PARTIAL in p and "/store/" not in p][:3]
    foreign = [p for p in new if not p.startswith(("k/", "home", "tmp", "outputs")) and not _VOLATILE.search(p)]
    cell.faults += [f"{path} written elsewhere" for path in foreign[:3]]
    check = lambda: broken_files(world.folder, sorted(new), alone.copy)  # noqa: E731
    cell.faults += forked(check, world.folder, 60, world.folder.parent / "check").out.splitlines()[:3]


def _lost(cell: Cell, path: str) -> bool:
    own = {"footage store": "s/", "train (resumed)": "k/cut/"}.get(cell.command)
    return not path.startswith(("home", "tmp", *([own] if own else [])))


def _again(cell: Cell, world: World, alone: Usual) -> None:
    """Run the same command again, which has to end right and leave what it leaves when it is never stopped."""
    words = COMMANDS[cell.command].split()
    log = world.folder.parent / "again"
    again = forked(lambda: command(words), world.folder, LIMIT, log)
    if cell.command in RESUMED and again.code == 2 and (offer := re.search(r"resume=(\S+?)[,;]?(\s|$)", again.err)):
        again = forked(lambda: command(["train", f"resume={offer[1]}"]), world.folder, LIMIT, log)
    if again.code != alone.code:
        cell.faults.append(f"then: exit {again.code}: {' / '.join(again.err.strip().splitlines()[-2:])[:300]}")
        return
    cell.faults += [f"then: {fault}" for fault in left_behind(world, alone)]


def left_behind(world: World, alone: Usual, also: str = "") -> list[str]:
    """How what is there differs from what the command leaves when it runs alone.

    also: a folder that may be there beside.
    """
    now = _written(world)
    faults = [f"{path} is missing" for path in sorted(alone.files.keys() - now.keys())[:3]]
    more = [path for path in sorted(now.keys() - alone.files.keys()) if not (also and path.startswith(also))]
    faults += [f"{path} is left" for path in more[:3]]
    new = [path for path, what in world.changes().items() if what == "new" and not re.search(_OLD, path)]
    left = [path for path in new if PARTIAL in path or path.endswith(".unfinished")]
    faults += [f"{path} is left" for path in left[:3]]
    common = sorted(path for path in alone.files.keys() & now.keys() if not path.startswith("gone: "))
    same = [path for path in common if path.endswith((".mkv", ".safetensors", ".npy"))]
    other = [path for path in same if (world.folder / path).read_bytes() != (alone.copy / path).read_bytes()]
    faults += [f"{path} differs from an uninterrupted run's" for path in other[:3]]
    check = lambda: broken_files(world.folder, common, alone.copy)  # noqa: E731
    return faults + forked(check, world.folder, 60, world.folder.parent / "check").out.splitlines()[:3]


def run(names: list[str], kinds: list[str], moments: list[float], base: bool, box: Path) -> Iterator[Cell]:
    """Every cell, one after the other."""
    world = build(box, BASE if base else ())
    for name in names:
        alone = usual(name, world)
        for kind in kinds:
            for moment in moments:
                yield stop(name, kind, moment, world, alone)


def table(cells: list[Cell]) -> str:
    """Commands by signals: how many of the moments ended right."""
    right = Counter((c.command, c.signal) for c in cells if not c.faults)
    every = Counter((c.command, c.signal) for c in cells)
    kinds = [kind for kind in SIGNALS if any(c.signal == kind for c in cells)]
    rows = [f"| command | {' | '.join(kinds)} |", "|---|" + "---:|" * len(kinds)]
    for name in dict.fromkeys(c.command for c in cells):
        found = [f"{right[name, kind]} of {every[name, kind]}" for kind in kinds]
        rows.append(f"| {name} | {' | '.join(found)} |")
    return "\n".join(rows)


def main() -> int:
    """Print a line for each cell that is wrong and the table; exit code 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the commands that this regular expression finds")
    parser.add_argument("--signals", default=",".join(SIGNALS))
    parser.add_argument("--moments", default=",".join(map(str, MOMENTS)))
    parser.add_argument("--without-base", action="store_true", help="only commands that need no more than footage")
    parser.add_argument("--out", type=Path, help="a file for the table")
    asked = parser.parse_args()
    import_everything()
    names = [n for n in (WITHOUT_BASE if asked.without_base else COMMANDS) if re.search(asked.only, n)]
    moments = [float(moment) for moment in asked.moments.split(",")]
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory(prefix="killing-") as folder, environment(Path(folder)):
        for cell in run(names, asked.signals.split(","), moments, not asked.without_base, Path(folder)):
            cells.append(cell)
            verdict = "; ".join(cell.faults) or "right"
            print(f"{cell.command:16} {cell.signal:8} {cell.moment:.2f} {cell.seconds:5.1f} s  {verdict}", flush=True)
    print(table(cells))
    if asked.out:
        asked.out.write_text(table(cells) + "\n", encoding="utf-8")
    return 1 if any(cell.faults for cell in cells) else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
