"""vsr-lab footage leaks: shots of a manifest that are in more than one split."""

from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path

from omegaconf import DictConfig
from rich.progress import track

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.show import console, show_files
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_json
from vsr_lab.curation import Entry, Scans, entry, find_leaks, known_digest
from vsr_lab.footage.shots import Shot, find_shots
from vsr_lab.footage.tables import TABLE_SUFFIXES, read_rows


def run(cfg: DictConfig) -> None:
    """Name every shot that two splits share. Raises Refusal where there are some."""
    manifest = Path(cfg.root)
    if manifest.suffix not in TABLE_SUFFIXES:
        raise UserError(manifest, "is no manifest", "make one: vsr-lab footage index FOLDER")
    shots = find_shots(manifest)
    rows = [row for row in read_rows(manifest) if not row.get("problem")]
    splits = [row.get("split") or "" for row in rows]
    named = sorted(set(splits) - {""})
    if len(named) < 2:
        raise UserError(manifest, f"has {len(named)} splits", "fill its column split, or index with split=0.1")
    entries, left_out = _entries(shots, rows, splits, Scans(Path(cfg.scans)))
    for problem in left_out.values():
        console.print(f"left out: {problem}", style="yellow", soft_wrap=True, markup=False)
    pairs = sum(bool(a.split and b.split and a.split != b.split) for a, b in combinations(entries, 2))
    if not pairs:
        raise UserError(manifest, "has no two splits of footage that can be read", "mend the files named above")
    folder = begin_run(cfg)
    leaks = find_leaks(entries)
    found = {"schema": 1, "pairs": pairs, "leaks": [asdict(leak) for leak in leaks], "left_out": left_out}
    write_json(folder / "leaks.json", found)
    for leak in leaks:
        console.print(str(leak), soft_wrap=True, markup=False)
    show_files(f"{pairs} pairs of clips in {', '.join(named)} compared", {"leaks": folder / "leaks.json"})
    if leaks:
        raise Refusal(f"{manifest}: {len(leaks)} shots are in two splits; move the clips that share them to one")


def _entries(
    shots: list[Shot], rows: list[dict[str, str]], splits: list[str], scans: Scans
) -> tuple[list[Entry], dict[str, str]]:
    """What is known of each shot, and why others are left out, by name."""
    entries: list[Entry] = []
    left_out: dict[str, str] = {}
    todo = list(zip(shots, rows, splits, strict=True))
    for shot, row, split in track(todo, "looking at footage", console=console, transient=True):
        try:
            scan = scans.get(shot.path, known_digest(shot.path, row))
            as_it_is_now = replace(shot, sha256="")  # the file may have changed
            entries.append(entry(as_it_is_now, split, scan))
        except UserError as error:
            left_out[shot.name] = str(error)
    return entries, left_out
