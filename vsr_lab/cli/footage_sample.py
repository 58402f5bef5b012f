"""vsr-lab footage sample: representative shots of a folder of footage."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from pydantic import Field

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.config import Command, Count, FolderPath, Int, Names, Seed
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.files import digest_of, write_json
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.core.progress import progress_bar
from vsr_lab.curation import Sample, Scan, Scans, choose_shots, find_candidates, frame_rate, write_shot_sheet
from vsr_lab.footage.shots import Shot, ShotSelection, find_shots
from vsr_lab.footage.tables import write_rows
from vsr_lab.video import open_footage


class SampleConfig(Command):
    """Choose representative shots of a folder of footage.

    Example: vsr-lab footage sample archive/ -n 12
    """

    root: FilePath
    n: Count
    frames: Annotated[Int, Field(ge=2, le=100_000)] | None
    clips: Names | None
    split: Text | None
    content_type: Text | None
    seed: Seed
    scans: FolderPath

    writes = ("manifest.csv", "sample.json", "sheet.png")


def run(config: SampleConfig) -> None:
    """Choose n shots; write a manifest of them, a contact sheet and their shares."""
    shots = find_shots(config.root, ShotSelection(clips=config.clips, split=config.split, content=config.content_type))
    scans = Scans(config.scans)

    scans.make()

    def scan_of(shot: Shot) -> tuple[Scan, float]:
        return scans.get(shot.path, digest_of(shot.path)), frame_rate(open_footage(shot.path))

    with progress_bar("scanning footage", len(shots), console=console) as update:
        candidates, problems = find_candidates(shots, scan_of, lambda: update(advance=1), config.frames)
    for problem in problems.values():
        console.print(f"left out: {problem}", style="yellow", soft_wrap=True, markup=False)
    sample = choose_shots(candidates, config.n, config.seed)
    folder = begin_run(config)
    chosen = [candidates[number].middle(config.frames) for number in sample.chosen]
    _write(folder, chosen, sample)
    rows = [
        [shot.name, f"{shot.start}:{shot.stop}", f"{share:.1%}"]
        for shot, share in zip(chosen, sample.shares, strict=True)
    ]
    show_table(f"{len(chosen)} of {len(candidates)} shots", ["clip", "frames", "represents"], rows)
    reach = sample.coverage
    console.print(
        f"distance from any shot to the nearest chosen one: {reach.mean:.2f} on average, {reach.worst:.2f} at most; "
        f"with random choices: {reach.random_mean:.2f} and {reach.random_worst:.2f}",
        soft_wrap=True,
    )
    files = {"sheet": folder / "sheet.png", "manifest": folder / "manifest.csv", "numbers": folder / "sample.json"}
    show_files("sampled (use: suite=manifest suite.root=)", files)


def _write(folder: Path, shots: list[Shot], sample: Sample) -> None:
    shares = {f"{shot.name}_{shot.start}": share for shot, share in zip(shots, sample.shares, strict=True)}
    captions = [
        f"{shot.name} {shot.start}:{shot.stop}\nrepresents {share:.1%} of the footage"
        for shot, share in zip(shots, sample.shares, strict=True)
    ]
    write_shot_sheet(folder / "sheet.png", shots, captions)
    rows = [
        {
            "path": str(shot.path.resolve()),
            "name": name,
            "start": shot.start,
            "stop": shot.stop,
            "downscale": "" if shot.downscale == 1 else shot.downscale,
            "crop": " ".join(str(number) for number in shot.crop or ()),
            "stands_for": round(share, 4),
        }
        for shot, (name, share) in zip(shots, shares.items(), strict=True)
    ]
    write_rows(folder / "manifest.csv", rows)
    write_json(folder / "sample.json", {"schema": 1, "stands_for": shares, "coverage": asdict(sample.coverage)})
