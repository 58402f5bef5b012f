"""Imported before vsr_lab: lets a benchmark run on a lent machine that lacks packages which it never calls."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock


class _Empty(ModuleType):
    """A module in which every name is there and none does anything."""

    __path__: list[str] = []  # noqa: RUF012 - what makes a module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=f"{self.__name__}.{name}, which is not installed")


class _Finder:
    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = set(packages)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name.partition(".")[0] in self.packages else None  # pyright: ignore

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _missing(packages: Sequence[str]) -> list[str]:
    return [name for name in packages if find_spec(name) is None]


if missing := _missing(["av", "decord", "kornia", "lmdb", "piq"]):
    print(f"not installed, and not needed where it is not called: {', '.join(missing)}")
    sys.meta_path.append(_Finder(missing))  # pyright: ignore
