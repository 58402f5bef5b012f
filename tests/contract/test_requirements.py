"""What pyproject.toml declares is what is imported, and what requirements.lock pins."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import yaml
from packaging.requirements import Requirement

import vsr_lab

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BASE = {Requirement(line).name.lower() for line in PROJECT["dependencies"]}
EXTRAS = {
    extra: {Requirement(line).name.lower() for line in lines}
    for extra, lines in PROJECT["optional-dependencies"].items()
}
NOT_LOCKED = {"legibility", "cvvdp"}  # would replace the OpenCV that needs no libGL; requires many packages
LOADED_BY_OTHERS = {"onnxscript"}  # torch.onnx imports it


def imported(folder: Path) -> Iterator[str]:
    """First names of the modules that the files of a folder import, at their top or inside functions."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def distributions(folder: Path) -> set[str]:
    """The distributions that bring what a folder imports."""
    known = packages_distributions()
    modules = set(imported(folder)) - set(sys.stdlib_module_names) - {"vsr_lab"}
    missing = modules - known.keys()
    assert not missing, f"not installed: {sorted(missing)}"
    return {known[module][0].lower().replace("_", "-") for module in modules}


def test_every_import_of_the_package_is_declared() -> None:
    declared = BASE.union(*(names for extra, names in EXTRAS.items() if extra != "dev"))
    assert distributions(ROOT / "vsr_lab") <= declared


def test_every_requirement_of_the_base_is_imported() -> None:
    assert distributions(ROOT / "vsr_lab") >= BASE - LOADED_BY_OTHERS


def test_the_lock_satisfies_every_requirement_and_names_no_registry() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    pins = dict[str, list[str]]()
    for line in text.splitlines():
        name, version = line.partition(" ;")[0].split("==")
        pins.setdefault(name, []).append(version)
    extras = {name: lines for name, lines in PROJECT["optional-dependencies"].items() if name not in NOT_LOCKED}
    for line in chain(PROJECT["dependencies"], *extras.values()):
        wanted = Requirement(line)
        versions = pins.get(wanted.name.lower().replace("_", "-"), [])
        assert versions, f"{line} is not pinned; make lock"
        assert all(wanted.specifier.contains(version) for version in versions), (line, versions)


def test_the_citation_names_the_version_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == vsr_lab.__version__


def test_every_extra_that_a_message_names_exists_and_is_in_the_readme() -> None:
    named = set[str]()
    for file in (*(ROOT / "vsr_lab").rglob("*.py"), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        found: list[str] = re.findall(r"vsr-lab\[([a-z,]+)\]", file.read_text(encoding="utf-8"))
        named.update(name for names in found for name in names.split(","))
    assert named <= EXTRAS.keys()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`[{extra}]`" in readme for extra in EXTRAS)
