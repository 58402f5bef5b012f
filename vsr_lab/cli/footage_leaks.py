"""vsr-lab footage leaks: shots of a manifest that are in more than one split."""

from dataclasses import asdict
from itertools import combinations
from pathlib import Path

from omegaconf import DictConfig
from rich.progress import track

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.show import console, show_files
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_json
from vsr_lab.core.shots import find_shots
from vsr_lab.core.tables import TABLE_SUFFIXES, read_rows
from vsr_lab.data.catalogue import Scans, digest_of, entry, find_leaks


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
    scans = Scans(Path(cfg.scans))
    entries = [
        entry(shot, split, scans.get(shot.path, row.get("sha256") or digest_of(shot.path)))
        for shot, row, split in track(
            list(zip(shots, rows, splits, strict=True)), "looking at footage", console=console, transient=True
        )
    ]
    pairs = sum(bool(a.split and b.split and a.split != b.split) for a, b in combinations(entries, 2))
    folder = begin_run(cfg)
    leaks = find_leaks(entries)
    write_json(folder / "leaks.json", [asdict(leak) for leak in leaks])
    for leak in leaks:
        console.print(str(leak), soft_wrap=True, markup=False)
    show_files(f"{pairs} pairs of clips in {', '.join(named)} compared", {"leaks": folder / "leaks.json"})
    if leaks:
        raise Refusal(f"{manifest}: {len(leaks)} shots are in two splits; move the clips that share them to one")
