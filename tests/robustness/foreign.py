"""Files of others in the folder of a run, which has to keep them: python -m tests.robustness.foreign.

Every command that makes a folder is run, files are put beside its own, and it is run again: over the finished run with
`overwrite=true`, and over a killed one with another configuration.
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
from vsr_lab.core.run_folder import own_files

FOLDERS = [
    name for name, line in COMMANDS.items() if "run_dir=k/run" in line and name not in {"upscale", "footage index"}
]
_NAMES = ("notes.txt", ".env", "mine/config.yaml")
_SKIPPED = r"/bundle$|/store$|\.partial$"  # written as a whole, with a rule of its own, temporary


def plant(run: Path) -> dict[Path, str]:
    """Put files into a run's folder and into the folders in it: path -> text."""
    folders = [run, *(path for path in run.rglob("*") if path.is_dir() and not re.search(_SKIPPED, str(path)))]
    planted = {folder / name: f"{folder / name}\n" for folder in folders for name in _NAMES}
    for path, text in planted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return planted


def undeclared(run: Path) -> list[str]:
    """The files of a run that it did not declare, which overwrite=true would leave there."""
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    return sorted(name for name in names - {*own_files(run)} if not re.match(r"\.lock$|store/", name))


def faults(name: str, world: World) -> list[str]:
    """What is wrong when a command meets files of others."""
    run, log, line = world.folder / "k/run", world.folder.parent / "foreign", COMMANDS[name]
    found: list[str] = []

    def again(what: str, line: str) -> None:
        planted = plant(run)
        done = forked(lambda: command(line.split()), world.folder, 3 * LIMIT, log)
        if done.code not in {0, 1} and "was not written by this command" not in done.err:
            found.append(f"{what}: exit {done.code}: {done.err.strip()[-300:]}")
        gone = [path for path, text in planted.items() if not path.is_file() or path.read_text() != text]
        found.extend(f"{what}: {path.relative_to(world.folder)} is lost" for path in gone)

    began = time.monotonic()
    forked(lambda: command(line.split()), world.folder, 3 * LIMIT, log)
    seconds = time.monotonic() - began
    found += [f"{path} is not declared" for path in undeclared(run)]
    again("overwrite", f"{line} overwrite=true")
    world.restore()
    child = start(lambda: command(line.split()), world.folder, log)
    time.sleep(seconds * 0.7)
    os.kill(child, signal.SIGKILL)
    waited(child, LIMIT)
    end_session(child)
    saved = any(run.glob("checkpoints/last*.ckpt")) or not (run / ".unfinished").exists()
    again("killed", line.replace("run_dir=k/run", f"run_dir={run}") + (" overwrite=true" if saved else ""))
    world.restore()
    return found


def in_the_way(world: World) -> list[str]:
    """What is wrong when somebody's file is in the folder of a bundle: it has to be named, and nothing is removed."""
    words, log = COMMANDS["export"].split(), world.folder.parent / "foreign"
    forked(lambda: command(words), world.folder, LIMIT, log)
    mine, manifest = (world.folder / "k/run/bundle" / name for name in ("notes.txt", "manifest.json"))
    mine.write_text("mine", encoding="utf-8")
    before = manifest.read_bytes()
    done = forked(lambda: command([*words, "overwrite=true"]), world.folder, LIMIT, log)
    right = done.code == 2 and "notes.txt: was not written by this command" in done.err
    kept = mine.read_text(encoding="utf-8") == "mine" and manifest.read_bytes() == before
    world.restore()
    return ([] if right else [f"exit {done.code}: {done.err}"]) + ([] if kept else ["files are lost"])


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
            found = faults(name, world) + (in_the_way(world) if name == "export" else [])
            wrong += bool(found)
            print(f"{name:16} {'; '.join(found) or 'right'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
