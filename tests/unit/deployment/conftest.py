"""A bundle whose graph is written by hand, since a real export takes seconds."""

import json
from pathlib import Path

import onnx
import pytest
from torch import Tensor

from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment import Bundle, open_bundle, write_bundle
from vsr_lab.deployment.export import Exporter, open_onnx
from vsr_lab.models import Interpolation

SPEC = {"_target_": "vsr_lab.models.Interpolation", "scale": 2, "method": "nearest"}


class Nearest(Exporter):
    """Writes the graph of nearest x2 by hand; factor: what it multiplies pixels by, 1 if it is honest."""

    format = "onnx"
    file = "step.onnx"

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__(tolerance=1e-4, frames=4)
        self.factor = factor

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        lr = onnx.helper.make_tensor_value_info("lr", 1, [1, 3, "h", "w"])
        sr = onnx.helper.make_tensor_value_info("sr", 1, [1, 3, "H", "W"])
        scales = onnx.helper.make_tensor("scales", 1, [4], [1.0, 1.0, 2.0, 2.0])
        factor = onnx.helper.make_tensor("factor", 1, [1], [self.factor])
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        nodes = [
            onnx.helper.make_node("Resize", ["lr", "", "scales"], ["large"], **how),
            onnx.helper.make_node("Mul", ["large", "factor"], ["sr"]),
        ]
        graph = onnx.helper.make_graph(nodes, "step", [lr], [sr], [scales, factor])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
        note = {"schema": 1, "scale": 2, "size_multiple": 1, "warm_up": 0, "state": []}
        onnx.helper.set_model_props(model, {"vsr_lab": json.dumps(note)})
        onnx.save(model, str(path))

    def load(self, path: Path) -> StreamingNetwork:
        return open_onnx(path)


@pytest.fixture
def nearest() -> Nearest:
    return Nearest()


@pytest.fixture
def bundle(tmp_path: Path, nearest: Nearest) -> Bundle:
    """A bundle of nearest x2, called doubler."""
    about = {"content": "animation"}
    write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "nearest"), about=about, exporters=[nearest])
    return open_bundle(tmp_path / "bundle", None)
