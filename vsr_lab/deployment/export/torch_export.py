"""Export by torch.export: one step of a streaming network, which torch loads without this package."""

from pathlib import Path

import torch
from torch import Tensor
from torch.fx import GraphModule

from vsr_lab.core.errors import Refusal
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.deployment.export.base import Exporter
from vsr_lab.deployment.export.onnx import KEY, ExportedStep, Note, Step, note_of

_ANY_SIZE = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}


class TorchExporter(Exporter):
    """Exports one step of a streaming network with torch.export, as `step.pt2`.

    The module `torch.export.load("step.pt2").module()` takes lr (1, 3, h, w) and a list of the tensors of the state. It
    returns sr (1, 3, scale * h, scale * w) and the tensors of the next state. All are float32.

    Args:
        tolerance, frames: see `Exporter`.
    """

    format = "torch_export"
    file = "step.pt2"

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        state = list(network.zero_state(example))
        try:
            program = torch.export.export(
                Step(network).eval(),
                (example, state),
                dynamic_shapes={"lr": _ANY_SIZE, "state": [_ANY_SIZE] * len(state)},
                prefer_deferred_runtime_asserts_over_guards=True,
            )
        except Exception as error:  # torch raises unrelated classes of its own
            reason = str(error).strip().partition("\n")[0]
            raise Refusal(f"torch.export cannot export this network: {reason[:300]}") from error
        program.example_inputs = None  # random numbers
        for graph in (part.graph for part in program.graph_module.modules() if isinstance(part, GraphModule)):
            for node in list(graph.nodes):
                node.meta.pop("stack_trace", None)  # it names the files of this machine
                if node.target is torch.ops.aten._assert_scalar.default:  # that sizes are padded like the example's
                    graph.erase_node(node)
            graph.eliminate_dead_code()
        torch.export.save(program, path, extra_files={KEY: note_of(network)})

    def load(self, path: Path) -> StreamingNetwork:
        note = {KEY: ""}
        module = torch.export.load(path, extra_files=note).module()
        return _TorchStep(module, Note.model_validate_json(note[KEY]))


class _TorchStep(ExportedStep):
    def __init__(self, module: torch.nn.Module, note: Note) -> None:
        super().__init__(note)
        self.module = module

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        sr, *following = self.module(lr, list(state))
        return sr, tuple(following)
