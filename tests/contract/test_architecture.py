"""The house: arrows point down, files and functions stay small."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from vsr_lab.cli.configuration.usage import COMMANDS

PACKAGE = Path(__file__).parents[2] / "vsr_lab"
FILES = sorted(PACKAGE.rglob("*.py"))


def test_arrows_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_file_and_its_functions_are_small(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 320
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno < 65, f"{file.name}: {node.name}"
            # Python hands __new__ what __init__ takes, and __init__ refuses what it does not know.
            assert node.args.kwarg is None or node.name == "__new__", f"{file.name}: {node.name} swallows keywords"


# The modules that each command line has imported when it ends.
IMPORTED = """
import json, sys
from vsr_lab.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code
sys.stderr.write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def imported(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", IMPORTED, *arguments]
    return set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stderr))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_neither_hydra_nor_torch(command: str) -> None:
    assert not imported(*command.split(), "--help") & {"torch", "hydra", "numpy", "pytorch_lightning"}


def test_composing_a_configuration_imports_no_torch() -> None:
    assert not imported("train", "content=mixed", "data.root=x", "--cfg", "job") & {"torch", "pytorch_lightning"}
