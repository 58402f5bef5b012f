"""What could run code from a file: torch.load reads tensors alone, and nothing unpickles or evaluates."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FILES = sorted(path for name in ("vsr_lab", "scripts", "benchmarks", "docs") for path in (_ROOT / name).rglob("*.py"))
_NEVER = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "dill.loads", "cloudpickle.load",
    "cloudpickle.loads", "joblib.load", "shelve.open", "marshal.loads", "marshal.load", "eval", "exec",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "torch.jit.load", "torch.package.PackageImporter",
    "torch.hub.load", "pandas.read_pickle",
}  # fmt: skip
_WRITTEN_BY_ITSELF = {"torch.export.load": "vsr_lab/deployment/export/torch_export.py"}  # the graph just exported


def _full_names(tree: ast.AST) -> dict[str, str]:
    """Name in a file -> what it was imported as: np -> numpy, loads -> pickle.loads."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dangers(text: str, file: str) -> Iterator[str]:
    """Calls that could run code from a file."""
    tree = ast.parse(text)
    names = _full_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, dot, rest = ast.unparse(node.func).partition(".")
        name = names.get(first, first) + dot + rest
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        is_constant = bool(node.args) and all(isinstance(word, ast.Constant) for word in node.args)
        bad = name in _NEVER and not is_constant
        bad |= name == "torch.load" and given.get("weights_only") != "True"
        bad |= name == "numpy.load" and given.get("allow_pickle", "False") != "False"
        bad |= name in _WRITTEN_BY_ITSELF and file != _WRITTEN_BY_ITSELF[name]
        if bad:
            yield f"{file}:{node.lineno}: {name}"


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.relative_to(_ROOT).as_posix())
def test_no_file_is_loaded_that_could_run_code(path: Path) -> None:
    assert not list(_dangers(path.read_text(encoding="utf-8"), path.relative_to(_ROOT).as_posix()))


@pytest.mark.parametrize(
    "line",
    [
        "import torch; torch.load(path)",
        "from torch import load; load(path, weights_only=False)",
        "import torch as t; t.load(path, weights_only=flag)",
        "import numpy as np; np.load(path, allow_pickle=True)",
        "from pickle import loads as read; read(data)",
        "import torch; torch.jit.load(path)",
        "import torch; torch.export.load(path)",
        "import joblib; joblib.load(path)",
        "eval(text)",
    ],
)
def test_the_walk_finds(line: str) -> None:
    assert list(_dangers(line, "vsr_lab/some.py"))


def test_the_walk_lets_through() -> None:
    text = "import numpy as np, torch; np.load(a, mmap_mode='r'); torch.load(b, weights_only=True); load(c)"
    assert not list(_dangers(text, "vsr_lab/some.py"))
