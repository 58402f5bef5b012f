"""Rendered clips to lossless files, by several processes, with a manifest."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import cv2
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vsr_lab.core.errors import UserError, check_range
from vsr_lab.core.files import atomic_path
from vsr_lab.footage.manifest import write_manifest
from vsr_lab.synthesis.kinds import Kind, Size
from vsr_lab.video import VideoWriter


@dataclass(frozen=True)
class _Job:
    """One file to make."""

    path: Path
    kind: Kind
    seed: int
    frames: int
    size: Size
    zoom: float


def write_rendered(
    folder: Path, kind: Kind, n: int, frames: int, size: Size, seed: int, scale: int | None, split: str, workers: int
) -> dict[str, Path]:
    """Clips of seeds seed..seed+n-1 into folder/hr, a manifest beside it; with scale their native twins in folder/lr.

    Files that are there are kept, so a render that was cut short goes on where it was. Bytes do not depend on workers.
    Returns the manifests: "manifest", and "lr" where there is one. Raises UserError for what cannot be rendered.
    """
    _check(n, frames, size, seed, scale, workers)
    names = [f"{kind.name}_{seed + i:05d}" for i in range(n)]
    facts = [kind.facts(seed + i, frames, size) for i in range(n)]  # before anything is written
    high, low = kind.zooms(scale or 1)
    jobs = [_Job(folder / "hr" / f"{name}.mkv", kind, seed + i, frames, size, high) for i, name in enumerate(names)]
    if scale:
        small = (size[0] // scale, size[1] // scale)
        jobs += [_Job(folder / "lr" / job.path.name, kind, job.seed, frames, small, low) for job in jobs]
    _render_all([job for job in jobs if not job.path.exists()], workers)
    shared = [{"split": split, "start": 0, "stop": frames, **fact} for fact in facts]
    written = {"manifest": folder / "manifest.csv"}
    rows = [{"name": name, "path": f"hr/{name}.mkv", **row} for name, row in zip(names, shared, strict=True)]
    write_manifest(written["manifest"], rows)
    if scale:
        written["lr"] = folder / "lr" / "manifest.csv"
        rows = [{"name": name, "path": f"{name}.mkv", **row} for name, row in zip(names, shared, strict=True)]
        write_manifest(written["lr"], rows)
    return written


def _check(n: int, frames: int, size: Size, seed: int, scale: int | None, workers: int) -> None:
    for key, value, least in (("n", n, 1), ("frames", frames, 1), ("seed", seed, 0), ("workers", workers, 1)):
        check_range(key, value, least)
    if scale is not None and scale < 2:
        raise UserError("scale", f"{scale} is under 2", "say scale=2, or leave it out for no LR")
    if scale and (size[0] % scale or size[1] % scale):
        near = [max(1, round(side / scale)) * scale for side in size]
        raise UserError("size", f"{list(size)} does not divide by scale {scale}", f"say size=[{near[0]},{near[1]}]")


def _render_all(jobs: Sequence[_Job], workers: int) -> None:
    total = sum(job.frames for job in jobs)
    columns = TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn()
    with Progress(*columns) as bar:
        task = bar.add_task("", total=total)
        if workers == 1 or len(jobs) < 2:
            for job in jobs:
                for _ in _frames_written(job):
                    bar.advance(task)
            return
        context = get_context("spawn")  # forking a process with threads, as OpenCV's or torch's, may hang it
        done = context.Value("l", 0)
        with ProcessPoolExecutor(min(workers, len(jobs)), context, _begin, (done,)) as pool:
            futures = [pool.submit(_write, job) for job in jobs]
            try:
                while not all(future.done() and _raised(future) for future in futures):
                    time.sleep(0.1)
                    bar.update(task, completed=done.value)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        bar.update(task, completed=total)


def _raised(future: "Future[None]") -> bool:
    """True; raises what went wrong in the other process."""
    future.result()
    return True


_done: "Synchronized[int]"


def _begin(done: "Synchronized[int]") -> None:
    global _done  # noqa: PLW0603  a worker process counts its frames here for the whole of its life
    _done = done
    cv2.setNumThreads(1)


def _write(job: _Job) -> None:
    for _ in _frames_written(job):
        with _done.get_lock():
            _done.value += 1


def _frames_written(job: _Job) -> Iterator[None]:
    """Write the job's file, in one step at its end; yields once a frame."""
    rate = job.kind.rate
    with (
        atomic_path(job.path) as temporary,
        VideoWriter(temporary, job.size, Fraction(rate), "ffv1", "bgr0") as writer,
    ):
        for t, picture in enumerate(job.kind.pictures(job.seed, job.frames, job.size, job.zoom)):
            writer.write(picture[np.newaxis], [t / rate])
            yield
