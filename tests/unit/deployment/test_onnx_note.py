"""The note inside a graph is read through its model."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from torch import Tensor
from torch.nn import functional as F

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State
from vsr_lab.deployment.export import OnnxExporter, open_onnx
from vsr_lab.deployment.export.onnx import note_of
from vsr_lab.models import Recurrent


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    OnnxExporter(frames=3).export(Recurrent(2, 4, 1).eval(), folder)
    return folder / "step.onnx"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"scale": "x"}, "scale: must be an integer"),
        ({"size_multiple": 0}, "size_multiple: must be >= 1"),
        ({"warm_up": -5}, "warm_up: must be >= 0"),
        ({"warm_up": 10**8}, "warm_up: must be <= 128"),
        ({"schema": 9}, "schema: must be 1"),
        ({"state": None}, "state: must be a list"),
        ({"state": []}, "does not describe the state inputs of its graph"),
        ({"state": [[10**6, 48, 48]] * 3}, "must be <= 4096"),
    ],
)
def test_a_note_that_does_not_fit_is_refused(graph: Path, tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    model = onnx.load(str(graph))
    note = json.loads(model.metadata_props[0].value) | change
    onnx.helper.set_model_props(model, {"vsr_lab": json.dumps(note)})
    onnx.save(model, str(tmp_path / "a.onnx"))
    with pytest.raises(UserError, match=rf"a\.onnx: .*{problem}"):
        open_onnx(tmp_path / "a.onnx")


class _Padded(Recurrent):
    """A network whose state has a border of one pixel."""

    def zero_state(self, lr: Tensor) -> State:
        return tuple(F.pad(tensor, (1, 1, 1, 1)) for tensor in super().zero_state(lr))


def test_a_state_whose_size_is_not_proportional_to_lr_is_refused() -> None:
    with pytest.raises(ValueError, match="proportional"):
        note_of(_Padded(2, 4, 1))
