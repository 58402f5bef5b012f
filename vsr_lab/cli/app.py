"""Functions that all commands share: starting of a command, creation of the run folder, and reporting of errors."""

import importlib
import json
import os
import re
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import requires
from itertools import count
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from vsr_lab.cli.configuration.overrides import key_of, keys_within, normalise, step_into_list
from vsr_lab.cli.configuration.resumed import resumed_config
from vsr_lab.cli.configuration.schema import Command, check, register_resolvers
from vsr_lab.cli.configuration.usage import config_dir, config_name, module_name, options
from vsr_lab.core.errors import Incomplete, Refusal, UserError, causes, is_disk_full, is_out_of_memory, printable
from vsr_lab.core.files import write_text
from vsr_lab.core.run_folder import RUN_MARK, begin_folder, continue_folder, end_run, remove_unfinished
from vsr_lab.core.signals import interruption_of, pass_signals
from vsr_lab.core.spec import spec_of

REFUSED, UNUSABLE, INCOMPLETE, DEFECT = 1, 2, 3, 70
_CODES: dict[type, int] = {Refusal: REFUSED, UserError: UNUSABLE, Incomplete: INCOMPLETE}
_FOOTAGE = {"root", "data.root", "data.lr_root", "suite.root", "suite.lr_root", "lr", "hr", "stills", "input", "a", "b"}
_begun: list[tuple[Command, bool]] = []  # the runs of this process, and whether their folders are new


def launch(command: str) -> int:
    """Run a command with the overrides in sys.argv, and return its exit code.

    Hydra composes the configuration. The module of the command is imported only when the command is run, so that
    `--cfg job` does not import torch. In a sweep, Hydra uses the return value of the module's function `run` (not the
    exit code) as the objective.
    """
    name = config_name(command)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # those of libraries, of which a user can fix none
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises errors; they are reported below in one line
    failures: list[Exception] = []
    process = os.getpid()
    new = [path for path in (Path("results", name), Path("results")) if not path.exists()]  # hydra.sweep.dir is in them
    typed = [key_of(word) for word in sys.argv[1:] if not word.startswith("-")]

    def job(cfg: DictConfig) -> Any:
        register_resolvers()  # a sweep's launcher may have handed the job to another process
        try:
            keys = [*typed, *keys_within(HydraConfig.get().overrides.task)]
            config = resumed_config(cfg) if cfg.get("resume") is not None else check(command, cfg, keys)
            result = importlib.import_module(module_name(command)).run(config)
            if HydraConfig.get().mode == RunMode.RUN:
                pass_signals()
            _end_runs()
            return result
        except Exception as error:
            if os.getpid() != process:  # of a sweep's launcher
                raise
            failures.append(error)  # Hydra would print its overrides above the one line meant for the user
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise _SweepEnded(HydraConfig.get().sweep.dir) from error
            return None

    try:
        sys.argv[1:] = normalise(command, sys.argv[1:])
        hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=name)(job)()
        if failures:
            raise failures[0]
    except (Exception, _SweepEnded) as error:
        if interruption := interruption_of(error):
            raise interruption from None
        cause = failures[0] if failures else step_into_list(error, typed)
        code, line = _report(cause) or _defect(cause)
        _end_runs(code, remove=command == "compare" or is_disk_full(cause))
        if isinstance(error, _SweepEnded):
            _remove_sweep(Path(str(error)), new)
        print(printable(f"vsr-lab {command}: {line}"), file=sys.stderr)
        return code
    return 0


def _remove_sweep(folder: Path, made: Sequence[Path]) -> None:
    """Remove the folder of a sweep if its only file is Hydra's own, and also those of its parents that are in `made`.

    The folder did not exist before the sweep, see `normalise`.
    """
    if all(path.name == "multirun.yaml" or (path.is_dir() and not path.is_symlink()) for path in folder.rglob("*")):
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            for parent in made:
                parent.rmdir()


class _SweepEnded(BaseException):
    """Ends a sweep at its first failed job. It is no subclass of Exception, which Hydra would catch and report."""


def _end_runs(code: int = 0, remove: bool = False) -> None:
    """Mark the runs of this process as ended, or remove their folders if they are new and the input was unusable.

    remove: also remove new folders that contain results, unless the command can be continued from these results.
    """
    for run, is_new in _begun:
        if code in {0, REFUSED}:
            end_run(run.run_dir)
        elif code == UNUSABLE and is_new:
            remove_unfinished(run.run_dir, run.results or ("" if remove else "*"), run.writes)
    _begun.clear()


def _defect(error: BaseException) -> tuple[int, str]:
    """Exit code and message for a defect of this package; the traceback is written to a file."""
    folder = next((run.run_dir for run, _ in _begun if run.run_dir.is_dir()), Path(tempfile.gettempdir()))
    path = folder / f"traceback-{os.getpid()}.txt"
    text = "".join(traceback.format_exception(error))
    with suppress(FileExistsError), path.open("x", encoding="utf-8", errors="replace") as file:
        file.write(text)
    what = " ".join(str(error).split())[:200] or "no message"
    return DEFECT, f"this is a defect of vsr-lab ({type(error).__name__}: {what}); report it and attach {path}"


def _report(error: BaseException) -> tuple[int, str] | None:
    """Exit code and message for an error that the user can fix; None for a defect of this package."""
    for cause in causes(error):
        if code := _CODES.get(type(cause)):
            return code, str(cause)
        if isinstance(cause, ModuleNotFoundError) and (missing := _missing_package(cause)):
            return UNUSABLE, str(missing)
        if isinstance(cause, OSError) and is_disk_full(cause):
            where = cause.filename or "run_dir"
            return UNUSABLE, f"{where}: the disk is full; free some space and run the command again"
        if isinstance(cause, RuntimeError) and (loop := re.match(r"Symlink loop from '(.*)'", str(cause))):
            return UNUSABLE, f"{loop[1]}: is a symbolic link that leads to itself; remove the link"
        if isinstance(cause, BrokenPipeError):
            return UNUSABLE, "standard output: was closed by the program that reads it; write the output to a file"
        if is_out_of_memory(cause):
            return UNUSABLE, "out of memory; use smaller or fewer frames, or fewer processes"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return UNUSABLE, f"{error.filename}: {error.strerror.lower()}; choose another path"
    if isinstance(error, (HydraException, OmegaConfBaseException)):
        if isinstance(error, MissingConfigException):
            group, _, option = str(error.missing_cfg_file).rpartition("/")
            return (
                UNUSABLE,
                f"{group}: has no option {option!r}; run the command with --info plugins, which lists the options",
            )
        if missing := re.match(r"You must specify '(.*)',", str(error)):
            return UNUSABLE, f"{missing[1]}: is required; choose one of {', '.join(options(missing[1]))}"
        return UNUSABLE, str(error).strip().splitlines()[0]
    return None


def composed(command: str, *words: str) -> Any:
    """Compose and validate the configuration of a command, for use while Hydra runs another command.

    Args:
        command: name of the command to configure.
        words: overrides of its configuration, "key=value".
    """
    return check(command, compose(config_name(command), [*words]))


def begin_run(config: Command, *, continued: bool = False, has_runs: bool = False) -> Path:
    """Create the folder of a run (run_dir), write the configuration to it, and return its path.

    Args:
        config: configuration of the run.
        continued: keep the files of an unfinished run with the same configuration.
        has_runs: whether the command creates the folders of other runs inside its own folder.

    Raises:
        UserError: run_dir contains an input of the run and `overwrite` is set, run_dir is inside a folder of footage
            that the run reads, or it cannot be used for another reason, see `begin_folder`.
    """
    folder, values = config.run_dir, check_place(config)
    is_new = begin_folder(folder, config.overwrite, _yaml(values), continued=continued, has_runs=has_runs)
    _begun.append((config, is_new))
    return folder


def check_place(config: Command) -> Any:
    """Return the values of a configuration.

    Raises UserError if run_dir contains an input and `overwrite` is set, or is inside a folder of footage that is read.
    """
    folder, values = config.run_dir, spec_of(config)
    for key, path in _paths(values, ""):
        is_read = key.rpartition(".")[2] not in {"run_dir", "save_dir"}  # of the run and of its loggers
        if config.overwrite and is_read and path.resolve().is_relative_to(folder.resolve()):
            what = "is" if path.resolve() == folder.resolve() else f"contains {path},"
            raise UserError("run_dir", f"{folder} {what} the value of {key}=", "choose another run_dir=")
        # A candidate may be a run, in which evaluations of it may be; a folder of frames is none.
        is_footage = key in _FOOTAGE or (key == "candidate.path" and not (path / RUN_MARK).exists())
        if is_footage and path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
            where = "is" if path.resolve() == folder.resolve() else f"is inside {path},"
            raise UserError("run_dir", f"{folder} {where} the value of {key}=", "choose another run_dir=")
    return values


def continue_run(config: Command) -> None:
    """Mark a training run as unfinished again when it is resumed, and record overrides in its config.yaml.

    If config.yaml changes, the old file is kept as config.previous-1.yaml (or 2, 3, ...).
    """
    stored = (config.run_dir / RUN_MARK).read_text(encoding="utf-8")
    values = {**spec_of(config), "resume": None}
    is_changed = yaml.safe_load(stored).get("resumed", []) != values["resumed"]
    if is_changed:  # kept with the comments of a person, if there are any
        names = (config.run_dir / f"config.previous-{number}.yaml" for number in count(1))
        write_text(next(name for name in names if not name.exists()), stored)
    continue_folder(config.run_dir, _yaml(values) if is_changed else stored)


def _yaml(values: Any) -> str:
    values = json.loads(json.dumps(values))  # nothing is shared, which YAML would write as aliases
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def _paths(node: Any, key: str) -> Iterator[tuple[str, Path]]:
    """Yield every path in a configuration, with its dotted key."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        yield from _paths(child, f"{key}.{name}" if key else str(name))
    with suppress(OSError):  # a text may be too long for a path
        if isinstance(node, str) and node and Path(node).exists():
            yield key, Path(node)


def _missing_package(error: ModuleNotFoundError) -> UserError | None:
    """Error for a package that is not installed, which names the extra of vsr_lab that contains it."""
    name = (error.name or "").partition(".")[0]
    if name in {"", "vsr_lab"}:
        return None
    declared = [re.match(r"([\w-]+).*extra == ['\"](\w+)['\"]", line) for line in requires("vsr-lab") or ()]
    extras = [found[2] for found in declared if found and found[1].replace("-", "_").startswith(name)]
    extra = f"'vsr-lab[{extras[0]}]'" if extras else name
    return UserError(name, "is not installed", f"pip install {extra}")
