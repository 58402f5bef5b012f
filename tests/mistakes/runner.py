"""Run every line and say what became of it: python -m tests.mistakes.runner [--only REGEX] [--csv FILE] [--table]."""

import argparse
import csv
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mistakes.events import run_event
from tests.mistakes.lines import OWN, Line, is_event, known_wrong, read_lines, shared_table
from tests.mistakes.processes import Ended, command, forked, import_everything
from tests.mistakes.verdict import KINDS, Verdict, judge
from tests.mistakes.world import World, build_world, environment, open_world

COLUMNS = ["id", "command", "verdict", "why", "exit", "seconds", "line", "earlier_line", "earlier_verdict", "arguments"]
LIMIT = 40.0  # seconds for one line
# Names that lines give and the world has not, each with what is missing: such a line counts as not run.
NOT_IN_WORLD: dict[str, str] = {}


@dataclass(frozen=True)
class Outcome:
    """A line, how it ended and what that is worth."""

    line: Line
    ended: Ended
    verdict: Verdict


def run_lines(lines: Iterable[Line], world: World, limit: float = LIMIT) -> Iterator[Outcome]:
    """Run lines one after the other, each in the world as it was built."""
    for line in lines:
        yield run_line(line, world, limit)


def run_line(line: Line, world: World, limit: float = LIMIT) -> Outcome:
    """Run one line and put the world back."""
    gap = _gap(line, world)
    if gap:
        return Outcome(line, Ended(None, "", "", 0.0), Verdict("not run", gap))
    try:
        if is_event(line):
            ended, verdict = run_event(line, world, limit)
            return Outcome(line, ended, verdict)
        ended = forked(lambda: command(line.words_typed), _folder(line, world), limit, world.folder.parent / "line")
        return Outcome(line, ended, judge(line, ended, world.changes()))
    except OSError as error:  # of this program and not of the command
        return Outcome(line, Ended(None, "", "", 0.0), Verdict("not run", f"{type(error).__name__}: {error}"))
    finally:
        world.restore()


def _folder(line: Line, world: World) -> Path:
    return world.folder / ("runA" if line.name == "LOSS_trainover_rel" else "")


def _gap(line: Line, world: World) -> str:
    """What the line names and the world lacks."""
    for name, missing in {**NOT_IN_WORLD, **world.missing}.items():
        if re.search(rf"(?<![\w./]){re.escape(name)}(?![\w])", line.text):
            return f"{name}: {missing}"
    return ""


def report(outcomes: list[Outcome]) -> str:
    """Counts by command and verdict."""
    counts = Counter((o.line.command, o.verdict.kind) for o in outcomes)
    rows = [["command", "lines", *KINDS]]
    for name in sorted({o.line.command for o in outcomes}):
        found = [counts[name, kind] for kind in KINDS]
        rows.append([name, str(sum(found)), *map(str, found)])
    total = [sum(counts[key] for key in counts if key[1] == kind) for kind in KINDS]
    rows.append(["all", str(sum(total)), *map(str, total)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)


def cells(o: Outcome) -> list[str]:
    """A row of the table: how a line ended, beside how it ended when the shared table was written."""
    said = " / ".join(text for text in o.ended.err.splitlines() if text.strip())[-600:]
    now = [o.line.name, o.line.command, o.verdict.kind, o.verdict.why, str(o.ended.code), f"{o.ended.seconds:.1f}"]
    return [*now, said, o.line.earlier, o.line.earlier_verdict, o.line.text]


@contextmanager
def _box(kept: Path | None) -> Generator[Path]:
    """The folder kept, or one that is gone afterwards."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="mistakes-") as box:
            yield Path(box)


def main() -> int:
    """Exit code 0 where every line is right or known to be wrong, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the lines whose id or command this regular expression finds")
    parser.add_argument("--csv", type=Path, help="run the lines of this table alone")
    parser.add_argument("--table", action="store_true", help="print every line and its verdict")
    parser.add_argument("--out", type=Path, default=Path("mistakes_now.csv"), help="the table to write")
    parser.add_argument("--box", type=Path, help="a folder in which the world is kept for the next time")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for one line")
    asked = parser.parse_args()
    lines = read_lines(asked.csv) if asked.csv else [*read_lines(shared_table()), *read_lines(OWN)]
    lines = [line for line in lines if re.search(asked.only, f"{line.name} {line.command}")]
    if not asked.csv and not shared_table().is_file():
        print(f"no {shared_table()}: only the lines of {OWN.name} are run", file=sys.stderr)
    began = time.monotonic()
    import_everything()
    outcomes: list[Outcome] = []
    with _box(asked.box) as box, environment(box), asked.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        world = open_world(box) if (box / "whole").is_dir() else build_world(box)
        print(f"world built in {time.monotonic() - began:.0f} s; {len(lines)} lines", flush=True)
        for outcome in run_lines(lines, world, asked.limit):
            outcomes.append(outcome)
            table.writerow(cells(outcome))
            file.flush()
            if asked.table:
                said = outcome.ended.err.strip().splitlines()
                name, kind, why = outcome.line.name, outcome.verdict.kind, outcome.verdict.why[:60]
                print(f"{name:28} {kind:15} {why:60} {said[-1][:200] if said else ''}", flush=True)
    print(report(outcomes))
    known = known_wrong()
    fresh = [o.line.name for o in outcomes if o.verdict.kind not in {"right", "not run"} and o.line.name not in known]
    mended = [o.line.name for o in outcomes if o.verdict.kind == "right" and o.line.name in known]
    print(
        f"{time.monotonic() - began:.0f} s; table: {asked.out}; wrong and not in known.txt: {len(fresh)}; "
        f"right and still in known.txt: {len(mended)}"
    )
    return 1 if fresh else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # some libraries report, on the way out, objects that gc.freeze kept
