"""Rendering of clips to lossless files with a manifest, in several processes."""

import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, inside, remove_abandoned
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.workers import begin_worker, count_frame
from vsr_lab.footage.tables import read_rows, write_rows
from vsr_lab.synthesis.kinds import Kind, Size
from vsr_lab.video import VideoWriter


def _check_least(key: str, value: int, least: int) -> None:
    if value < least:
        raise UserError(key, f"must be >= {least}, got {value}")


@dataclass(frozen=True)
class RenderPlan:
    """Which clips to render: `n` clips of a kind, with the seeds seed..seed+n-1.

    Args:
        kind: kind of footage.
        seed: seed of the first clip.
        n: number of clips.
        frames: frames per clip.
        size: height and width of HR in pixels.
        scale: ratio of HR size to LR size. LR is rendered at its own resolution, not downscaled; None: HR only.
        split: value of the column `split` of the manifest.

    Raises:
        UserError: a value is out of range, or size is not a multiple of scale.
    """

    kind: Kind
    n: int
    frames: int
    size: Size
    seed: int = 0
    scale: int | None = None
    split: str = "train"

    def __post_init__(self) -> None:
        for key, value, least in (("n", self.n, 1), ("frames", self.frames, 1), ("seed", self.seed, 0)):
            _check_least(key, value, least)
        if self.scale is not None and self.scale < 2:
            raise UserError("scale", f"must be >= 2, got {self.scale}", "set scale=null to write no LR")
        if self.scale and (self.size[0] % self.scale or self.size[1] % self.scale):
            near = [max(1, round(side / self.scale)) * self.scale for side in self.size]
            problem = f"must be multiples of scale={self.scale}, got {list(self.size)}"
            raise UserError("size", problem, f"set size=[{near[0]},{near[1]}]")


@dataclass(frozen=True)
class _Job:
    """One file to write."""

    path: Path
    kind: Kind
    seed: int
    frames: int
    size: Size
    zoom: float


def write_rendered(folder: Path, plan: RenderPlan, workers: int) -> dict[str, Path]:
    """Render clips to folder/hr and, if there is a scale, their LR versions to folder/lr, with a manifest for each.

    Existing files are kept, so an interrupted render can be continued. The files do not depend on the number of
    workers.

    Args:
        folder: folder to write to.
        plan: the clips.
        workers: number of processes.

    Returns:
        Paths of the manifests: "manifest" -> manifest of HR, and "lr" -> manifest of LR if a scale is given.

    Raises:
        UserError: the clips cannot be rendered.
    """
    _check_least("workers", workers, 1)
    kind, frames, size, scale = plan.kind, plan.frames, plan.size, plan.scale
    seeds = range(plan.seed, plan.seed + plan.n)
    facts = {f"{kind.name}_{seed:05d}": kind.facts(seed, frames, size) for seed in seeds}  # before anything is written
    high, low = kind.zooms(scale or 1)
    sides = {"hr": (size, high)}
    if scale:
        sides["lr"] = ((size[0] // scale, size[1] // scale), low)
    jobs = [
        _Job(inside(folder, f"{side}/{name}.mkv"), kind, seed, frames, pixels, zoom)
        for side, (pixels, zoom) in sides.items()
        for seed, name in zip(seeds, facts, strict=True)
    ]
    _render_all([job for job in jobs if not job.path.exists()], workers)
    written = {"manifest": folder / "manifest.csv", **({"lr": folder / "lr" / "manifest.csv"} if scale else {})}
    for manifest, below in zip(written.values(), ("hr/", ""), strict=False):
        window = {"split": plan.split, "start": 0, "stop": frames}
        rows = {name: {"name": name, "path": f"{below}{name}.mkv", **window, **fact} for name, fact in facts.items()}
        # Cells and rows that a person added are kept, and so are the rows of other clips.
        kept = read_rows(manifest) if manifest.exists() else []
        names = {row.get("name") for row in kept}
        new = [row for name, row in rows.items() if name not in names]
        write_rows(manifest, [*(rows.get(row.get("name", ""), {}) | row for row in kept), *new])
    return written


def _render_all(jobs: Sequence[_Job], workers: int) -> None:
    total = sum(job.frames for job in jobs)
    with progress_bar("rendering", total, "frames") as update:
        if workers == 1 or len(jobs) < 2:
            for job in jobs:
                for _ in _frames_written(job):
                    update(advance=1)
            return
        context = multiprocessing.get_context("spawn")  # forking a process with threads, such as OpenCV's, may hang it
        done = context.Value("l", 0)
        others = {*multiprocessing.active_children()}
        pool = ProcessPoolExecutor(min(workers, len(jobs)), context, begin_worker, (done,))
        try:
            futures = _submitted(pool, jobs)
            while not all(future.done() and _succeeded(future) for future in futures):
                time.sleep(0.1)
                update(completed=done.value)
            pool.shutdown()
        except BaseException:
            for worker in {*multiprocessing.active_children()} - others:
                worker.kill()
            pool.shutdown(cancel_futures=True)
            for job in jobs:
                remove_abandoned(job.path)
            raise


def _submitted(pool: ProcessPoolExecutor, jobs: Sequence[_Job]) -> "list[Future[None]]":
    """Start the processes with SIGINT blocked, since Ctrl-C reaches them too, but this process must end them."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(_write, job) for job in jobs]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _succeeded(future: "Future[None]") -> bool:
    """Return True, or raise the exception of the other process."""
    future.result()
    return True


def _write(job: _Job) -> None:
    cv2.setNumThreads(1)
    for _ in _frames_written(job):
        count_frame()


def _frames_written(job: _Job) -> Iterator[None]:
    """Write a file, atomically; yield after every frame."""
    rate = job.kind.rate
    with (
        atomic_path(job.path) as temporary,
        VideoWriter(temporary, job.size, Fraction(rate)) as writer,
    ):
        for t, picture in enumerate(job.kind.pictures(job.seed, job.frames, job.size, job.zoom)):
            writer.write(picture[np.newaxis], [t / rate])
            yield
