"""vsr-lab footage sample: representative shots of a folder of footage."""

from typing import Annotated

from pydantic import Field

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Command, Count, FolderPath, Int, Names, Seed
from vsr_lab.cli.show import show, show_facts, show_left_out, show_table
from vsr_lab.core.parts import FilePath, Text
from vsr_lab.curation import Scans, choose_shots, find_candidates, write_sample
from vsr_lab.footage.shots import ShotSelection, find_shots


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


def run(config: SampleConfig) -> None:
    """Choose n shots, and write a manifest, a contact sheet, and the fraction of the footage that each represents."""
    shots = find_shots(config.root, ShotSelection(clips=config.clips, split=config.split, content=config.content_type))
    candidates, problems = find_candidates(shots, Scans(config.scans), config.frames)
    show_left_out(problems.values())
    sample = choose_shots(candidates, config.n, config.seed)
    chosen = [candidates[number].middle(config.frames) for number in sample.chosen]
    files = write_sample(begin_run(config), chosen, sample)
    rows = [
        [shot.name, f"{shot.start}:{shot.stop}", f"{share:.1%}"]
        for shot, share in zip(chosen, sample.shares, strict=True)
    ]
    show_table(f"{len(chosen)} of {len(candidates)} shots", ["clip", "frames", "represents"], rows)
    reach = sample.coverage
    show(
        f"distance from any shot to the nearest chosen one: {reach.mean:.2f} on average, {reach.worst:.2f} at most; "
        f"with random choices: {reach.random_mean:.2f} and {reach.random_worst:.2f}"
    )
    show_facts("sampled (use: suite=manifest suite.root=)", files)
