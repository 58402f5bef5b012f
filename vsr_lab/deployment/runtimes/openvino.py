"""Runtime that runs the exported ONNX step of a bundle in OpenVINO, on the CPU."""

import sys
from pathlib import Path

# Without this, every import of OpenVINO is reported to Google Analytics.
sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
import openvino  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from vsr_lab.core.network import State, StreamingNetwork  # noqa: E402
from vsr_lab.core.records.deployment import Runtime  # noqa: E402

_TYPES = {"float32": "f32", "bfloat16": "bf16"}


class OpenVinoStream(StreamingNetwork):
    """Streaming network that runs an exported step in OpenVINO.

    The graph is compiled for each frame size, since a graph that is compiled for any size is slower.

    Args:
        graph: the ONNX file.
        opened: the same graph, opened in another runtime, from which the scale and the shapes of the state are read.
        runtime: precision and threads.
    """

    def __init__(self, graph: Path, opened: StreamingNetwork, runtime: Runtime) -> None:
        super().__init__()
        self.scale = opened.scale
        self.size_multiple = opened.size_multiple
        self.warm_up = opened.warm_up
        self._opened = opened
        self._core = openvino.Core()
        self._graph = graph
        self._settings = {"INFERENCE_PRECISION_HINT": _TYPES[runtime.precision], "PERFORMANCE_HINT": "LATENCY"}
        if runtime.threads:
            self._settings["INFERENCE_NUM_THREADS"] = str(runtime.threads)
        self._compiled: dict[tuple[torch.Size, ...], openvino.InferRequest] = {}

    def zero_state(self, lr: Tensor) -> State:
        return self._opened.zero_state(lr)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        inputs = [tensor.float().contiguous() for tensor in (lr, *state)]
        request = self._request(inputs)
        # Every step writes to new memory, so that neither a frame nor the state is copied.
        outputs = [torch.empty(tuple(node.shape)) for node in request.model_outputs]
        for i, tensor in enumerate(inputs):
            request.set_input_tensor(i, openvino.Tensor(tensor.numpy(), shared_memory=True))
        for i, tensor in enumerate(outputs):
            request.set_output_tensor(i, openvino.Tensor(tensor.numpy(), shared_memory=True))
        request.infer()
        return outputs[0], tuple(outputs[1:])

    def _request(self, inputs: list[Tensor]) -> openvino.InferRequest:
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in self._compiled:
            model = self._core.read_model(str(self._graph))
            model.reshape({i: list(shape) for i, shape in enumerate(shapes)})
            self._compiled[shapes] = self._core.compile_model(model, "CPU", self._settings).create_infer_request()
        return self._compiled[shapes]
