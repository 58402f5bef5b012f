"""Measures the zoo and published networks, and writes the leaderboard; goes on where an earlier run ended.

    python scripts/zoo/judge.py EVAL.csv PUBLISHED [--runs results/zoo/judged] [--tables results/zoo]
    [--contents NAME ...] [--clips NAME ...] [--only CANDIDATE ...] [--frames 0:4] [--no-cost] [--no-text]

EVAL.csv: written by `eval_sources.py`; PUBLISHED: by `published.py`. Every clip is one evaluation of all candidates
of a scale, kept in RUNS by name and checksum of the weights. TABLES receives scores.csv (means of every clip), cost.csv
(milliseconds of a frame) and leaderboard.md, see `leaderboard.py`. --frames, --clips, --only: to try it; give other
--runs and --tables then. --no-text: without legibility, which is measured on screen_capture alone, if RapidOCR is
installed, and takes minutes a clip. Measure the cost on a machine that
does nothing else.
"""

import argparse
import os
import platform
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from leaderboard import ROOT, write_page

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.records import read_record
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.degradations import ResizeDown
from vsr_lab.evaluation import candidates
from vsr_lab.evaluation.candidates import Candidate
from vsr_lab.evaluation.evaluator import evaluate
from vsr_lab.evaluation.protocol import Protocol, Suite
from vsr_lab.evaluation.scoring import Timed
from vsr_lab.footage.tables import read_rows, write_rows
from vsr_lab.metrics import flicker, legibility, psnr, ssim

# Files in PUBLISHED, and what reads them.
READERS: Mapping[str, Callable[[str, str], Candidate]] = {
    "span_ch28_x4.safetensors": candidates.checkpoint,
    "span_ch48_x4.safetensors": candidates.checkpoint,
    "span_ch48_x2.safetensors": candidates.checkpoint,
    "realesr-animevideov3_x4.safetensors": candidates.spandrel,
    "animesr_v2.pth": candidates.animesr_official,
    "basicvsr.pth": candidates.basicvsr_official,
}
TIMED = 8  # frames


class Entry(NamedTuple):
    """A candidate before it is loaded. path: None for bicubic; ours: in results/zoo/weights."""

    name: str
    scale: int
    path: Path | None
    read: Callable[[str, str], Candidate]
    ours: bool = False

    @property
    def version(self) -> str:
        """First digits of the checksum of its weights."""
        return sha256(self.path)[:8] if self.path else ""

    def load(self) -> Candidate:
        return self.read(str(self.path), self.name) if self.path else candidates.interpolation("bicubic", self.scale)


def entries(published: Path) -> Iterator[Entry]:
    """All candidates; those without a file are reported."""
    yield from (Entry("bicubic", scale, None, candidates.checkpoint) for scale in (4, 2))
    for name, read in READERS.items():
        path = published / name
        if path.is_file():
            yield Entry(path.stem.removesuffix("_x4"), 2 if path.stem.endswith("_x2") else 4, path, read)
        else:
            print(f"{path} is missing: left out; see scripts/zoo/published.py")
    for path in sorted((ROOT / "results/zoo/weights").glob("*.safetensors")):
        yield Entry(path.stem, int(path.stem[-1]), path, candidates.checkpoint, ours=True)


def protocol(scale: int, read_text: bool) -> Protocol:
    """content-xN-bi-y with the metrics of the leaderboard."""
    metrics: dict[str, Any] = {"psnr": psnr, "ssim": ssim, "flicker": flicker}
    if read_text:
        metrics["legibility"] = legibility
    name, description = f"content-x{scale}-bi-y", "PSNR-Y and SSIM-Y, LR by imresize"
    return Protocol(name, description, scale, ResizeDown(scale), metrics=metrics)


def judge_clip(row: Mapping[str, str], found: list[Entry], options: argparse.Namespace) -> list[dict[str, object]]:
    """Evaluate on one clip whoever was not yet, and return the means of all."""
    content, clip = row["content_type"], row["name"]
    rows: list[dict[str, object]] = []
    read_text = content == "screen_capture" and not options.no_text and find_spec("rapidocr_onnxruntime") is not None
    for scale in (4,) if content == "vid4" else (4, 2):
        folders = {
            options.runs / f"{content}_x{scale}" / clip / f"{entry.name}-{entry.version}": entry
            for entry in found
            if entry.scale == scale
        }
        missing = {folder: entry for folder, entry in folders.items() if not (folder / "summary.json").exists()}
        if missing:
            suite = Suite(
                f"{content}_x{scale}", str(options.eval), content=content, clips=[clip], frames=options.frames
            )
            loaded = {folder: entry.load() for folder, entry in missing.items()}
            evaluate(loaded, suite, protocol(scale, read_text))
        for folder, entry in folders.items():
            means = read_record(folder / "summary.json", Summary).per_clip[clip]
            about = {"suite": f"{content}_x{scale}", "clip": clip, "candidate": entry.name, "version": entry.version}
            rows.append({**about, "ours": int(entry.ours), **means})
        print(f"{content} x{scale} {clip}: {len(missing)} evaluated, {len(folders) - len(missing)} were", flush=True)
    return rows


def cost(entry: Entry) -> dict[str, object]:
    """Milliseconds of a frame: LR of 320x180 pixels, eager, float32; the mean of a clip where it is read whole.

    Raises UserError on a machine that is busy with something else.
    """
    if os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1):
        raise UserError(
            f"the frame time of {entry.name}", "cannot be measured: the machine is busy", "run it again later"
        )
    picture = torch.rand(3, 180, 320, generator=torch.Generator().manual_seed(0))
    candidate = entry.load()
    timed = Timed(candidate, "clip", [picture.roll(frame, -1) for frame in range(TIMED)])
    deque(timed, maxlen=0)
    return {
        "candidate": entry.name,
        "scale": entry.scale,
        "version": entry.version,
        "ms": f"{1000 * timed.pace():.0f}",
        "parameters": candidate.facts.parameters or 0,
        "threads": torch.get_num_threads(),
        "machine": processor(),
    }


def write_costs(found: list[Entry], table: Path) -> None:
    """Measure whoever is not in the table with its present weights, and write it."""
    stored = read_rows(table) if table.exists() else []
    known = {(row["candidate"], row["version"], row["scale"]): row for row in stored}
    rows: list[Mapping[str, object]] = []
    for entry in found:
        rows.append(known.get((entry.name, entry.version, str(entry.scale))) or cost(entry))
        print(f"{entry.name} x{entry.scale}: {rows[-1]['ms']} ms a frame", flush=True)
        write_rows(table, rows)


def processor() -> str:
    """Name of the CPU."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("eval", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("--runs", type=Path, default=ROOT / "results/zoo/judged")
    parser.add_argument("--tables", type=Path, default=ROOT / "results/zoo")
    parser.add_argument("--contents", nargs="+", default=["live_action", "animation", "screen_capture", "vid4"])
    parser.add_argument("--clips", nargs="+")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--frames")
    parser.add_argument("--no-cost", action="store_true")
    parser.add_argument("--no-text", action="store_true")
    options = parser.parse_args()
    found = [entry for entry in entries(options.published) if not options.only or entry.name in options.only]
    clips = [row for row in read_rows(options.eval) if row["content_type"] in options.contents]
    scores: list[dict[str, object]] = []
    for row in clips:
        if not options.clips or row["name"] in options.clips:
            scores += judge_clip(row, found, options)
            write_rows(options.tables / "scores.csv", scores)
    if not options.no_cost:
        try:
            write_costs(found, options.tables / "cost.csv")
        except UserError as error:
            print(error)
    write_page(options.tables)


if __name__ == "__main__":
    main()
