"""Lines that are stories: a signal in the middle, two at once, a full disk, a read-only one. Real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.mistakes.lines import DROPPED, Line
from tests.mistakes.processes import Ended, end_session, session, waited
from tests.mistakes.verdict import RIGHT, Verdict, judge
from tests.mistakes.world import World

ROOT = Path(__file__).parents[2]
_EVALUATE = "evaluate suite=folder suite.root=hr protocol=content-x2-bi-y candidate=bicubic " + DROPPED.replace(
    "'", ""
).replace(" ~protocol.metrics.flicker", "")
COMMANDS = {  # what is stopped
    "evaluate": f"{_EVALUATE} run_dir=g3/run",
    "upscale": "upscale bundle=exp/bundle input=long.mp4 output=g3/up.mp4 run_dir=g3/run",
    "export": "export candidate.path=runA/network.safetensors run_dir=g3/run",
    "index": "footage index root=hr scans=scans2 run_dir=g3/run",
    "degrade": "footage degrade root=hr degradation=bi scale=2 run_dir=g3/run",
    "render2": "footage render kind=screen n=4 frames=48 size=[96,160] workers=2 run_dir=g3/run",
}
_CODES = {"SIGINT": {130}, "SIGTERM": {143}, "SIGKILL": {-9}}
Story = Callable[[Line, World, float], tuple[Ended, Verdict]]
_usual: dict[str, float] = {}  # how long a command takes on this machine


class Running:
    """A command line as a process and a session of its own."""

    def __init__(self, text: str, world: World, name: str = "a") -> None:
        self._code: int | None = None
        self.logs = [world.folder.parent / f"event_{name}.{kind}" for kind in ("out", "err")]
        with self.logs[0].open("wb") as out, self.logs[1].open("wb") as err:
            words = [sys.executable, "-m", "vsr_lab", *text.split()]
            self.began = time.monotonic()
            self.process = subprocess.Popen(
                words,
                cwd=world.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},  # of this checkout, wherever the package is installed
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def wait(self, limit: float) -> Ended:
        """How it ended; killed after limit seconds. What it left running stays, for `orphans`."""
        if self._code is None:
            seen = self.process.poll()
            self._code = waited(self.process.pid, limit) if seen is None else seen
            self.process.returncode = -9 if self._code is None else self._code  # it was waited for already
        texts = [log.read_text(encoding="utf-8", errors="replace") for log in self.logs]
        return Ended(self._code, texts[0], texts[1], time.monotonic() - self.began)

    def orphans(self, patience: float = 4.0) -> int:
        """How many of its processes are still alive after some seconds; they are killed."""
        until = time.monotonic() + patience
        while session(self.process.pid) and time.monotonic() < until:
            time.sleep(0.05)
        left = len(session(self.process.pid))
        end_session(self.process.pid)
        return left


def run_event(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
    """Act the story that a line's id names."""
    if line.name.startswith("sig_"):
        return _signalled(line, world, limit)
    story = STORIES.get(line.name)
    if story is None:
        return _untold("no story is written for this id")
    return story(line, world, limit)


def _untold(why: str) -> tuple[Ended, Verdict]:
    return Ended(None, "", "", 0.0), Verdict("not run", why)


def _signalled(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
    """Stop a command after part of its usual time, then run it again."""
    *words, kind, number = line.name.removeprefix("sig_").split("_")
    late = "late" in words
    name = words[0]
    if name not in COMMANDS:
        return _untold(f"{name} is not among the commands that are stopped")
    usual = _usual_time(name, world, limit)
    share = 0.92 if late else (0.5, 0.8)[int(number) % 2]
    for attempt in range(3):
        running = Running(COMMANDS[name], world)
        time.sleep(usual * share * 0.75**attempt)
        running.process.send_signal(getattr(signal, kind))
        ended = running.wait(limit)
        orphans = running.orphans()
        if ended.code != 0 and not _is_done(world):
            return ended, _after_stop(line, world, limit, kind, ended, orphans, COMMANDS[name])
        world.restore()
    return _untold("the command had ended before the signal, three times")


def _is_done(world: World) -> bool:
    """Whether the run had ended, and the process was only on its way out."""
    run = world.folder / "g3/run"
    return (run / "config.yaml").is_file() and not (run / ".unfinished").exists()


def _usual_time(name: str, world: World, limit: float) -> float:
    if name not in _usual:
        running = Running(COMMANDS[name], world)
        _usual[name] = running.wait(limit).seconds
        running.orphans()
        world.restore()
    return _usual[name]


def _after_stop(line: Line, world: World, limit: float, kind: str, ended: Ended, orphans: int, text: str) -> Verdict:
    """What a stop left: exit code, words, processes, files, and whether the same command then ends right."""
    changes = world.changes()
    lost = [path for path, what in changes.items() if what != "new"]
    if lost:
        return Verdict("data loss", f"{lost[0]} {changes[lost[0]]}")
    if ended.code is None:
        return Verdict("hang", f"not ended {limit:.0f} s after {kind}")
    if orphans:
        return Verdict("hang", f"{orphans} processes outlived the command")
    if ended.code not in _CODES[kind]:
        return Verdict("wrong message", f"exit {ended.code} after {kind}")
    said = [row for row in ended.err.splitlines() if row.strip()]
    if kind != "SIGKILL" and (len(said) != 1 or not said[0].startswith("vsr-lab ")):
        return Verdict("wrong message", f"{len(said)} lines on stderr")
    if kind != "SIGKILL" and (partial := _partial(world)):
        return Verdict("leftovers", f"{partial} left behind")
    again = Running(text, world)
    second = again.wait(limit)
    if again.orphans():
        return Verdict("hang", "processes outlived the second run")
    if second.code != 0:
        last = second.err.strip().splitlines()[-1:] or [""]
        return Verdict("wrong message", f"the same command then: exit {second.code}: {last[0]}")
    partial = _partial(world)
    return Verdict("leftovers", f"{partial} never swept") if partial else Verdict(RIGHT)


def _partial(world: World) -> str:
    return next((path for path, what in world.changes().items() if what == "new" and ".partial" in path), "")


def _while_written(text: str) -> Story:
    """SIGTERM as soon as something is written under a temporary name."""

    def story(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
        running = Running(text, world)
        until = time.monotonic() + limit
        while not any((world.folder / "g3").rglob(".*partial*")):
            if running.process.poll() is not None or time.monotonic() > until:
                running.orphans()
                return _untold("nothing was seen under a temporary name")
            time.sleep(0.002)
        running.process.send_signal(signal.SIGTERM)
        ended = running.wait(limit)
        orphans = running.orphans()
        return ended, _after_stop(line, world, limit, "SIGTERM", ended, orphans, text)

    return story


def _two_resumes(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
    """A second resume of a run that is being resumed: refused, and the first goes on."""
    curve = world.folder / "conc/metrics.csv"
    before = curve.stat().st_mtime_ns
    first = Running("train resume=conc", world, "a")
    until = time.monotonic() + limit
    while curve.stat().st_mtime_ns == before and first.process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    if first.process.poll() is not None:
        ended = first.wait(1)
        return ended, Verdict("not run", f"the first resume ended at once: {ended.err.strip()[-200:]}")
    second = Running("train resume=conc", world, "b")
    ended = second.wait(limit)
    alive = first.process.poll() is None
    first.process.send_signal(signal.SIGTERM)
    first.wait(limit)
    left = first.orphans() + second.orphans()
    if ended.code is None or ended.code == 0:
        return ended, Verdict("data loss", "both trained into one folder")
    if not alive:
        return ended, Verdict("data loss", "the second ended the first")
    return ended, _refused(line, ended, left, "conc")


def _two_upscales(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
    """Two upscales to one output at once: one writes it, the other is refused."""
    text = "upscale bundle=exp/bundle input=long.mp4 output=g3/up.mp4 run_dir=g3/run"
    both = [Running(text + name, world, name) for name in "ab"]
    ended = [running.wait(limit) for running in both]
    left = sum(running.orphans() for running in both)
    if [e.code for e in ended] == [0, 0]:
        return ended[1], Verdict("data loss", "the second replaced the first's file")
    loser = next(e for e in ended if e.code != 0)
    return loser, _refused(line, loser, left, "up.mp4")


def _refused(line: Line, ended: Ended, orphans: int, name: str) -> Verdict:
    heard = Line(line.name, line.command, "", frozenset({2}), (name,))
    return judge(heard, ended, {}, orphans)


@contextmanager
def _disk(folder: Path, options: str) -> Generator[bool]:
    """A small file system at folder; False where this process may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _on_disk(text: str, options: str, *words: str, codes: tuple[int, ...] = (2,)) -> Story:
    """Run a command with a file system of these options at tiny/."""

    def story(line: Line, world: World, limit: float) -> tuple[Ended, Verdict]:
        with _disk(world.folder / "tiny", options) as mounted:
            if not mounted:
                return _untold("needs root, to mount a small file system")
            running = Running(text, world)
            ended = running.wait(limit)
            orphans = running.orphans()
            left = [p for p in (world.folder / "tiny").rglob("*") if p.is_file()] if "ro" not in options else []
        heard = Line(line.name, line.command, "", frozenset(codes), words)
        verdict = judge(heard, ended, {}, orphans)
        if verdict.kind == RIGHT and left:
            return ended, Verdict("leftovers", f"{left[0].name} left behind")
        if verdict.kind == RIGHT and ended.code == 0 and not any(w in ended.out + ended.err for w in words):
            return ended, Verdict("silent", "no word of it")
        return ended, verdict

    return story


_TINY_TRAINING = (
    "train content=mixed data.root=hr data.store=tiny/s data.size=32 data.clip_frames=3 data.workers=0 "
    "data.batch_size=1 trainer.max_steps=2 validation.every=2 validation.size=32 validation.frames=3 save_every=2 "
    "logger=none model.channels=8 model.blocks=1 data.hold_out=0.3 run_dir=g3/run"
)
STORIES: dict[str, Story] = {
    "H_up_SIGTERM": _while_written(COMMANDS["upscale"]),
    "H_deg_SIGTERM": _while_written(COMMANDS["degrade"]),
    "H_exp_SIGTERM": _while_written(COMMANDS["export"]),
    "CC_two_resumes": _two_resumes,
    "CC_upscale": _two_upscales,
    "DF_evaluate40": _on_disk(f"{_EVALUATE} run_dir=tiny/run", "size=40k", "tiny/run"),
    "DF_compare": _on_disk("compare runs=[ev/bicubic,ev/ckpt] run_dir=tiny/run", "size=40k", "tiny/run"),
    "RO_train": _on_disk(_TINY_TRAINING, "ro", "read-only", "permission", "cannot be written"),
    "RO_upscale": _on_disk(COMMANDS["upscale"].replace("g3/up", "tiny/u"), "ro", "tiny/u.mp4"),
    "RO_index": _on_disk("footage index root=hr scans=scans output=tiny/a.csv run_dir=g3/run", "ro", "tiny/a.csv"),
    "RO_scans": _on_disk(
        "footage index root=hr scans=tiny/scans run_dir=g3/run",
        "ro",
        "ead-only",
        "cannot be",
        "not cached",
        codes=(0, 2),
    ),
}
