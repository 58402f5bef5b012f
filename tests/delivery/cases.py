"""All cases: python -m tests.delivery.cases [--only REGEX] [--shared FOLDER] [--odd FOLDER] [--table] [--csv FILE].

--shared names what shared/cases/upscale/make_cases.py wrote, --odd the folder shared/cases/odd.
"""

import argparse
import csv
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

from tests.delivery.basic_cases import basic_cases
from tests.delivery.case import REFUSED, RIGHT, Case, Outcome, judge
from tests.delivery.further_cases import further_cases
from tests.delivery.given_cases import odd_cases, shared_cases
from tests.delivery.handling_cases import handling_cases
from tests.delivery.picture_cases import picture_cases
from tests.delivery.preset_cases import preset_cases
from tests.delivery.stream_cases import stream_cases

_REMEDY = "; choose another suffix for output=, or set unsupported=drop or unsupported=convert"
VERDICTS = (RIGHT, REFUSED, "silently dropped", "silently wrong", "refused badly", "traceback")


def own_cases() -> list[Case]:
    """Cases whose files are made here."""
    return [*basic_cases(), *stream_cases(), *picture_cases(), *handling_cases(), *further_cases(), *preset_cases()]


def run(cases: Iterable[Case]) -> Iterator[Outcome]:
    """Upscale the file of each case in a folder of its own."""
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="cases_") as folder:
            with redirect_stdout(sys.stderr):  # progress bars
                outcome = judge(case, Path(folder))
            yield outcome


def table(outcomes: list[Outcome]) -> str:
    """The outcomes by kind, and the messages of refusals, in Markdown."""
    kinds = {outcome.case.kind: Counter[str]() for outcome in outcomes}
    for outcome in outcomes:
        kinds[outcome.case.kind][outcome.verdict] += 1
    kinds["all"] = sum(kinds.values(), Counter[str]())
    lines = [f"| kind | cases | {' | '.join(VERDICTS)} |", f"|---|{'---:|' * (len(VERDICTS) + 1)}"]
    for kind, counts in kinds.items():
        lines.append(f"| {kind} | {counts.total()} | {' | '.join(str(counts[name]) for name in VERDICTS)} |")
    lines += ["", "| refused | message |", "|---|---|"]
    for outcome in outcomes:
        if outcome.verdict == REFUSED:
            message = re.sub(r"/tmp/[^: ]*/", "", outcome.why).removesuffix(_REMEDY).replace("|", " ")
            lines.append(f"| {outcome.case.name} | {message} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=".")
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--odd", type=Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    cases = own_cases()
    cases += shared_cases(asked.shared) if asked.shared else []
    cases += odd_cases(asked.odd) if asked.odd else []
    outcomes: list[Outcome] = []
    for outcome in run(case for case in cases if re.search(asked.only, f"{case.kind}: {case.name}")):
        outcomes.append(outcome)
        if not asked.table or outcome.verdict not in (RIGHT, REFUSED):
            print(f"{outcome.verdict:16} {outcome.case.kind}: {outcome.case.name}  {outcome.why}", file=sys.stderr)
    if asked.csv:
        with asked.csv.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["kind", "case", "verdict", "why"])
            rows.writerows([[o.case.kind, o.case.name, o.verdict, o.why] for o in outcomes])
    if asked.table:
        print(table(outcomes))
    sys.exit(any(outcome.verdict not in (RIGHT, REFUSED) for outcome in outcomes))


if __name__ == "__main__":
    main()
