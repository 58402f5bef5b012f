"""The house: arrows point down, files and functions stay small."""

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from vsr_lab.cli.configuration.usage import COMMANDS, module_name

PACKAGE = Path(__file__).parents[2] / "vsr_lab"
FILES = sorted(PACKAGE.rglob("*.py"))
BEGUN = {"export", "select", "compare"}  # they have `begin` too, by which their commands create the run folder


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
            positional = len(node.args.posonlyargs + node.args.args)
            if node.name == "__init__":
                assert positional <= 4, f"{file.name}:{node.lineno}: keywords after the third parameter"
            assert node.args.kwarg is None or node.name == "__new__", f"{file.name}: {node.name} swallows keywords"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_public_functions_take_keywords(file: Path) -> None:
    """At most four parameters are positional, and of a function with more of them, three."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert len(node.args.posonlyargs + node.args.args) <= 4, f"{file.name}: {node.name}"
            count = len(node.args.args + node.args.kwonlyargs + node.args.posonlyargs) - (node.name in BEGUN)
            assert count <= 7, f"{file.name}: {node.name} has too many parameters"


def imports_of(file: Path) -> set[Path]:
    """Files of the package that a file imports when it is imported itself."""
    found: set[Path] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            path = PACKAGE.parent / name.replace(".", "/")
            found |= {one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()}
    return found - {file}


def test_files_import_each_other_in_no_circle() -> None:
    """A package's __init__ re-exports its modules, so that it is left out."""
    arrows = {file: {one for one in imports_of(file) if one.name != "__init__.py"} for file in FILES}
    while leaves := [file for file, targets in arrows.items() if not targets & arrows.keys()]:
        for file in leaves:
            del arrows[file]
    assert not arrows, sorted(str(file.relative_to(PACKAGE)) for file in arrows)


def code_lines(file: Path) -> int:
    """Lines of code without docstrings, comments and blank lines."""
    text = file.read_text(encoding="utf-8")
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda path: path.name)
def test_a_package_has_at_most_2000_lines_of_code(folder: Path) -> None:
    assert sum(code_lines(file) for file in folder.glob("*.py")) <= 2000


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


def test_only_commands_that_train_import_lightning() -> None:
    """It takes longer to import than the work of some of the others."""
    names = ", ".join(module_name(command) for command in COMMANDS if command not in {"train", "demo"})
    code = f"import sys, {names}; sys.exit('pytorch_lightning' in sys.modules)"
    assert not subprocess.run([sys.executable, "-c", code], check=False).returncode
