"""vsr-lab footage sample: the shots that stand for a project."""

from dataclasses import asdict
from pathlib import Path

from omegaconf import DictConfig
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vsr_lab.cli.app import begin_run, plain
from vsr_lab.cli.show import console, show_files, show_table
from vsr_lab.core.files import write_json
from vsr_lab.curation import Sample, Scan, Scans, choose, digest_of, gather, rate_of, write_contact_sheet
from vsr_lab.footage.manifest import write_manifest
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.video import open_footage


def run(cfg: DictConfig) -> None:
    """Choose n shots; write a manifest of them, a contact sheet and the numbers."""
    shots = find_shots(Path(cfg.root), plain(cfg.clips), None, 1.0, cfg.split, cfg.content)
    scans = Scans(Path(cfg.scans))
    columns = (TextColumn("looking at footage"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(shots))

        def scan_of(shot: Shot) -> tuple[Scan, float]:
            found = scans.get(shot.path, digest_of(shot.path))
            return found, rate_of(open_footage(shot.path))

        takes, problems = gather(shots, scan_of, lambda shot: progress.advance(task), cfg.frames)
    for problem in problems.values():
        console.print(f"left out: {problem}", style="yellow", soft_wrap=True, markup=False)
    sample = choose(takes, cfg.n, cfg.seed)
    folder = begin_run(cfg)
    chosen = [takes[number].middle(cfg.frames) for number in sample.chosen]
    _write(folder, chosen, sample)
    rows = [
        [shot.name, f"{shot.start}:{shot.stop}", f"{share:.1%}"]
        for shot, share in zip(chosen, sample.shares, strict=True)
    ]
    show_table(f"{len(chosen)} of {len(takes)} shots", ["clip", "frames", "stands for"], rows)
    reach = sample.coverage
    console.print(
        f"from any shot to the nearest chosen: {reach.mean:.2f} on average, {reach.worst:.2f} at most; "
        f"drawn at random: {reach.random_mean:.2f} and {reach.random_worst:.2f}",
        soft_wrap=True,
    )
    files = {"sheet": folder / "sheet.png", "manifest": folder / "manifest.csv", "numbers": folder / "sample.json"}
    show_files("sampled (use: suite=manifest suite.root=)", files)


def _write(folder: Path, shots: list[Shot], sample: Sample) -> None:
    names = [f"{shot.name}_{shot.start}" for shot in shots]
    write_contact_sheet(
        shots,
        [
            (f"{shot.name} {shot.start}:{shot.stop}", f"stands for {share:.1%} of the footage")
            for shot, share in zip(shots, sample.shares, strict=True)
        ],
        folder / "sheet.png",
    )
    write_manifest(
        folder / "manifest.csv",
        [
            {
                "path": str(shot.path.resolve()),
                "name": name,
                "start": shot.start,
                "stop": shot.stop,
                "downscale": "" if shot.downscale == 1 else shot.downscale,
                "crop": " ".join(str(number) for number in shot.crop or ()),
                "stands_for": round(share, 4),
            }
            for shot, name, share in zip(shots, names, sample.shares, strict=True)
        ],
    )
    shares = dict(zip(names, sample.shares, strict=True))
    write_json(folder / "sample.json", {"schema": 1, "stands_for": shares, "coverage": asdict(sample.coverage)})
