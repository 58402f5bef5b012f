"""ONNX export of one step of a streaming network; the state is among the inputs and outputs of the graph."""

import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import onnx
import onnxruntime as ort
import torch
from pydantic import BaseModel, Field, Strict
from torch import Tensor, nn

from vsr_lab.core.errors import Refusal, UserError, is_out_of_memory, reported
from vsr_lab.core.files import check_file, parse_json
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.ranges import Layers, Positive, Rollout, Scale, Shrink
from vsr_lab.core.validation import validate
from vsr_lab.deployment.export.base import Exporter, Precision, state_shapes

KEY = "vsr_lab"
_MOST_OPERATORS = 100_000
_Side = Annotated[int, Field(ge=1, le=4096), Strict()]
Opset = Annotated[int, Field(ge=18, le=23)]  # what torch.onnx writes


class Step(nn.Module):
    """Module whose forward is one step of a network, with the flat result (sr, tensors of the next state)."""

    def __init__(self, network: StreamingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor, state: list[Tensor]) -> tuple[Tensor, ...]:
        sr, following = self.network.step(lr, tuple(state))
        return sr, *following


def note_of(network: StreamingNetwork) -> str:
    """Metadata of an exported graph that vsr_lab needs to run it, as JSON: the fields of `Note`."""
    note = {
        "schema": 1,
        "scale": network.scale,
        "size_multiple": network.size_multiple,
        "warm_up": network.warm_up,
        "state": state_shapes(network),
    }
    return json.dumps(note)


class OnnxExporter(Exporter):
    """Exports one step of a streaming network to ONNX, as `step.onnx` or `step_fp16.onnx`.

    Inputs of the graph are lr (1, 3, h, w) and the tensors of the state (state_0, state_1, ...). Outputs are sr (1, 3,
    scale * h, scale * w) and the next state (next_0, next_1, ...). All are float32, or all float16.

    Args:
        tolerance: largest allowed absolute difference from the network, RGB in [0, 1], in fp32. With fp16 the PSNR must
            be at least 50 dB instead.
        frames: number of frames over which graph and network are compared.
        opset: version of the ONNX operators.
        precision: number format of weights, inputs and outputs: "fp32" or "fp16".
    """

    format = "onnx"
    file = "step.onnx"

    def __init__(
        self, tolerance: Positive = 1e-4, frames: Rollout = 60, opset: Opset = 18, *, precision: Precision = "fp32"
    ) -> None:
        super().__init__(tolerance, frames)
        self.opset = opset
        if precision == "fp16":
            self.precision, self.format, self.file = precision, "onnx_fp16", "step_fp16.onnx"

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        note = note_of(network)
        if self.precision == "fp16":
            network, example = deepcopy(network).half(), example.half()  # half() rounds the weights in place
        state = list(network.zero_state(example))
        height, width = torch.export.Dim("h", min=2), torch.export.Dim("w", min=2)
        ratios = [tensor.shape[-1] // example.shape[-1] for tensor in (example, *state)]
        sizes = [{2: height, 3: width} if r == 1 else {2: r * height, 3: r * width} for r in ratios]
        names = range(len(state))
        write_graph(
            Step(network).eval(),
            (example, state),
            path,
            opset=self.opset,
            names=(["lr", *(f"state_{i}" for i in names)], ["sr", *(f"next_{i}" for i in names)]),
            sizes={"lr": sizes[0], "state": sizes[1:]},
            note=note,
        )

    def load(self, path: Path) -> StreamingNetwork:
        session = open_session(path)
        return OnnxStream(session, read_note(session.get_modelmeta().custom_metadata_map[KEY], session, path)).eval()


def write_graph(
    module: nn.Module,
    example: tuple[Any, ...],
    path: Path,
    *,
    opset: int,
    names: tuple[list[str], list[str]],
    sizes: dict[str, Any],
    note: str = "",
) -> None:
    """Export a PyTorch module to ONNX, reproducibly: the file contains no paths of this machine.

    Args:
        module: module to export.
        example: arguments of its forward.
        path: file to write.
        opset: version of the ONNX operators.
        names: names of the inputs and of the outputs.
        sizes: dynamic sizes of the arguments, as in `torch.export.export`.
        note: text that is stored in the metadata of the graph; empty: nothing is stored.

    Raises:
        Refusal: the module contains an operation that torch.onnx does not support.
    """
    logging.disable(logging.WARNING)  # messages of torch.onnx on every operator
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                example,
                dynamo=True,
                opset_version=opset,
                input_names=names[0],
                output_names=names[1],
                dynamic_shapes=sizes,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise Refusal(f"torch.onnx cannot export this network: {reason[:300]}") from error
    finally:
        logging.disable(logging.NOTSET)
    assert program is not None
    model = program.model_proto
    for node in model.graph.node:  # stack traces, which name the files of this machine
        node.ClearField("metadata_props")
    if note:
        onnx.helper.set_model_props(model, {KEY: note})
    path.write_bytes(model.SerializeToString(deterministic=True))


class Note(BaseModel):
    """Metadata that is stored in an exported graph, since inputs and outputs of the graph do not show it.

    Attributes:
        scale: upscaling factor.
        size_multiple, warm_up: as in `vsr_lab.core.network.Network`.
        state: (channels, numerator, denominator) of each tensor of the state; height and width of the tensor are those
            of the LR frame, times numerator / denominator.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    scale: Annotated[Scale, Strict()]
    size_multiple: Annotated[Shrink, Strict()]
    warm_up: Annotated[Layers, Strict()]
    state: list[tuple[_Side, _Side, _Side]]


def read_note(text: str, session: ort.InferenceSession, path: Path) -> Note:
    name = f"{path}: its metadata"
    note = validate(Note, parse_json(text, name), name)
    channels = [node.shape[1] for node in session.get_inputs()[1:]]
    if channels != [state[0] for state in note.state]:
        raise UserError(
            path, "has metadata that does not describe the state inputs of its graph", "export the network again"
        )
    return note


class ExportedStep(StreamingNetwork):
    """Base class of networks that run an exported graph for every frame.

    The upscaling factor and the shapes of the state are read from the graph's metadata.
    """

    def __init__(self, note: Note) -> None:
        super().__init__()
        self.scale = note.scale
        self.size_multiple = note.size_multiple
        self.warm_up = note.warm_up
        self.shapes = note.state

    def zero_state(self, lr: Tensor) -> State:
        height, width = lr.shape[-2:]
        return tuple(lr.new_zeros(len(lr), c, height * n // d, width * n // d) for c, n, d in self.shapes)


class OnnxStream(ExportedStep):
    """An exported step, run by onnxruntime on the CPU."""

    def __init__(self, session: ort.InferenceSession, note: Note) -> None:
        super().__init__(note)
        self.session = session
        self.dtype = np.float16 if session.get_inputs()[0].type == "tensor(float16)" else np.float32

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        samples = zip(*(tensor.split(1) for tensor in (lr, *state)), strict=True)  # a graph takes one sample
        results = [self._step(*sample) for sample in samples]
        sr, *following = (torch.cat(tensors).to(lr.device) for tensors in zip(*results, strict=True))
        return sr.float(), tuple(following)

    def _step(self, lr: Tensor, *state: Tensor) -> list[Tensor]:
        tensors = {"lr": lr, **{f"state_{i}": tensor for i, tensor in enumerate(state)}}
        feeds = {
            name: np.ascontiguousarray(tensor.float().cpu().numpy(), self.dtype) for name, tensor in tensors.items()
        }
        return [torch.from_numpy(np.asarray(out)) for out in run_session(self.session, feeds)]


def run_session(session: ort.InferenceSession, feeds: dict[str, np.ndarray]) -> Sequence[Any]:
    """Run a graph and return its outputs. Raises UserError if memory cannot be allocated, or an operator fails."""
    try:
        return session.run(None, feeds)
    except Exception as error:  # onnxruntime raises unrelated classes of its own
        reason = str(error).strip().splitlines()[-1]
        problem = "needs more memory than is available" if is_out_of_memory(error) else f"fails ({reason[-160:]})"
        raise UserError("ONNX graph", problem, "use smaller frames, or export the network again") from error


def _operators(nodes: Iterable[onnx.NodeProto], functions: Mapping[tuple[str, str], Any]) -> Iterator[str]:
    """Operators of nodes, and of the graphs and functions in them, which onnxruntime inlines."""
    for node in nodes:
        yield node.op_type
        if (name := (node.domain, node.op_type)) in functions:
            yield from _operators(functions[name].node, functions)
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _operators(graph.node, functions)


def _check_operators(model: onnx.ModelProto, path: Path) -> None:
    """Raise UserError for a graph that may take forever to run, or to be opened."""
    functions = {(one.domain, one.name): one for one in model.functions}
    with reported(
        RecursionError, path, "contains graphs or functions that are nested too deeply", "export the network again"
    ):
        found = [*islice(_operators(model.graph.node, functions), _MOST_OPERATORS + 1)]
    if len(found) > _MOST_OPERATORS:
        raise UserError(path, f"has more than {_MOST_OPERATORS:,} operators", "export a smaller network")
    if {"Loop", "Scan"} & {*found}:
        raise UserError(
            path, "contains the operator Loop or Scan, which may never end", "export the network without them"
        )


def open_session(path: Path, threads: int = 0) -> ort.InferenceSession:
    """Open an ONNX graph in onnxruntime, on the CPU.

    Args:
        path: the ONNX file.
        threads: number of CPU threads; 0: onnxruntime chooses the number.

    Raises:
        UserError: there is no such file, it is no ONNX file, onnxruntime cannot run the graph, or the graph contains a
            loop, which may have no end, or too many operators.
    """
    check_file(path, "give an .onnx file")
    with reported(Exception, path, "is not an ONNX file", "give an .onnx file"):  # of protobuf
        model = onnx.load(str(path), load_external_data=False)
    _check_operators(model, path)
    options = ort.SessionOptions()
    options.log_severity_level = 4  # errors are raised, too
    options.intra_op_num_threads = threads
    # onnxruntime raises unrelated classes of its own
    with reported(Exception, path, "cannot be run by onnxruntime ({})", "export the network again"):
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
