"""A few of everything, for `make test`: python -m tests.robustness.sample."""

import os
import sys
import tempfile
from pathlib import Path

from tests.mistakes.processes import import_everything
from tests.mistakes.world import environment
from tests.robustness.foreign import faults as beside_others
from tests.robustness.fuzz_records import fuzz
from tests.robustness.killing import build, stop, usual
from tests.robustness.twice import Pair, both

_STOPPED = {"footage degrade": [("SIGINT", 0.5), ("SIGTERM", 0.7), ("SIGKILL", 0.4)]}
_TWICE = ("footage degrade",)
_RECORDS = 12  # manifests alone: the others need what only a training makes


def main() -> int:
    """Print what is wrong; exit code 1 where there is something."""
    import_everything()
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sample-") as folder, environment(Path(folder)):
        world = build(Path(folder), ["footage index root=hr run_dir=idx split=0.3 scans=scans"])
        for name, moments in _STOPPED.items():
            alone = usual(name, world)
            for kind, moment in moments:
                cell = stop(name, kind, moment, world, alone)
                faults += [f"{name} {kind} {moment}: {fault}" for fault in cell.faults]
            if name in _TWICE:
                pair = both(Pair(name, name, 0.0), world, alone)
                faults += [f"{name} twice: {fault}" for fault in pair.faults]
        faults += [f"footage degrade beside others: {fault}" for fault in beside_others("footage degrade", world)]
        faults += [
            f"{o.number} {o.damage} {o.line}: {o.fault}" for o in fuzz(world, _RECORDS, 1, "manifest") if o.fault
        ]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
