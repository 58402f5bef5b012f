"""The files of a sample: a contact sheet, a manifest and numbers."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from vsr_lab.core.files import write_json
from vsr_lab.core.pictures import SheetRow, write_contact_sheet
from vsr_lab.curation.sampling import Sample
from vsr_lab.footage.shots import Shot
from vsr_lab.footage.tables import write_rows

_CELL, _COLUMNS = (320, 180), 4


def write_sample(folder: Path, shots: Sequence[Shot], sample: Sample) -> dict[str, Path]:
    """Write a sample of shots: sheet.png (the middle frame of each shot), manifest.csv and sample.json.

    Args:
        folder: folder of the files.
        shots: the chosen shots.
        sample: fraction of the footage that each shot represents, and coverage.

    Returns:
        Name -> path of each file.
    """
    names = [f"{shot.name}_{shot.start}" for shot in shots]
    captions = [
        f"{shot.name} {shot.start}:{shot.stop}\nrepresents {share:.1%} of the footage"
        for shot, share in zip(shots, sample.shares, strict=True)
    ]
    frames = [shot.read(len(shot) // 2, len(shot) // 2 + 1).eight_bit()[0] for shot in shots]
    firsts = range(0, len(shots), _COLUMNS)
    pictures = [SheetRow(frames[first : first + _COLUMNS], captions[first : first + _COLUMNS]) for first in firsts]
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
        for shot, name, share in zip(shots, names, sample.shares, strict=True)
    ]
    numbers = {"stands_for": dict(zip(names, sample.shares, strict=True)), "coverage": asdict(sample.coverage)}
    files = {"sheet": folder / "sheet.png", "manifest": folder / "manifest.csv", "numbers": folder / "sample.json"}
    write_contact_sheet(files["sheet"], pictures, _CELL)
    write_rows(files["manifest"], rows)
    write_json(files["numbers"], {"schema": 1, **numbers})
    return files
