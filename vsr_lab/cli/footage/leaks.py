"""vsr-lab footage leaks: shots of a manifest that are in more than one split."""

from dataclasses import asdict
from itertools import combinations

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Command, FolderPath
from vsr_lab.cli.show import show, show_facts, show_left_out
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_json
from vsr_lab.core.parts import FilePath
from vsr_lab.curation import Scans, find_leaks, fingerprint_manifest
from vsr_lab.footage.shots import splits_of
from vsr_lab.footage.tables import TABLE_SUFFIXES


class LeaksConfig(Command):
    """Find shots that are in two splits of a manifest.

    Example: vsr-lab footage leaks manifest.csv
    """

    root: FilePath
    scans: FolderPath


def run(config: LeaksConfig) -> None:
    """List the shots that two splits share. Raises Refusal if there are any."""
    manifest = config.root
    if manifest.suffix not in TABLE_SUFFIXES:
        raise UserError(manifest, "is not a manifest (.csv or .parquet)", "create one by vsr-lab footage index FOLDER")
    named = splits_of(manifest)
    if len(named) < 2:
        raise UserError(
            manifest,
            f"must have two or more splits, got {len(named)}",
            "fill its column split, or run vsr-lab footage index with split=0.1",
        )
    prints, left_out = fingerprint_manifest(manifest, Scans(config.scans))
    show_left_out(left_out.values())
    pairs = sum(bool(a.split and b.split and a.split != b.split) for a, b in combinations(prints, 2))
    if not pairs:
        raise UserError(
            manifest, "has fewer than two splits with footage that can be read", "repair the files named above"
        )
    folder = begin_run(config)
    leaks = find_leaks(prints)
    found = {"schema": 1, "pairs": pairs, "leaks": [asdict(leak) for leak in leaks], "left_out": left_out}
    write_json(folder / "leaks.json", found)
    for leak in leaks:
        show(str(leak))
    show_facts(f"{pairs} pairs of clips in {', '.join(named)} compared", {"leaks": folder / "leaks.json"})
    if leaks:
        raise Refusal(
            f"{manifest}: {len(leaks)} shots are in two splits; set the column split of their clips to the same split"
        )
