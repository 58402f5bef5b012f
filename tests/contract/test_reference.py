"""The pages in docs/reference say what the commands take."""

import importlib.util
from pathlib import Path
from types import ModuleType

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_writer", REFERENCE / "write.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_current() -> None:
    """Otherwise: python docs/reference/write.py"""
    written = generator().written()
    assert {path.name for path in REFERENCE.glob("*.md")} | {path.name for path in REFERENCE.glob("*.json")} == {
        path.name for path in written
    }
    assert not [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text]


def test_every_key_has_a_meaning() -> None:
    empty = [
        f"{path.stem}: {line}"
        for path, text in generator().written().items()
        if path.suffix == ".md"
        for line in text.splitlines()
        if line.startswith("| `") and line.endswith("|  |")
    ]
    assert not empty
