"""Joins manifests into one to train on.

    python scripts/zoo/join.py OUT.csv CONTENT MANIFEST...

OUT.csv contains the rows of the manifests whose content type is CONTENT, with paths that are relative to OUT.csv. For
columns that a manifest does not have, the cells are empty.
"""

import sys
from os.path import relpath
from pathlib import Path

from vsr_lab.footage.tables import read_rows, write_rows

COLUMNS = ("name", "path", "split", "content_type", "start", "stop", "downscale", "crop", "cuts")


def main(out: Path, content: str, *manifests: Path) -> None:
    """Write the joined manifest."""
    rows: list[dict[str, object]] = []
    for manifest in manifests:
        for row in read_rows(manifest):
            if row["content_type"] == content:
                path = relpath((manifest.parent / row["path"]).resolve(), out.parent.resolve())
                rows.append({**{column: row.get(column, "") for column in COLUMNS}, "path": path})
    write_rows(out, rows)
    print(f"{len(rows)} clips in {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *(Path(word) for word in sys.argv[3:]))
