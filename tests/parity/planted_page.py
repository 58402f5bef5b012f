"""Writes docs/pairs.md: what `footage check` finds, and what it reports for every planted fault.

python -m tests.parity.planted_page > docs/pairs.md    (and docs/pictures/pairs_phase.png beside it)
"""

import re
import tempfile
from pathlib import Path

from tests.parity.planted_rows import CLEAN, FAULTS, FRAMES, SIZE, Row, check, families, other_footage
from tests.parity.planting import CONTENTS, Movie
from vsr_lab.footage.shots import find_shots
from vsr_lab.pair_check import Findings, ShotPair
from vsr_lab.pair_check.report import write_picture

_TEXT = Path(__file__).with_suffix(".md")


def reported(found: Findings) -> str:
    """The report of a pair in one cell."""
    lines = [f"**{fault.kind}**: {fault.size}; *{fault.remedy}*" for fault in found.faults]
    return "<br>".join(lines or found.notes).replace("|", "\\|")


def line(row: Row, movie: Movie, folder: Path) -> str:
    found = check(row, movie, folder)
    declared = f" (declared {row.declared or f'x{row.scale}'})" if row.declared or row.scale else ""
    return f"| {row.name}{declared} | {'clean' if found.clean else 'faulty'} | {reported(found)} |"


def page() -> str:
    """The whole page."""
    movie = CONTENTS["textured"](FRAMES, *SIZE)
    other = Row(
        "another clip of the same kind", lambda m: other_footage(m, CONTENTS["textured"](FRAMES, *SIZE, seed=9))
    )
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in ([*FAULTS, other], CLEAN):
            head = ["| planted | verdict | reported |", "|---|---|---|"]
            tables.append("\n".join([*head, *(line(row, movie, Path(folder)) for row in rows)]))
    text = _TEXT.read_text(encoding="utf-8")
    return re.sub(r"\{(faults|clean)\}", lambda m: tables[m[1] == "clean"], text).strip()


def write_example(path: Path) -> None:
    """The picture of a pair whose LR was made by bi from pixel 0 on."""
    row = next(row for row in FAULTS if row.name == "bi from pixel 0")
    with tempfile.TemporaryDirectory() as folder:
        found = check(row, CONTENTS["textured"](FRAMES, *SIZE), Path(folder))
        lr, hr = (find_shots(Path(folder) / f"{side}.mkv")[0] for side in ("lr", "hr"))
        write_picture(path, ShotPair(row.name, lr, hr), found, families(4)["bi"])


if __name__ == "__main__":
    write_example(_TEXT.parents[2] / "docs" / "pictures" / "pairs_phase.png")
    print(page())
