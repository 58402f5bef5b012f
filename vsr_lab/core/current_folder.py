"""Protection from files that somebody else may have put in the current folder: no file in it is executed."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from sysconfig import get_path
from types import ModuleType


def protect_processes() -> None:
    """Set environment variables so that processes started by this process load no code from the current folder."""
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # or workers would import modules from it
    # If this is not set, OpenCV makes it end in ":", and other processes load libraries from the current folder.
    folders = [folder for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    os.environ["LD_LIBRARY_PATH"] = ":".join(folders) or str(Path(__file__).parent)


def elsewhere() -> chdir[str]:
    """Context manager that changes the current folder to that of Python's standard library, which can be trusted."""
    return chdir(get_path("stdlib"))


def import_torch_elsewhere() -> None:
    """Change the import system so that a later `import torch` runs in a trusted current folder, see `elsewhere`.

    The reason: libcusparseLt, a library that torch loads, looks for libcuda.so.1 in the current folder.
    """
    if not any(isinstance(finder, _TorchElsewhere) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TorchElsewhere())


class _TorchElsewhere(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == "torch" else None
        if spec and spec.loader:
            spec.loader.exec_module = partial(_executed_elsewhere, spec.loader.exec_module)
        return spec


def _executed_elsewhere(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    with elsewhere():
        execute(module)
