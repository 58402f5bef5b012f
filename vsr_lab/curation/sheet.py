"""Contact sheets of shots."""

from collections.abc import Sequence
from pathlib import Path

from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.footage.shots import Shot

_CELL, _COLUMNS = (320, 180), 4


def write_shot_sheet(path: Path, shots: Sequence[Shot], captions: Sequence[str]) -> None:
    """Write the middle frame of each shot above its caption, four in a row."""
    frames = [shot.read(len(shot) // 2, len(shot) // 2 + 1).eight_bit()[0] for shot in shots]
    firsts = range(0, len(shots), _COLUMNS)
    rows = [SheetRow(frames[first : first + _COLUMNS], captions[first : first + _COLUMNS]) for first in firsts]
    write_contact_sheet(path, rows, _CELL)
