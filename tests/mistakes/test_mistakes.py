"""Mistakes on the command line end in one plain sentence; nothing is lost, executed or ignored.

A line that still ends wrong is listed in known.txt, which may only shrink.
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mistakes.lines import OWN, Line, is_event, known_wrong, read_lines, shared_table

ROOT = Path(__file__).parents[2]
KNOWN = known_wrong()
LINES = [*read_lines(shared_table()), *read_lines(OWN)]


def _sample() -> list[Line]:
    """One line of each kind that is right already: by what the id begins with, or by command and by what was wrong."""
    first: dict[tuple[str, str], Line] = {}
    for line in LINES:
        if line.name not in KNOWN and not is_event(line):
            kind = (line.command, line.earlier_verdict.partition(" (")[0])
            first.setdefault(kind if kind[1] else ("", line.name.rstrip("0123456789")), line)
    return list(first.values())


def _run(folder: Path, *options: str) -> dict[str, dict[str, str]]:
    """The runner's table, by id. A process of its own: forks of this one would inherit the threads of other tests."""
    table = folder / "table.csv"
    done = subprocess.run(
        [sys.executable, "-m", "tests.mistakes.runner", "--out", str(table), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert table.is_file(), done.stdout + done.stderr
    with table.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    names = "|".join(re.escape(line.name) for line in _sample())
    return _run(tmp_path_factory.mktemp("sample"), "--only", f"^({names}) ")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    return _run(tmp_path_factory.mktemp("everything"))


def _check(row: dict[str, str]) -> None:
    if row["verdict"] == "not run":
        pytest.skip(f"{row['id']}: not run: {row['why']}")
    said = f"{row['command']} {row['arguments']}\n{row['verdict']}: {row['why']}\nexit {row['exit']}: {row['line']}"
    assert row["verdict"] == "right", said


def test_the_shared_table_is_there() -> None:
    if not shared_table().is_file():
        pytest.skip(f"no {shared_table()}; set VSR_LAB_CASES: only the lines of own.csv are run")


@pytest.mark.parametrize("name", [line.name for line in _sample()])
def test_sample_of_every_kind(sampled: dict[str, dict[str, str]], name: str) -> None:
    _check(sampled[name])


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", [line.name for line in LINES if line.name not in KNOWN])
def test_every_line(everything: dict[str, dict[str, str]], name: str) -> None:
    _check(everything[name])


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_known_mistakes_are_still_wrong(everything: dict[str, dict[str, str]]) -> None:
    """A line that is right now is taken out of known.txt, so that it stays right."""
    mended = sorted(name for name in KNOWN & everything.keys() if everything[name]["verdict"] == "right")
    assert not mended, f"take these out of tests/mistakes/known.txt: {', '.join(mended)}"


def test_ids_are_unique_and_known_ones_exist() -> None:
    names = [line.name for line in LINES]
    assert len(names) == len(set(names))
    if shared_table().is_file():
        assert set(names) >= KNOWN
