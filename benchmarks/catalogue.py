"""How well `footage leaks` knows copies again, and how well the shots of `footage sample` stand for all.

    python benchmarks/catalogue.py MANIFEST_OR_FOLDER [--frames 300] [--scans results/scans]

Leaks: the middle `--frames` of every clip. Their middle 48 are planted as a copy, no larger than 480 pixels a side and
coded at CRF 28 (in one row at 40) after what the row says was done to them, and looked for; then every two different
clips are compared, which should find nothing. Sample: the distance of any shot of all footage to the nearest chosen
one, in deviations of the features, against the mean of 200 random draws.
"""

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
from h264 import write_h264
from rich.console import Console
from rich.progress import track
from rich.table import Table

from vsr_lab.core.clip import Frames
from vsr_lab.core.errors import UserError
from vsr_lab.curation import (
    Scans,
    ShotFingerprint,
    choose_shots,
    find_candidates,
    find_leaks,
    fingerprint_shot,
)
from vsr_lab.curation.scan import scan
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.footage.tables import read_rows
from vsr_lab.video import ReadOptions, open_footage

SIZES = (4, 8, 16, 32)  # of samples
_COPIED, _SIDE = 48, 480  # frames and pixels of a planted copy


def _scaled(frames: Frames, factor: float) -> Frames:
    size = round(frames.shape[2] * factor), round(frames.shape[1] * factor)
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def _cropped(frames: Frames, share: float) -> Frames:
    """`share` of each side's length goes, a third of it at the left and the top."""
    high, wide = (round(length * share) for length in frames.shape[1:3])
    top, left = high // 3, wide // 3
    return frames[:, top : frames.shape[1] - high + top, left : frames.shape[2] - wide + left]


def _lit(frames: Frames) -> Frames:
    return (255 * (frames / 255) ** 1.6).astype(np.uint8)


COPIES: dict[str, Callable[[Frames], Frames]] = {
    "coded again": lambda frames: frames,
    "coded at CRF 40": lambda frames: frames,
    "half the size": lambda frames: _scaled(frames, 0.5),
    "cropped by 5 %": lambda frames: _cropped(frames, 0.05),
    "cropped by 10 %": lambda frames: _cropped(frames, 0.1),
    "cropped by 15 %": lambda frames: _cropped(frames, 0.15),
    "mirrored": lambda frames: frames[:, :, ::-1],
    "darker (gamma 1.6)": _lit,
    "half as long, later": lambda frames: frames[len(frames) // 2 :],
    "half size, 5 % off, mirrored, darker": lambda frames: _lit(_scaled(_cropped(frames, 0.05), 0.5)[:, :, ::-1]),
}


def _copy(frames: Frames, name: str, folder: Path) -> ShotFingerprint:
    frames = COPIES[name](frames)
    frames = np.ascontiguousarray(frames[:, : frames.shape[1] // 2 * 2, : frames.shape[2] // 2 * 2])
    path = folder / "copy.mp4"
    crf = "40" if name == "coded at CRF 40" else "28"
    write_h264(path, frames, frames.shape[1:3], crf=crf, preset="veryfast")
    return fingerprint_shot(
        Shot("copy", path), "eval", scan(open_footage(path, read_options=ReadOptions(deinterlace="keep")))
    )


class Clip(NamedTuple):
    """A clip, its middle frames, what is known of them, and its content type."""

    shot: Shot
    middle: Shot
    known: ShotFingerprint
    kind: str


def planted(clips: list[Clip]) -> Table:
    """Copies found, by what was done to them and by content type."""
    named = sorted({clip.kind for clip in clips})
    found = {(name, kind): [0, 0] for name in COPIES for kind in named}
    with TemporaryDirectory() as folder:
        for _, middle, known, kind in track(clips, "planting copies", transient=True):
            start = max(0, (middle.frames - _COPIED) // 2)
            taken = middle.read(start, min(middle.frames, start + _COPIED)).frames
            taken = _scaled(taken, min(1.0, _SIDE / max(taken.shape[1:3])))
            for name in COPIES:
                leaks = find_leaks([_copy(taken, name, Path(folder)), known])
                found[name, kind][0] += bool(leaks)
                found[name, kind][1] += 1
    table = Table("copy", *named, title="planted copies found")
    for name in COPIES:
        table.add_row(name, *("{} of {}".format(*found[name, kind]) for kind in named))
    return table


def alarms(entries: list[ShotFingerprint]) -> list[str]:
    """Pairs of different clips that are called the same."""
    told: list[str] = []
    pairs = list(combinations(entries, 2))
    for one, other in track(pairs, "comparing different clips", transient=True):
        leaks = find_leaks([one, other._replace(split="eval")])
        told += [f"{one.name} and {other.name}: similarity {leaks[0].similarity}"] if leaks else []
    return [f"{len(told)} of {len(pairs)} pairs of different clips are called the same", *told]


def sampled(shots: list[Shot], scans: Scans) -> Table:
    """How far shots are from those chosen."""
    takes, _ = find_candidates(shots, scans)
    table = Table("shots chosen", "mean", "worst", "random: mean", "random: worst", title=f"of {len(takes)} shots")
    for n in (n for n in SIZES if n < len(takes)):
        reach = choose_shots(takes, n, 0).coverage
        table.add_row(str(n), *(f"{x:.2f}" for x in (reach.mean, reach.worst, reach.random_mean, reach.random_worst)))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--scans", type=Path, default=Path("results/scans"))
    options = parser.parse_args()
    console, scans, clips = Console(), Scans(options.scans), list[Clip]()
    kinds = [row.get("content_type") for row in read_rows(options.root)] if options.root.is_file() else []
    for number, shot in enumerate(track(find_shots(options.root), "looking at footage", transient=True)):
        try:
            found = scans.get(shot.path)
        except UserError as error:
            console.print(f"left out: {error}")
            continue
        first = max(0, (found.frames - options.frames) // 2)
        middle = shot.window(first, min(found.frames, first + options.frames))
        clips.append(
            Clip(shot, middle, fingerprint_shot(middle, "train", found), (kinds[number] if kinds else "") or "footage")
        )
    console.print(sampled([clip.shot for clip in clips], scans))
    console.print(planted(clips))
    console.print(*alarms([clip.known for clip in clips]), sep="\n")


if __name__ == "__main__":
    main()
