"""Files of others in the folder of a run, which has to keep them: python -m tests.robustness.foreign.

Every command that makes a folder is run, files are put beside its own, and it is run again: over the finished run with
`overwrite=true`, and over a killed one with another configuration. They have to be in the folder that was renamed.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.mistakes.processes import command, end_session, forked, import_everything, start, waited
from tests.mistakes.world import World, environment
from tests.robustness.killing import BASE, COMMANDS, LIMIT, WITHOUT_BASE, build
from vsr_lab.core.run_folder import RUN_MARK

FOLDERS = [
    name for name, line in COMMANDS.items() if "run_dir=k/run" in line and name not in {"upscale", "footage index"}
]
_NAMES = ("notes.txt", ".env", "mine/config.yaml")
_ENDS = {Path(name).name for name in _NAMES}
_SKIPPED = r"\.partial$"  # temporary


def plant(run: Path) -> dict[Path, str]:
    """Put files into a run's folder and into the folders in it: path -> text."""
    folders = [run, *(path for path in run.rglob("*") if path.is_dir() and not re.search(_SKIPPED, str(path)))]
    planted = {folder / name: f"{folder / name}\n" for folder in folders for name in _NAMES}
    for path, text in planted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return planted


def faults(name: str, world: World) -> list[str]:
    """What is wrong when a command meets files of others."""
    run, log, line = world.folder / "k/run", world.folder.parent / "foreign", COMMANDS[name]
    found: list[str] = []

    def again(what: str, line: str) -> None:
        planted = plant(run)
        done = forked(lambda: command(line.split()), world.folder, 3 * LIMIT, log)
        if done.code not in {0, 1}:
            found.append(f"{what}: exit {done.code}: {done.err.strip()[-300:]}")
        kept = {
            path.read_text(encoding="utf-8") for path in run.parent.rglob("*") if path.name in _ENDS and path.is_file()
        }
        gone = [path for path, text in planted.items() if text not in kept]
        found.extend(f"{what}: {path.relative_to(world.folder)} is lost" for path in gone)

    began = time.monotonic()
    forked(lambda: command(line.split()), world.folder, 3 * LIMIT, log)
    seconds = time.monotonic() - began
    again("overwrite", f"{line} overwrite=true")
    world.restore()
    child = start(lambda: command(line.split()), world.folder, log)
    time.sleep(seconds * 0.7)
    os.kill(child, signal.SIGKILL)
    waited(child, LIMIT)
    end_session(child)
    saved = any(run.glob("checkpoints/last*.ckpt")) or not (run / ".unfinished").exists()
    if (run / RUN_MARK).is_file():  # else it was killed before it began
        again("killed", line.replace("run_dir=k/run", f"run_dir={run}") + (" overwrite=true" if saved else ""))
    world.restore()
    return found


def main() -> int:
    """Print a line for each command; exit code 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="the commands that this regular expression finds")
    parser.add_argument("--without-base", action="store_true", help="only commands that need no more than footage")
    asked = parser.parse_args()
    import_everything()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder, environment(Path(folder)):
        world = build(Path(folder), () if asked.without_base else BASE)
        names = [name for name in FOLDERS if re.search(asked.only, name)]
        for name in [n for n in names if n in WITHOUT_BASE] if asked.without_base else names:
            found = faults(name, world)
            wrong += bool(found)
            print(f"{name:16} {'; '.join(found) or 'right'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
