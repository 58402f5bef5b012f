"""What could run code from a file: torch.load reads tensors alone, and nothing unpickles or evaluates."""

import ast
from pathlib import Path

import pytest

import vsr_lab

_FILES = sorted(Path(vsr_lab.__file__).parent.rglob("*.py"))
_NEVER = {"pickle.load", "pickle.loads", "eval", "exec", "yaml.load", "yaml.unsafe_load", "numpy.load", "os.system"}


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_no_file_is_loaded_that_could_run_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        is_constant = all(isinstance(word, ast.Constant) for word in node.args)
        assert name not in _NEVER or is_constant, f"{path}:{node.lineno}"
        if name == "torch.load":
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert given.get("weights_only") == "True", f"{path}:{node.lineno}"
