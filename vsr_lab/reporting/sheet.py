"""The images of a comparison in one PNG file."""

from pathlib import Path

from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.core.records.comparison import ClipFrames, Comparison
from vsr_lab.reporting.lookup import Lookup
from vsr_lab.reporting.saved import LOW, TRUTH, SavedClip

_SIDE = 208  # pixels


def write_sheet(comparison: Comparison, root: Path, path: Path) -> None:
    """Write the contact sheet of a comparison: one row per suite, with a frame of the first clip of the suite.

    Each row shows LR, the output of every candidate, and HR, with PSNR and flicker below.

    Args:
        comparison: comparison whose images are shown.
        root: folder to which the image paths in `comparison` are relative.
        path: the PNG file, written atomically.
    """
    lookup = Lookup(comparison)
    firsts = {clip.suite: clip for clip in reversed(comparison.pictures)}
    rows = [_row(lookup, root, firsts[suite.name]) for suite in comparison.suites if suite.name in firsts]
    if rows:
        write_contact_sheet(path, rows, (_SIDE, _SIDE))


def _row(lookup: Lookup, root: Path, facts: ClipFrames) -> SheetRow:
    clip = SavedClip(facts, root)
    names = [candidate.name for candidate in lookup.comparison.candidates]
    images = [clip.crop(view, _SIDE) if view in clip.videos else None for view in (LOW, *names, TRUTH)]
    captions = ["low resolution", *(f"{name}\n{_numbers(lookup, name, facts.suite)}" for name in names), "ground truth"]
    return SheetRow(images, captions, facts.suite)


def _numbers(lookup: Lookup, candidate: str, suite: str) -> str:
    cells = {metric: lookup.cell(candidate, suite, metric) for metric in ("psnr", "flicker")}
    return ", ".join(f"{metric} {cell.mean:.2f}" for metric, cell in cells.items() if cell)
