"""Graphs of others that would take forever to be opened or run are refused before onnxruntime sees them."""

from collections.abc import Sequence
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from vsr_lab.core.errors import UserError
from vsr_lab.deployment.export.onnx import open_session

OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def function(name: str, *calls: tuple[str, str]) -> onnx.FunctionProto:
    """A function of one input and one output, which calls operators (name, domain) one after the other."""
    names = [f"t{i}" for i in range(len(calls) + 1)]
    nodes = [helper.make_node(op, [names[i]], [names[i + 1]], domain=domain) for i, (op, domain) in enumerate(calls)]
    return helper.make_function("own", name, names[:1], names[-1:], nodes, OPSETS)


def save(path: Path, functions: Sequence[onnx.FunctionProto], *nodes: onnx.NodeProto) -> Path:
    lr, sr = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("lr", "sr"))
    graph = helper.make_graph([*nodes], "graph", [lr], [sr])
    onnx.save(helper.make_model(graph, opset_imports=OPSETS, functions=functions, ir_version=9), str(path))
    return path


def call(name: str) -> onnx.NodeProto:
    return helper.make_node(name, ["lr"], ["sr"], domain="own")


def test_functions_are_allowed(tmp_path: Path) -> None:
    path = save(tmp_path / "f.onnx", [function("F", ("Relu", ""), ("Relu", ""))], call("F"))
    assert [one.name for one in open_session(path).get_outputs()] == ["sr"]


def test_functions_that_double_the_graph_forty_times_are_refused(tmp_path: Path) -> None:
    first = function("F0", ("Relu", ""))
    others = [function(f"F{i}", (f"F{i - 1}", "own"), (f"F{i - 1}", "own")) for i in range(1, 41)]
    with pytest.raises(UserError, match=r"f\.onnx: has more than 100,000 operators"):
        open_session(save(tmp_path / "f.onnx", [first, *others], call("F40")))


def test_a_function_that_calls_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"f\.onnx: contains graphs or functions that are nested too deeply"):
        open_session(save(tmp_path / "f.onnx", [function("F", ("F", "own"))], call("F")))


@pytest.mark.parametrize("inside", [False, True])
def test_a_loop_is_refused(tmp_path: Path, inside: bool) -> None:
    """In the graph itself, or in a function that it calls."""
    path = tmp_path / "f.onnx"
    with pytest.raises(UserError, match=r"f\.onnx: contains the operator Loop"):
        open_session(save(path, [function("F", ("Loop", ""))], call("F")) if inside else save(path, [], call("Loop")))
