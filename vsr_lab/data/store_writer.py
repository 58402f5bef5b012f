"""Decoding of footage into a folder, the store, by several threads and before training."""

import math
import shutil
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import Timeout

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.files import make_folder, write_text
from vsr_lab.core.progress import progress_bar, tracked
from vsr_lab.core.run_folder import lock_in
from vsr_lab.data import store
from vsr_lab.data.activity import measure_activity
from vsr_lab.footage.shots import Shot
from vsr_lab.video import read_chunks

_CHUNK = 32  # frames decoded at once
_SAVE_EVERY = 256  # frames that a kill can cost at most; each save waits for the disk
GIB = 2**30


def store_shots(shots: Sequence[Shot], folder: Path, budget_gib: float, workers: int = 1) -> list[store.StoredClip]:
    """Decode shots into files of raw frames. Shots that an earlier call has stored are not decoded again.

    After an interruption, the next call continues where the interrupted call stopped, even in the middle of a clip.
    Only one process writes to the folder at a time; other processes wait.

    Args:
        shots: shots to store.
        folder: folder of decoded frames.
        budget_gib: maximum total size of these shots when decoded, in GiB.
        workers: number of decoding threads.

    Returns:
        The stored clip of each shot, in the same order.

    Raises:
        UserError: a shot cannot be read, or the decoded footage would exceed budget_gib or the free disk space.
    """
    records = _known(shots, folder)
    _check_room(records, folder, budget_gib)  # opens what is not stored: nothing is written before all can be read
    with _alone(folder):
        missing = {
            path: shot
            for shot, record in records.items()
            if not record and not store.read_record(path := store.clip_path(folder, shot))
        }
        if missing:
            _decode_all(missing, workers)
        stale = store.stale_bytes(folder, {store.clip_path(folder, shot) for shot in records})
    if stale:
        size = f"{len(stale)} clips ({sum(stale) / GIB:.2f} GiB) whose source files are missing or have changed"
        print(f"{folder}: holds {size}; vsr-lab footage store {folder} prune=true deletes them")
    return [store.StoredClip(shot.name, store.clip_path(folder, shot), _cuts(shot)) for shot in shots]


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Lock the store. A second process waits, and then finds the clips that the first one has decoded."""
    make_folder(folder)
    lock = lock_in(folder)
    try:
        lock.acquire(timeout=0.1)
    except Timeout:
        print(f"{folder}: another run is building this store; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _cuts(shot: Shot) -> tuple[int, ...]:
    return tuple(cut - shot.start for cut in shot.cuts if cut > shot.start)


def _known(shots: Sequence[Shot], folder: Path) -> dict[Shot, store.Record | None]:
    """Records of the shots that are stored and pass the quick check. The records of damaged clips are deleted."""
    records: dict[Shot, store.Record | None] = {}
    damaged = 0
    for shot in tracked("checking the store", shots, len(shots), shown=len(shots) > 2000):
        path = store.clip_path(folder, shot)
        record = store.read_record(path)
        if record and not store.looks_whole(path, record):
            damaged += 1
            store.record_path(path).unlink()
            record = None
        records[shot] = record
    if damaged:
        print(f"{folder}: {damaged} stored clips were damaged and are decoded again")
    return records


def _check_room(records: dict[Shot, store.Record | None], folder: Path, budget_gib: float) -> None:
    sizes = [math.prod(record.shape) if record else _decoded_bytes(shot) for shot, record in records.items()]
    total = sum(sizes) / GIB
    if total > budget_gib:
        kept = int(np.searchsorted(np.cumsum(sizes), budget_gib * GIB, "right"))
        longest = max(record.shape[0] if record else len(shot) for shot, record in records.items())
        frames = int(longest * budget_gib / total)
        shrink = math.sqrt(total / budget_gib)
        raise UserError(
            "data.budget_gib",
            f"is {budget_gib:g} GiB, but the decoded clips need {total:.3g} GiB",
            f"set data.budget_gib={math.ceil(total)}, or use less footage: the first {kept} of {len(sizes)} clips "
            f"(data.clips), about {frames} frames of each (data.frames=0:{frames}), or a {shrink:.2f} times higher "
            "data.downscale",
        )
    needed = sum(_decoded_bytes(shot) for shot, record in records.items() if not record)
    disk = shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists()))
    free = disk.free
    if needed > free and disk.total:  # a pseudo file system has neither
        raise UserError(
            folder,
            f"needs {needed / 2**20:.0f} MiB, but the disk has {free / 2**20:.0f} MiB free",
            "free some space, or set data.store= to another disk",
        )


def _decoded_bytes(shot: Shot) -> int:
    return len(shot) * math.prod(shot.size) * 3


def _decode_all(missing: dict[Path, Shot], workers: int) -> None:
    """Decode shots in threads, with one progress bar; the first error stops all. Decoders release Python's lock."""
    stop = threading.Event()
    frames = sum(len(shot) for shot in missing.values())
    with progress_bar("decoding footage", frames, "frames") as update:

        def decode(path: Path, shot: Shot) -> None:
            for done in decode_into(shot, path):
                update(advance=done)
                if stop.is_set():
                    return

        with ThreadPoolExecutor(max(workers, 1)) as pool:
            futures = [pool.submit(decode, path, shot) for path, shot in missing.items()]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise


def decode_into(shot: Shot, path: Path) -> Iterator[int]:
    """Decode a shot into a file. Frames that an earlier, interrupted call has written are kept.

    The record of the clip is written last; until then the clip counts as not stored.

    Args:
        shot: the shot.
        path: file to which the frames are written.

    Yields:
        Number of frames that were added to the file since the last item.
    """
    shot = replace(shot)  # so that its decoder goes when it is done
    partial = path.with_suffix(".partial")
    shape = (len(shot), *shot.size, 3)
    done, target = _continued(partial, shape)
    if done:
        yield done
    saved = done
    try:
        for clip in read_chunks(shot, done, len(shot), _CHUNK):
            target[done : done + len(clip.frames)] = clip.eight_bit()  # what is deeper is rounded here, once
            done += len(clip.frames)
            if done - saved >= _SAVE_EVERY:
                _save(partial, target, done)
                saved = done
            yield len(clip.frames)
    finally:
        _save(partial, target, done)
    del target
    partial.replace(path)
    _mark(partial).unlink(missing_ok=True)
    _write_activity(path)
    store.write_record(path, store.make_record(shot, path))


def _save(partial: Path, target: np.memmap, done: int) -> None:
    target.flush()
    write_text(_mark(partial), str(done))


def _mark(partial: Path) -> Path:
    """File that contains the number of complete frames of an interrupted clip."""
    return partial.with_suffix(".done")


def _continued(partial: Path, shape: tuple[int, ...]) -> tuple[int, np.memmap]:
    """Number of frames that an earlier attempt completed, and the file to continue."""
    if partial.exists() and _mark(partial).exists() and not partial.is_symlink():
        target = np.lib.format.open_memmap(partial, "r+")
        if target.shape == shape:
            return int(_mark(partial).read_text(encoding="utf-8")), target
    partial.unlink(missing_ok=True)  # in a store that was handed over, it may be a link
    return 0, np.lib.format.open_memmap(partial, "w+", np.uint8, shape)  # pyright: ignore[reportArgumentType]


def _write_activity(path: Path) -> None:
    frames: Frames = np.load(path, mmap_mode="r")
    parts = [
        measure_activity(frames[t : t + _CHUNK], frames[t - 1] if t else None) for t in range(0, len(frames), _CHUNK)
    ]
    store.activity_path(path).unlink(missing_ok=True)
    with store.activity_path(path).open("wb") as file:
        np.save(file, np.concatenate(parts))
