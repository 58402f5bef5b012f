"""vsr-lab footage leaks: shots of a manifest that are in more than one split."""

from dataclasses import asdict, replace
from itertools import combinations

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.config import Command, FolderPath
from vsr_lab.cli.show import console, show_files
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_json
from vsr_lab.core.parts import FilePath
from vsr_lab.core.progress import progress_bar
from vsr_lab.curation import Scans, ShotFingerprint, find_leaks, fingerprint_shot, known_digest
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES, read_rows


class LeaksConfig(Command):
    """Find shots that are in two splits of a manifest.

    Example: vsr-lab footage leaks manifest.csv
    """

    root: FilePath
    scans: FolderPath

    writes = ("leaks.json",)


def run(config: LeaksConfig) -> None:
    """List the shots that two splits share. Raises Refusal if there are any."""
    manifest = config.root
    if manifest.suffix not in TABLE_SUFFIXES:
        raise UserError(manifest, "is no manifest", "make one: vsr-lab footage index FOLDER")
    shots = find_shots(manifest)
    rows = [row for row in read_rows(manifest) if not row.get("problem")]
    splits = [row.get("split") or "" for row in rows]
    named = sorted(set(splits) - {""})
    if len(named) < 2:
        raise UserError(manifest, f"has {len(named)} splits", "fill its column split, or index with split=0.1")
    prints, left_out = _fingerprints(shots, rows, splits, Scans(config.scans))
    for problem in left_out.values():
        console.print(f"left out: {problem}", style="yellow", soft_wrap=True, markup=False)
    pairs = sum(bool(a.split and b.split and a.split != b.split) for a, b in combinations(prints, 2))
    if not pairs:
        raise UserError(manifest, "has no two splits of footage that can be read", "repair the files named above")
    folder = begin_run(config)
    leaks = find_leaks(prints)
    found = {"schema": 1, "pairs": pairs, "leaks": [asdict(leak) for leak in leaks], "left_out": left_out}
    write_json(folder / "leaks.json", found)
    for leak in leaks:
        console.print(str(leak), soft_wrap=True, markup=False)
    show_files(f"{pairs} pairs of clips in {', '.join(named)} compared", {"leaks": folder / "leaks.json"})
    if leaks:
        raise Refusal(f"{manifest}: {len(leaks)} shots are in two splits; move the clips that share them to one")


def _fingerprints(
    shots: list[Shot], rows: list[dict[str, str]], splits: list[str], scans: Scans
) -> tuple[list[ShotFingerprint], dict[str, str]]:
    """Fingerprints of each shot, and the reasons why others are left out, by name."""
    found: list[ShotFingerprint] = []
    left_out: dict[str, str] = {}
    with progress_bar("scanning footage", len(shots), console=console) as update:
        for shot, row, split in zip(shots, rows, splits, strict=True):
            try:
                scan = scans.get(shot.path, known_digest(shot.path, row))
                current = replace(shot, sha256="")  # the file may have changed
                found.append(fingerprint_shot(current, split, scan))
            except UserError as error:
                left_out[shot.name] = str(error)
            update(advance=1)
    return found, left_out
