"""Fetches the clips that the zoo is evaluated on; nothing of them is part of this repository.

    python scripts/zoo/eval_sources.py OUT [VID4]
    python scripts/zoo/eval_sources.py OUT results/zoo/screens.csv   # screens to train on and to validate on

The clips, their windows, licences and checksums are the rows of results/zoo/eval.csv, or of another TABLE.csv. Each is
fetched from the public GitHub repository that publishes it, at the commit in the table, into OUT; a file that is there
already with the right checksum is kept. OUT/eval.csv (or OUT/TABLE.csv) is then the manifest of an evaluation
(suite=manifest suite.root=OUT/eval.csv) or of a training. VID4: a folder with calendar, city, foliage and walk, which
are added as the content type vid4. The licences differ: measure on the clips, redistribute none.
"""

import hashlib
import re
import sys
import urllib.request
from os.path import relpath
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, inside, sha256
from vsr_lab.footage.shots import ShotSelection, find_shots
from vsr_lab.footage.tables import read_rows, write_rows

TABLE = Path(__file__).parents[2] / "results/zoo/eval.csv"
LIMIT = 64 * 2**20  # bytes of a file
READ = ("name", "path", "split", "content_type", "start", "stop", "downscale", "crop", "cuts", "sha256")


class Source(NamedTuple):
    """A file in a public GitHub repository: repository is OWNER/NAME, commit 40 hexadecimal digits."""

    repository: str
    commit: str
    file: str

    @property
    def address(self) -> str:
        """Where the file is. Raises UserError if a part is not what it should be."""
        repository = re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", self.repository, re.ASCII)
        if not repository or not re.fullmatch(r"[0-9a-f]{40}", self.commit):
            raise UserError(f"{self.repository} at {self.commit}", "is no repository at a commit", "correct the table")
        inside(Path("/"), self.file, self.repository)
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{quote(self.file)}"


def main(out: Path, vid4: Path | None = None, table: Path = TABLE) -> None:
    """Fetch what is missing and write the manifest into OUT. Raises UserError if a file is not the one in the table."""
    rows = read_rows(table)
    for row in rows:
        path = inside(out, row["path"], table)
        if not path.is_file() or sha256(path) != row["sha256"]:
            fetch(Source(row["repository"], row["commit"], row["file"]), path, row["sha256"])
            print(f"fetched {row['path']} ({row['licence']})", flush=True)
    manifest: list[dict[str, object]] = [{name: row[name] for name in READ} for row in rows]
    if vid4:
        for shot in find_shots(vid4, ShotSelection(clips=["calendar", "city", "foliage", "walk"])):
            path = relpath(shot.path.resolve(), out.resolve())
            manifest.append({"name": shot.name, "path": path, "split": "eval", "content_type": "vid4"})
    write_rows(out / table.name, manifest)
    print(f"{len(manifest)} clips in {out / table.name}")


def fetch(source: Source, path: Path, expected: str) -> None:
    """Write a file of a repository to path. Raises UserError without network, and for other contents."""
    address = source.address
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            content = response.read(LIMIT + 1)
            last = response.url
    except OSError as error:
        raise UserError(path.name, f"could not be fetched from {address} ({error})", "run it with a network") from error
    if not last.startswith("https://") or len(content) > LIMIT or hashlib.sha256(content).hexdigest() != expected:
        raise UserError(path.name, f"is not the file that the table describes, at {address}", "correct the table")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


if __name__ == "__main__":
    try:
        folders = [Path(word) for word in sys.argv[1:] if not word.endswith(".csv")]
        main(*folders, table=next((Path(word) for word in sys.argv[1:] if word.endswith(".csv")), TABLE))
    except UserError as error:
        sys.exit(str(error))
