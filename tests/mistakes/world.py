"""The folder in which the lines are run: footage, runs, bundles, and damaged and hostile copies of them.

`BASE` is made by vsr-lab itself; `copies.COPIES` says how every other name is made of that.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.mistakes.copies import COPIES
from tests.mistakes.lines import DROPPED, TINY
from tests.mistakes.processes import command, forked
from tests.mistakes.records import write_records

CACHES = ("store", "store2", "scans", "home", "tmp")  # what any command may fill

_EVALUATION = "suite=folder suite.root=hr suite.frames=0:4 protocol=content-x2-bi-y"
_METRICS = DROPPED.replace("'", "").replace(" ~protocol.metrics.flicker", "")  # the gates need flicker and psnr
BASE = [  # commands that make what the copies are made of
    f"train {TINY} content=mixed data.root=hr data.store=store run_dir=runA",
    f"evaluate {_EVALUATION} save_frames=2 candidate=bicubic {_METRICS} run_dir=ev/bicubic",
    f"evaluate {_EVALUATION} save_frames=2 candidate=checkpoint candidate.path=runA/network.safetensors {_METRICS} "
    "run_dir=ev/ckpt",
    "export candidate.path=runA/network.safetensors run_dir=exp",
    "footage degrade root=hr degradation=bi scale=2 clips=[c1,c2] run_dir=deg",
    "footage index root=hr run_dir=idx scans=scans",
    "upscale bundle=exp/bundle input=in.mp4 output=made.mkv backend=onnxruntime run_dir=r/made",
]


@dataclass
class World:
    """A folder with everything that lines name, its untouched twin, and what could not be made."""

    folder: Path
    whole: Path
    missing: dict[str, str] = field(default_factory=dict)
    state: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def changes(self) -> dict[str, str]:
        """path -> "new", "changed" or "gone", of everything that is not as it was; folders only where new."""
        now = snapshot(self.folder)
        found = dict.fromkeys(now.keys() - self.state.keys(), "new")
        found |= dict.fromkeys(self.state.keys() - now.keys(), "gone")
        for path in now.keys() & self.state.keys():
            if now[path] != self.state[path] and not _same(self.folder / path, self.whole / path):
                found[path] = "changed"
        return found

    def restore(self) -> None:
        """Put everything back as it was."""
        now = snapshot(self.folder)
        for path in sorted(now.keys() - self.state.keys(), reverse=True):
            _remove(self.folder / path)
        for path, old in sorted(self.state.items()):
            if now.get(path) == old:
                continue
            if path in now:
                _remove(self.folder / path)
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", "-T", self.whole / path, self.folder / path], check=True)
        self.state = snapshot(self.folder)


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """path relative to folder -> what changes when the file does; of folders only that they are there."""
    found: dict[str, tuple[int, ...]] = {}
    places = [str(folder)]
    while places:
        with contextlib.suppress(OSError), os.scandir(places.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                name = os.path.relpath(entry.path, folder)
                if entry.is_dir(follow_symlinks=False):
                    found[name] = (status.st_mode,)
                    places.append(entry.path)
                else:
                    found[name] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ino)
    return found


def _same(a: Path, b: Path) -> bool:
    if a.is_symlink() or b.is_symlink() or not (a.is_file() and b.is_file()):
        return a.is_dir() and b.is_dir()
    return a.read_bytes() == b.read_bytes()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def environment(box: Path) -> Generator[None]:
    """HOME, TMPDIR and what libraries write on their own, inside box."""
    world = box / "world"
    kept = dict(os.environ)
    os.environ.update(HOME=str(world / "home"), TMPDIR=str(world / "tmp"), WANDB_MODE="offline", COLUMNS="200")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", "HYDRA_FULL_ERROR"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def build_world(box: Path, report: Callable[[str], None] = print) -> World:
    """Make the world in box. What cannot be made is reported and listed in `missing`, never passed over in silence."""
    folder = box / "world"
    for name in ("r", "o", "g3", "home", "tmp", "bad", "fx"):
        (folder / name).mkdir(parents=True)
    world = World(folder, box / "whole")

    def attempt(name: str, work: Callable[[], int]) -> None:
        ended = forked(work, folder, 300, box / "building")
        if ended.code != 0:
            last = (ended.err or ended.out).strip().splitlines() or [f"exit {ended.code}"]
            world.missing[name] = last[-1]
            report(f"NOT MADE {name}: {last[-1]}")

    attempt("hr", lambda: write_footage(folder))
    for line in BASE:
        words = line.split()
        names = words[-1] if "run_dir" in words[-1] else words[-2]
        attempt(names.partition("=")[2], lambda words=words: command(words))
    attempt("votes.sqlite", lambda: write_records(folder))
    (folder / "lr").mkdir(exist_ok=True)
    for file in (folder / "deg").glob("lr/*.mkv"):
        shutil.copy2(file, folder / "lr")
    attempt("copies", lambda: _copies(folder, box / "missing"))
    if "copies" in world.missing:
        raise RuntimeError(f"the copies could not be made: {world.missing['copies']}")
    for name, why in _missing(box).items():
        world.missing[name] = why
        report(f"NOT MADE {name}: {why}")
    (box / "missing").write_text("".join(f"{n}\t{why}\n" for n, why in world.missing.items()), encoding="utf-8")
    subprocess.run(["cp", "-a", "-T", folder, world.whole], check=True)
    world.state = snapshot(folder)
    return world


def open_world(box: Path) -> World:
    """The world that was built in box, put back as it was. What was missing then is found missing again."""
    world = World(box / "world", box / "whole", _missing(box))
    shutil.rmtree(world.folder)
    subprocess.run(["cp", "-a", "-T", world.whole, world.folder], check=True)
    world.state = snapshot(world.folder)
    return world


def _copies(folder: Path, missing: Path) -> int:
    """Make every copy; what cannot be made, because a format changed, is noted with the reason."""
    notes: list[str] = []
    for name, make in COPIES.items():
        try:
            make(folder, folder / name)
        except Exception as error:
            notes.append(f"{name}\t{type(error).__name__}: {error}".splitlines()[0])
    missing.write_text("\n".join(notes), encoding="utf-8")
    return 0


def _missing(box: Path) -> dict[str, str]:
    lines = (box / "missing").read_text(encoding="utf-8").splitlines()
    return {name: why for name, _, why in (line.partition("\t") for line in lines)}


def write_footage(folder: Path) -> int:
    """hr/c1..c4.mkv: 20 frames of 96 x 80, lossless, of blocks that drift; in.mp4 and long.mp4 to upscale."""
    from tests.encoded import write_encoded
    from vsr_lab.video import VideoWriter

    (folder / "hr").mkdir()
    for number in range(1, 5):
        texture = np.random.default_rng(number).integers(0, 256, (20, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        moving = [np.roll(texture, (t, 2 * t), (0, 1))[:80, :96] for t in range(20)]
        with VideoWriter(folder / f"hr/c{number}.mkv", (80, 96), Fraction(10)) as writer:
            for t, picture in enumerate(moving):
                writer.write(np.ascontiguousarray(picture)[None], [t / 10])
    for name, frames, height, width in (("in.mp4", 10, 40, 48), ("long.mp4", 300, 80, 96)):
        pictures = (np.roll(texture, (t, t), (0, 1))[:height, :width] for t in range(frames))
        write_encoded(folder / name, pictures, np.arange(frames) / 10, rate=Fraction(10))
    return 0
