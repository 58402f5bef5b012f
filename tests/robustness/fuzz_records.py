"""Damaged records read by the commands that read them: python -m tests.robustness.fuzz_records --count 500.

Each is refused in one sentence that names it, or read. Anything else is wrong: a traceback, a crash, a hang, a report
of a defect, memory without a bound, a file that is lost.
"""

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.mistakes.lines import FEW
from tests.mistakes.processes import Ended, command, forked, import_everything
from tests.mistakes.world import World, environment, snapshot
from tests.robustness import mutations
from tests.robustness.killing import BASE, build, stopped

LIMIT = 30.0  # seconds for one command
MEMORY = 3 << 30  # bytes that one command may take beside what it has when it begins
Damage = Callable[[Path, np.random.Generator], None]
_FEW = FEW.replace("'", "")
_EVALUATE = f"evaluate suite=folder suite.root=hr suite.frames=0:2 protocol=content-x2-bi-y run_dir=k/run {_FEW}"


@dataclass(frozen=True)
class Kind:
    """A record: where it is, how it is damaged, which commands read it. named: what their messages have to name."""

    path: str
    damages: tuple[Damage, ...]
    commands: tuple[str, ...]
    named: tuple[str, ...]


_FOLDER = "upscale bundle=exp/bundle input=hr output=large preset=archive backend=onnxruntime"
_JSON = (mutations.in_json, mutations.in_json, mutations.raw)
_SQLITE = (mutations.in_sqlite, mutations.in_sqlite, mutations.raw)
_JOB = "upscale bundle=exp/bundle input=long.mp4 output=job/up.mkv codec=ffv1 segment=3 backend=onnxruntime"
_WEIGHTS = f"{_EVALUATE} candidate=checkpoint candidate.path=runA/network.safetensors"
KINDS = {
    "summary.json": Kind(
        "ev/ckpt/summary.json",
        _JSON,
        ("compare runs=[ev/bicubic,ev/ckpt] run_dir=k/run", "select runs=[ev/bicubic,ev/ckpt] run_dir=k/run"),
        ("ev/ckpt",),
    ),
    "frames.parquet": Kind(
        "ev/ckpt/frames.parquet",
        (mutations.in_parquet, mutations.raw),
        ("compare runs=[ev/bicubic,ev/ckpt] run_dir=k/run", "select runs=[ev/bicubic,ev/ckpt] run_dir=k/run"),
        ("ev/ckpt",),
    ),
    "manifest.csv": Kind(
        "idx/manifest.csv",
        (mutations.in_table, mutations.in_table, mutations.raw),
        (
            "footage leaks root=idx/manifest.csv scans=scans run_dir=k/run",
            "footage sample root=idx/manifest.csv n=1 scans=scans run_dir=k/run",
            "footage degrade root=idx/manifest.csv degradation=bi scale=2 frames=0:2 run_dir=k/run",
        ),
        ("idx/", "hr/", "column", "clip", "not found"),  # a row may name footage that is not there
    ),
    "scan": Kind(
        "scans",
        (mutations.raw,),
        ("footage leaks root=idx/manifest.csv scans=scans run_dir=k/run",),
        ("scans/", "hr/"),
    ),
    "network.safetensors": Kind(
        "runA/network.safetensors",
        (mutations.in_header, mutations.in_header, mutations.raw),
        (_WEIGHTS,),
        ("runA/network.safetensors",),
    ),
    "step.onnx": Kind(
        "exp/bundle/step.onnx",
        (mutations.in_onnx, mutations.in_onnx, mutations.raw),
        (f"{_EVALUATE} candidate=onnx candidate.path=exp/bundle/step.onnx",),
        ("exp/bundle/step.onnx", " step: "),
    ),
    "bundle": Kind(
        "exp/bundle",
        (mutations.in_bundle,),
        ("upscale bundle=exp/bundle input=in.mp4 output=k/up.mp4 run_dir=k/run",),
        ("exp/bundle",),
    ),
    "config.yaml": Kind(
        "runA/config.yaml",
        (mutations.in_yaml, mutations.in_yaml, mutations.raw),
        ("train resume=runA",),
        ("runA",),
    ),
    "last.ckpt": Kind("runA/checkpoints/last.ckpt", (mutations.raw,), ("train resume=runA",), ("runA",)),
    "stored clip": Kind(
        "store",
        (mutations.raw,),
        ("footage store root=store verify=true", "footage store root=store prune=true"),
        ("store",),
    ),
    "selection.json": Kind(
        "sel/selection.json",
        _JSON,
        (
            "export candidate.path=runA/network.safetensors selection=sel/selection.json run_dir=k/run",
            "recommend in.mp4 n=1 selection=sel/selection.json bundles=exp scans=scans run_dir=k/run",
            "upscale bundle=auto selection=sel/selection.json bundles=exp input=in.mp4 output=k/up.mp4",
            "inspect sel/selection.json",
        ),
        ("sel/", "exp", "in.mp4", "runA/network.safetensors"),  # a selection may choose what is not there
    ),
    "votes.json": Kind(
        "votes.json",
        _JSON,
        ("select runs=[ev/bicubic,ev/ckpt] votes=votes.json run_dir=k/run", "inspect votes.json"),
        ("votes.json",),
    ),
    "votes.sqlite": Kind(
        "votes.sqlite",
        _SQLITE,
        ("vote runs=[ev/bicubic,ev/ckpt] database=votes.sqlite serve=false run_dir=k/run",),
        ("votes.sqlite",),
    ),
    "ledger.sqlite": Kind(
        "large/ledger.sqlite",
        _SQLITE,
        (_FOLDER,),
        ("large/",),
    ),
    "provenance": Kind(
        "up.mkv.provenance.json",
        _JSON,
        ("provenance up.mkv original=long.mp4 pair=k/pair.json", "provenance up.mkv", "inspect up.mkv"),
        ("up.mkv", "long.mp4"),
    ),
    "parity.json": Kind(
        "exp/bundle",
        (mutations.in_parity,),
        ("bundle verify exp/bundle", "upscale bundle=exp/bundle input=in.mp4 output=k/up.mp4"),
        ("exp/bundle",),
    ),
    "job.json": Kind(
        "job/up.mkv.segments/job.json",
        _JSON,
        (_JOB,),
        ("job/up.mkv",),
    ),
}


@dataclass
class Outcome:
    """One damaged record and how a command ended on it. fault: empty where it is right."""

    number: int
    kind: str
    damage: str
    line: str
    ended: Ended
    fault: str = field(default="")


def fuzz(world: World, count: int, seed: int, only: str = "") -> Iterator[Outcome]:
    """`count` damaged records, the same for the same seed, kinds in turn."""
    names = [name for name in KINDS if re.search(only, name)]
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        kind = KINDS[name]
        damage = kind.damages[number // len(names) % len(kind.damages)]
        line = kind.commands[int(rng.integers(len(kind.commands)))]
        box = world.folder.parent
        made = forked(lambda: _damage(world.folder / kind.path, damage, rng), world.folder, LIMIT, box / "damage")  # noqa: B023
        if made.code != 0:
            raise RuntimeError(f"{name} {damage.__name__} {number}: {made.err}")
        before = world.changes()
        ended = forked(lambda: _bounded(line), world.folder, LIMIT, box / "line")  # noqa: B023
        outcome = Outcome(number, name, damage.__name__, line, ended)
        outcome.fault = _fault(outcome, kind, {p: w for p, w in world.changes().items() if before.get(p) != w})
        world.restore()
        yield outcome


def _damage(path: Path, damage: Damage, rng: np.random.Generator) -> int:
    """Damage a file or a bundle, or one of the files of another folder."""
    if path.is_dir() and damage not in (mutations.in_bundle, mutations.in_parity):
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        path = files[int(rng.integers(len(files)))]
    damage(path, rng)
    return 0


def _bounded(line: str) -> int:
    """Run a command that may not take much more memory than it has now."""
    sizes = Path("/proc/self/status").read_text(encoding="utf-8")
    now = next(int(row.split()[1]) << 10 for row in sizes.splitlines() if row.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (now + MEMORY, now + MEMORY))
    return command(line.split())


def _fault(outcome: Outcome, kind: Kind, changes: dict[str, str]) -> str:
    ended = outcome.ended
    said = [line for line in ended.err.splitlines() if line.strip()]
    last = said[-1][:300] if said else ""
    own = ("k/", "home", "tmp", "scans", "store", "runA", "large", "job")  # what the commands may write
    lost = [path for path, what in changes.items() if what != "new" and not path.startswith(own)]
    if lost:
        return f"{lost[0]} {changes[lost[0]]}"
    if ended.code is None:
        return f"hangs: {last}"
    if ended.code not in {0, 1, 2, 3}:  # 3: some of several files were refused
        return f"exit {ended.code}: {last}"
    if ended.code == 0:
        return f"{len(said)} lines on stderr: {last}" if any("Traceback" in line for line in said) else ""
    if len(said) != 1 or not last.startswith("vsr-lab "):
        return f"{len(said)} lines on stderr: {last}"
    named = ended.code != 2 or any(name in last for name in kind.named)
    return "" if named else f"names no file: {last}"


def _world(box: Path) -> World:
    """A world with every record, also that of an upscaling which was stopped."""
    world = build(box, [*BASE, _FOLDER])
    stopped(_JOB, world, "job/*.segments/*2.packets", signal.SIGKILL)
    subprocess.run(["cp", "-a", "-T", world.folder / "job", world.whole / "job"], check=True)
    world.state = snapshot(world.folder)
    return world


def main() -> int:
    """Print what is wrong and the counts; exit code 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="the kinds that this regular expression finds")
    parser.add_argument("--table", action="store_true", help="print every message")
    asked = parser.parse_args()
    import_everything()
    tally: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, environment(Path(folder)):
        world = _world(Path(folder))
        for found in fuzz(world, asked.count, asked.seed, asked.only):
            read = {0: "read", 1: "judged", 2: "refused", 3: "judged"}.get(found.ended.code or 0, "wrong")
            tally.setdefault(found.kind, Counter())["wrong" if found.fault else read] += 1
            if found.fault or asked.table:
                words = found.fault or found.ended.err.strip()[-200:]
                print(f"{found.number} {found.kind} {found.damage} [{found.line[:30]}]: {words}", flush=True)
    for kind, counts in [*tally.items(), ("all", sum(tally.values(), Counter[str]()))]:
        print(f"{kind:20}", " ".join(f"{name} {counts[name]:4}" for name in ("read", "judged", "refused", "wrong")))
    return 1 if any(counts["wrong"] for counts in tally.values()) else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
