"""Feeding training: samples a second against the field's habits, what a training step waits, and memory.

python benchmarks/feeding.py [FOLDER OF VIDEOS] [--quick] [--keep FOLDER] [--only PART]
python benchmarks/feeding.py --device cuda      what a step on a GPU waits, and nothing else
"""

import argparse
import gc
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import absent  # noqa: F401 - first
import cv2
import numpy as np
import torch
from feeding_peers import CLIP_FRAMES, SCALE, DecordDirect, LmdbOfPng, basicsr_dataset, write_lmdb
from h264 import write_h264
from lightning_fabric.utilities.apply_func import move_data_to_device
from rich.progress import track
from torch.utils.data import DataLoader

from vsr_lab.data import CropOptions, Crops, StoredClip, collate, store_shots
from vsr_lab.data.activity import measure_activity
from vsr_lab.data.batch import pair_on_device
from vsr_lab.data.datamodule import LoaderOptions, StepSampler, train_loader
from vsr_lab.data.store import activity_path
from vsr_lab.degradations import ResizeDown
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.losses import Charbonnier, Objective, Term
from vsr_lab.models import Recurrent

FRAMES, SIZE, CLIPS, BATCH = 15, 256, 4, 2
_IN_TURN = 5  # steps: one more than the loader has ready after a pause


def render_footage(folder: Path) -> Path:
    """Textured clips of 720p that drift, in H.264: what is measured on where no footage is given."""
    for seed in track(range(CLIPS), "rendering footage", transient=True):
        rng = np.random.default_rng(seed)
        octaves = [np.kron(rng.normal(size=(1024 // n, 1536 // n, 3)), np.ones((n, n, 1))) * n for n in (2, 8, 32, 128)]
        texture = np.clip(sum(octaves) * 0.5 + 128, 0, 255).astype(np.uint8)
        windows = (texture[t : t + 720, 2 * t : 2 * t + 1280] for t in range(CLIP_FRAMES))
        write_h264(folder / f"{seed}.mp4", map(np.ascontiguousarray, windows), (720, 1280), crf="18")
    return folder


def textures(folder: Path) -> list[StoredClip]:
    """Clips of 720p noise as they lie in a store, where no video can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    clips: list[StoredClip] = []
    for seed in range(CLIPS):
        path = folder / f"{seed}.npy"
        frames = np.random.default_rng(seed).integers(0, 256, (CLIP_FRAMES, 720, 1280, 3), np.uint8)
        np.save(path, frames)
        with activity_path(path).open("wb") as file:
            np.save(file, measure_activity(frames))
        clips.append(StoredClip(str(seed), path))
    return clips


def choose(footage: Path) -> list[Shot]:
    """The first hundred frames of some clips; of 720p and more where there are any."""
    shots = [shot for shot in find_shots(footage) if len(shot) >= CLIP_FRAMES and min(shot.size) >= SIZE]
    large = [shot for shot in shots if min(shot.size) >= 720]
    return [shot.window(0, CLIP_FRAMES) for shot in (large or shots)[:CLIPS]]


def build(shots: Sequence[Shot], folder: Path) -> list[StoredClip]:
    """The store, built by two threads where it is not there yet."""
    start = time.perf_counter()
    clips = store_shots(shots, folder, budget_gib=20, workers=2)
    seconds, frames = time.perf_counter() - start, sum(map(len, clips))
    print(f"store of {len(clips)} clips, {frames} frames: {frames / seconds:.0f} frames/s")
    return clips


def short_clips(folder: Path, count: int) -> None:
    """As many clips of seven frames, as Vimeo-90K has 64,612 of: to the store, and opened again."""
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 256, (64, 112, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    for number in range(count):
        clip = folder / "sequences" / f"{number:05d}"
        clip.mkdir(parents=True, exist_ok=True)
        for t in range(1, 8):
            cv2.imwrite(str(clip / f"im{t}.png"), np.roll(picture, t + number, 1))
    seconds: list[float] = []
    for _ in range(2):
        start = time.perf_counter()
        clips = store_shots(find_shots(folder / "sequences"), folder / "short", budget_gib=20, workers=2)
        seconds.append((time.perf_counter() - start) / len(clips))
    files = len(list((folder / "short").iterdir()))
    print(f"\n{count} clips of 7 frames of 448 x 256: {files} files, {1e3 * seconds[0]:.1f} ms a clip to store")
    print(f"  {1e3 * seconds[1]:.2f} ms a clip to find, check and open again")


def samples_a_second(dataset: Any, workers: int, seconds: float, fold: Any) -> float:
    """Over batches of BATCH, after the workers have started, for about so long."""
    length = 10**6 if not hasattr(dataset, "keys") else len(dataset)
    numbers = itertools.chain.from_iterable(itertools.repeat(range(length)))
    batches = (list(itertools.islice(numbers, BATCH)) for _ in itertools.count())
    gc.collect()  # no worker is to free a decoder that it was born with: see train_loader
    init = lambda number: gc.freeze()  # noqa: E731
    loader = DataLoader(  # pyright: ignore
        dataset, batch_sampler=batches, num_workers=workers, collate_fn=fold, worker_init_fn=init
    )
    found = iter(loader)
    for _ in range(2 + 2 * workers):  # what was prefetched while the workers started is not counted
        next(found)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds or count < 2:
        next(found)
        count += BATCH
    return count / (time.perf_counter() - start)


def throughput(clips: Sequence[StoredClip], shots: Sequence[Shot], folder: Path, seconds: float) -> None:
    """Samples a second of each way, with and without workers, and how many times slower than ours it is."""
    crops = Crops(clips, ResizeDown(SCALE), CropOptions(FRAMES, SIZE))
    listed = write_lmdb(clips, folder)
    videos = [shot.path for shot in shots]
    # Made anew for every run: readers that are open do not live through a fork.
    ways: dict[str, Callable[[], Any]] = {
        "vsr_lab store": lambda: crops,
        "LMDB of PNG, as BasicSR reads": lambda: LmdbOfPng(crops, listed[0]),
        "decord, a reader a sample": lambda: DecordDirect(crops, videos, keep_open=False),
        "decord, readers kept open": lambda: DecordDirect(crops, videos, keep_open=True),
    }
    theirs = basicsr_dataset(*listed, FRAMES, SIZE)
    if isinstance(theirs, str):
        print(theirs)
    else:
        ways["BasicSR's REDSRecurrentDataset"] = lambda: basicsr_dataset(*listed, FRAMES, SIZE)
    assert torch.equal(LmdbOfPng(crops, listed[0])[3], _unturned(crops, 3))
    print(f"\nsamples/s of {FRAMES} x {SIZE} x {SIZE} HR crops, {len(clips)} clips of {CLIP_FRAMES} frames")
    print(f"  {'':<32}{'0 workers':>10}{'ratio':>9}{'2 workers':>12}{'ratio':>9}")
    base: dict[int, float] = {}
    for name, make in ways.items():
        row = f"  {name:<32}"
        for workers in (0, 2):
            rate = samples_a_second(make(), workers, seconds, collate if name == "vsr_lab store" else None)
            base.setdefault(workers, rate)
            row += f"{rate:>{10 if workers == 0 else 12}.1f}{base[workers] / rate:>8.1f}x"
        print(row, flush=True)


def _unturned(crops: Crops, number: int) -> torch.Tensor:
    place, _ = crops.place(number)
    frames = crops.clips[place.clip].frames[place.t : place.t + FRAMES]
    return torch.from_numpy(frames[:, place.y : place.y + SIZE, place.x : place.x + SIZE].transpose(0, 3, 1, 2).copy())


def interest(clips: Sequence[StoredClip], count: int) -> None:
    """What drawing several places brings, and what it costs: the map beside each clip against the pixels themselves."""
    print("\nchoosing a crop: mean motion and detail (8-bit levels) and microseconds a sample")
    for crop_candidates in (1, 2, 4, 8, 16):
        crops = Crops(clips, ResizeDown(SCALE), CropOptions(FRAMES, SIZE, crop_candidates, flips=False))
        start = time.perf_counter()
        places = [crops.place(number)[0] for number in range(count)]
        cost = (time.perf_counter() - start) / count
        motion, detail = np.mean([crops.measure(place) for place in places], axis=0)
        print(
            f"  crop_candidates {crop_candidates:>2}: motion {motion:6.2f}  detail {detail:6.2f}  {1e6 * cost:7.0f} us"
        )
    crops = Crops(clips, ResizeDown(SCALE), CropOptions(FRAMES, SIZE, flips=False))
    places = [crops.place(number)[0] for number in range(20)]
    start = time.perf_counter()
    for place in places:
        frames = clips[place.clip].frames[place.t : place.t + FRAMES]
        window = frames[:, place.y : place.y + SIZE : 2, place.x : place.x + SIZE : 2, 1].astype(np.int16)
        _ = np.abs(np.diff(window, axis=0)).mean(), np.abs(np.diff(window, axis=1)).mean()
    print(f"  one place measured on its pixels: {1e6 * (time.perf_counter() - start) / len(places):.0f} us")


def step_wait(clips: Sequence[StoredClip], rounds: int, device: torch.device) -> None:
    """Training steps on batches of a loader with two workers, in turn with steps on one batch that is there already.

    On a GPU in bf16, in batches of 8 and on a network twice as wide, with 5 blocks instead of 3: what keeps it busy.
    """
    cuda = device.type == "cuda"
    channels, blocks, size = (64, 5, 8) if cuda else (32, 3, BATCH)
    degradation = ResizeDown(SCALE)
    crops = Crops(clips, degradation, CropOptions(FRAMES, SIZE))
    objective = Objective({"charbonnier": Term(Charbonnier(), 1.0)}, estimator=None)  # pyright: ignore
    network = Recurrent(SCALE, channels, blocks).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters())
    loader = iter(train_loader(crops, StepSampler(0, 10**6, size), LoaderOptions(workers=2)))
    fixed = next(loader)

    def step(batches: Iterator[Any]) -> tuple[float, float]:
        start = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - start
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            pair = pair_on_device(degradation, move_data_to_device(batch, device), torch.float32)
            sr = network(pair.lr).float()
            total, _ = objective(sr, pair.hr, pair.lr, progress=1.0, measure_all=False)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        float(total.detach())  # waits for the device, as a log does
        return time.perf_counter() - start, waited

    for _ in range(5 if cuda else 1):
        step(loader)
    real: list[float] = []
    still: list[float] = []
    waits: list[float] = []
    for _ in range(rounds):  # in turn, so that a busy moment falls on both alike
        still += [step(itertools.repeat(fixed))[0] for _ in range(_IN_TURN)]
        for _ in range(_IN_TURN):
            took, waited = step(loader)
            real.append(took)
            waits.append(waited)
    fed, alone = statistics.mean(real), statistics.mean(still)
    print(f"\na training step on {device} (recurrent {channels}x{blocks}, x{SCALE}, batch {size}, 2 workers,", end=" ")
    print(
        f"{torch.get_num_threads()} threads)\n  fixed batch {1e3 * alone:.1f} ms, fed {1e3 * fed:.1f} ms: ratio",
        end=" ",
    )
    print(f"{fed / alone:.3f}; of medians {statistics.median(real) / statistics.median(still):.3f}")
    print(f"  of which waiting for the loader: {1e3 * statistics.mean(waits):.2f} ms")


def memory(clips: Sequence[StoredClip], samples: int, workers: int) -> None:
    """What each process holds while samples go by: resident, its share of it, and what is its own alone."""
    crops = Crops(clips, ResizeDown(SCALE), CropOptions(FRAMES, SIZE))
    loader = iter(train_loader(crops, StepSampler(0, samples // 4 + 8, 4), LoaderOptions(workers=workers)))
    store = sum(clip.frames.nbytes for clip in clips) / 2**20
    print(f"\nmemory over {samples} samples of {FRAMES} x {SIZE} x {SIZE}, {workers} workers, in MiB")
    print(f"  the store: {store:.0f}; PSS counts a shared page in parts")
    started = getattr(loader, "_workers", [])
    marks = {samples // 4 * share // 20 for share in (1, 5, 10, 15, 20)}
    for batch in range(1, samples // 4 + 1):
        next(loader)
        if batch in marks:
            found = {"main": os.getpid(), **{f"worker {i}": w.pid for i, w in enumerate(started)}}
            cells = [f"{name}: RSS {rss:.0f} PSS {pss:.0f} own {own:.0f}" for name, (rss, pss, own) in _held(found)]
            print(f"  {4 * batch:>6}  " + "  |  ".join(cells), flush=True)


def _held(processes: dict[str, int]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    for name, pid in processes.items():
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        values = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
        yield name, (values["Rss"], values["Pss"], values["Anonymous"])


def main() -> None:
    """Build the store of some clips and print every comparison, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", nargs="?", type=Path, help="a folder of videos; rendered where none is given")
    parser.add_argument("--quick", action="store_true", help="fewer samples and steps, to see that it runs")
    parser.add_argument("--keep", type=Path, help="where the store and the LMDB are left; a temporary folder else")
    parser.add_argument("--only", choices=["memory", "interest", "throughput", "step", "short"])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    quick: bool = options.quick
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.device == "cuda":
            print(torch.cuda.get_device_name())
            step_wait(textures(folder), 2 if quick else 10, torch.device("cuda"))
            return
        shots = choose(options.footage or render_footage(folder))
        clips = build(shots, folder / "store")
        parts: dict[str, Callable[[], None]] = {
            "memory": lambda: [memory(clips, 400 if quick else 10_000, workers) for workers in (0, 2)][-1],
            "interest": lambda: interest(clips, 200 if quick else 2000),
            "throughput": lambda: throughput(clips, shots, folder, 3 if quick else 30),
            "step": lambda: step_wait(clips, 2 if quick else 8, torch.device("cpu")),
            "short": lambda: short_clips(folder, 60 if quick else 1000),
        }
        for name, part in parts.items():
            if options.only in (None, name):
                part()


if __name__ == "__main__":
    main()
