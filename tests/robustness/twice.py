"""Two of everything on one folder at once: python -m tests.robustness.twice.

One ends right, or both do. The other is refused in one sentence, and nothing is damaged.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.mistakes.processes import Ended, command, end_session, ended, import_everything, session, start, waited
from tests.mistakes.world import World, environment
from tests.robustness.killing import COMMANDS, LIMIT, Usual, build, left_behind, usual

SHARES = (0.0, 0.4)  # when the second is started: of the first one's usual time
_OTHERS = {  # what runs beside a command, where that is not the same command
    "train": ["train", "train overwrite", "prune"],
    "upscale": ["upscale", "upscale elsewhere"],
    "upscale (a folder)": ["upscale (a folder)", "upscale (a folder, two workers)"],
    "footage index": ["footage index", "footage index (one output)"],
}
_LINES = {
    **COMMANDS,
    "train overwrite": COMMANDS["train"] + " overwrite=true",
    "prune": "footage store root=k/store prune=true",
    "upscale elsewhere": COMMANDS["upscale"].replace("k/run", "k/other"),
    "resume": "train resume=k/run",
    "footage index (one output)": "footage index root=hr scans=k/scans output=k/run/manifest.csv",
}
_TRIED = (
    "train", "resume", "evaluate", "export", "upscale", "footage render", "footage store", "footage degrade",
    "upscale (a folder)", "footage index", "vote", "compare", "compare (two videos)", "select", "footage sample",
    "footage leaks", "footage check", "recommend", "demo",
)  # fmt: skip


@dataclass
class Pair:
    """Two commands at once. faults: what was wrong."""

    first: str
    second: str
    share: float
    codes: tuple[int | None, ...] = ()
    said: str = ""
    faults: list[str] = field(default_factory=list)


def both(pair: Pair, world: World, alone: Usual) -> Pair:
    """Run a pair, judge what became of it, and put the world back."""
    box = world.folder.parent
    if pair.first == "resume" and not _stopped(world, alone):
        pair.faults.append("not run: the training had ended before it was stopped")
        return pair
    children = [_start(pair.first, world, box / "first")]
    time.sleep(alone.seconds * pair.share)
    if pair.second == "prune":
        _wait_for(world.folder / "k/store")
    children.append(_start(pair.second, world, box / "second"))
    logs = (box / "first", box / "second")
    how = [ended(waited(child, LIMIT), log, 0.0) for child, log in zip(children, logs, strict=True)]
    pair.codes = tuple(one.code for one in how)
    _judge(pair, how, alone)
    time.sleep(0.1)
    if left := sum(len(session(child)) for child in children):
        pair.faults.append(f"{left} processes are left")
    for child in children:
        end_session(child)
    pair.faults += left_behind(world, alone, "k/other" if "elsewhere" in pair.second else "")
    world.restore()
    return pair


def _start(name: str, world: World, log: Path) -> int:
    return start(lambda: command(_LINES[name].split()), world.folder, log)


def _wait_for(folder: Path) -> None:
    until = time.monotonic() + LIMIT
    while not any(folder.glob("*.partial")) and time.monotonic() < until:
        time.sleep(0.001)


def _stopped(world: World, alone: Usual) -> bool:
    """Stop a training after its first checkpoint."""
    child = _start("train", world, world.folder.parent / "stopped")
    until = time.monotonic() + LIMIT
    while not (world.folder / "k/run/checkpoints/last.ckpt").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child, signal.SIGTERM)
    return waited(child, LIMIT) == 143


def _judge(pair: Pair, how: list[Ended], alone: Usual) -> None:
    codes = [one.code for one in how]
    if alone.code not in codes:
        pair.faults.append(f"neither ended right: {codes}: {how[0].err.strip()[-200:]} / {how[1].err.strip()[-200:]}")
    for one in how:
        said = [line for line in one.err.splitlines() if line.strip()]
        if one.code in {0, alone.code}:
            continue
        pair.said = said[-1] if said else ""
        if one.code != 2 or len(said) != 1 or not said[0].startswith("vsr-lab "):
            pair.faults.append(f"exit {one.code}, {len(said)} lines on stderr: {pair.said[:200]}")


def pairs(only: str = "") -> list[Pair]:
    """Every pair that is tried, each with the second at once and later."""
    found = [(name, other) for name in _TRIED for other in _OTHERS.get(name, [name])]
    return [Pair(a, b, s) for a, b in found for s in (SHARES if b != "prune" else (0.0,)) if re.search(only, a)]


def run(tried: list[Pair], world: World) -> list[Pair]:
    """Run pairs; the commands are run alone first."""
    alone: dict[str, Usual] = {}
    for pair in tried:
        name = "train" if pair.first == "resume" else pair.first
        if name not in alone:
            alone = {name: usual(name, world)}  # the copy of one command's files is kept at a time
        both(pair, world, alone[name])
        verdict = "; ".join(pair.faults) or f"right {pair.codes} {pair.said}"
        print(f"{pair.first} + {pair.second} {pair.share}: {verdict}", flush=True)
    return tried


def main() -> int:
    """Print a line for each pair; exit code 1 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the commands that this regular expression finds")
    asked = parser.parse_args()
    import_everything()
    with tempfile.TemporaryDirectory(prefix="twice-") as folder, environment(Path(folder)):
        tried = run(pairs(asked.only), build(Path(folder)))
    print(f"{sum(not pair.faults for pair in tried)} of {len(tried)} pairs right")
    return 1 if any(pair.faults for pair in tried) else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
