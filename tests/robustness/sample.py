"""A few of everything, for `make test`: python -m tests.robustness.sample."""

import os
import sys
import tempfile
from pathlib import Path

from tests.mistakes.processes import import_everything
from tests.mistakes.world import environment
from tests.robustness.killing import build, stop, usual

_STOPPED = {"evaluate": [("SIGINT", 0.5)], "footage degrade": [("SIGTERM", 0.7), ("SIGKILL", 0.4)]}


def main() -> int:
    """Print what is wrong; exit code 1 where there is something."""
    import_everything()
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sample-") as folder, environment(Path(folder)):
        world = build(Path(folder), base=False)
        for name, moments in _STOPPED.items():
            alone = usual(name, world)
            for kind, moment in moments:
                cell = stop(name, kind, moment, world, alone)
                faults += [f"{name} {kind} {moment}: {fault}" for fault in cell.faults]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
