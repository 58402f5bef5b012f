"""ONNX export of a graph that upscales the last of T frames: one input of 3T channels, one output, no state.

Other tools can run such graphs: chaiNNer and mpv with T = 1, vs-mlrt and TensorRT with any T. Graphs of this form that
other tools wrote can be opened too.
"""

from abc import abstractmethod
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from onnxruntime import InferenceSession
from pydantic import Field
from torch import Tensor, nn

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.ranges import Positive, Rollout
from vsr_lab.core.records.bundle import Graph
from vsr_lab.deployment.export.base import Exporter, tensor
from vsr_lab.deployment.export.onnx import KEY, OnnxStream, open_session, read_note, run_session, write_graph

Window = Annotated[int, Field(ge=1, le=31)]
Precision = Literal["fp32", "fp16"]
OPSET = 18  # at most 20, which vs-mlrt's runtimes read


class Windowed(StreamingNetwork):
    """Base class of streaming networks that compute SR from the LR frame and the `frames` - 1 frames before it.

    At the start of a clip, the missing frames are replaced by the first frame. The state consists of the previous
    frames, (B, 3 * (frames - 1), h, w).
    """

    def __init__(self, scale: int, size_multiple: int, frames: int) -> None:
        super().__init__()
        self.scale = scale
        self.size_multiple = size_multiple
        self.frames = frames

    @abstractmethod
    def window(self, lr: Tensor) -> Tensor:
        """Upscale the last of `frames` consecutive frames.

        Args:
            lr: all frames, stacked along the channels, (B, 3 * frames, h, w), the oldest frame first.

        Returns:
            (B, 3, scale * h, scale * w).
        """

    def zero_state(self, lr: Tensor) -> State:
        return (lr.repeat(1, self.frames - 1, 1, 1),)

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        frames = torch.cat([*state, lr], 1)
        return self.window(frames), (frames[:, 3:],)


class Unrolled(Windowed):
    """Wraps a streaming network so that an SR frame depends only on the LR frame and the `frames` - 1 frames before it.

    For every SR frame, the network is run on these `frames` frames, beginning with its initial state.
    """

    def __init__(self, network: StreamingNetwork, frames: int) -> None:
        super().__init__(network.scale, network.size_multiple, frames)
        self.network = network

    def window(self, lr: Tensor) -> Tensor:
        return self.network(lr.unflatten(1, (self.frames, 3)))[:, -1]


class _Graph(nn.Module):
    def __init__(self, network: Windowed) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        return self.network.window(lr)


class OnnxWindow(Windowed):
    """Graph with one input (1, 3T, h, w) and one output, which upscales the last of T frames; run by onnxruntime."""

    def __init__(self, session: InferenceSession, scale: int, size_multiple: int) -> None:
        (given,) = session.get_inputs()
        super().__init__(scale, size_multiple, given.shape[1] // 3)
        self.session = session
        self.input = given.name
        self.dtype = np.float16 if given.type == "tensor(float16)" else np.float32

    def window(self, lr: Tensor) -> Tensor:
        given = np.ascontiguousarray(lr.numpy().astype(self.dtype))
        return torch.from_numpy(np.asarray(run_session(self.session, {self.input: given})[0], np.float32))


class OnnxWindowExporter(Exporter):
    """Exports a network to an ONNX graph without a state, which upscales the last of T frames.

    The graph, `window.onnx` or `window_fp16.onnx`, maps lr (1, 3T, h, w) to sr (1, 3, scale * h, scale * w), RGB in
    [0, 1], for any h and w that are multiples of the network's `size_multiple`. Since the graph does not use frames
    before the T frames, its output differs from that of the streaming network.

    Args:
        tolerance: largest allowed absolute difference from the output of the network for the same T frames, RGB in [0,
            1].
        frames: number of frames over which graph and network are compared.
        window: number of frames T; 1 is a per-frame graph.
        precision: number format of weights, input and output: "fp32" or "fp16".
    """

    def __init__(
        self, tolerance: Positive = 1e-4, frames: Rollout = 60, *, window: Window = 1, precision: Precision = "fp32"
    ) -> None:
        super().__init__(tolerance, frames)
        self.window = window
        self.precision = precision
        half = "_fp16" if precision == "fp16" else ""
        self.format, self.file = f"onnx_window{half}", f"window{half}.onnx"

    def describe(self, network: StreamingNetwork) -> Graph:
        kind = "float16" if self.precision == "fp16" else "float32"
        given, made = tensor("lr", 3 * self.window, type=kind), tensor("sr", 3, network.scale, type=kind)
        return Graph(file=self.file, inputs=[given], outputs=[made])

    def reference(self, network: StreamingNetwork) -> StreamingNetwork:
        return Unrolled(network, self.window)

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        height, width = torch.export.Dim("h", min=2), torch.export.Dim("w", min=2)
        dtype = torch.float16 if self.precision == "fp16" else torch.float32
        graph = _Graph(Unrolled(deepcopy(network), self.window)).eval()  # half precision rounds the weights in place
        write_graph(
            graph.to(dtype),
            (example.repeat(1, self.window, 1, 1).to(dtype),),
            path,
            opset=OPSET,
            names=(["lr"], ["sr"]),
            sizes={"lr": {2: height, 3: width}},
        )

    def load(self, path: Path) -> StreamingNetwork:
        return open_window(path, open_session(path))


def open_window(path: Path, session: InferenceSession) -> OnnxWindow:
    """Open a graph that upscales the last of T frames.

    Args:
        path: path of the file, for error messages.
        session: the graph in onnxruntime.

    Raises:
        UserError: the input is not in float32 or float16 or has no 3T channels, the graph does not take frames of any
            size, or its scale is not an integer.
    """
    given, channels = session.get_inputs()[0], session.get_inputs()[0].shape[1]
    if given.type not in ("tensor(float)", "tensor(float16)"):
        raise UserError(path, f"takes {given.type}", "give a graph with float32 or float16 images")
    if not isinstance(channels, int) or channels < 3 or channels % 3:
        raise UserError(path, f"takes {channels} channels", "give a graph of 3 channels for each frame")
    for multiple in (1, 2, 4, 8, 16, 32, 64):
        side = 64 + multiple if multiple < 64 else 64  # no multiple of anything larger
        made = _try(session, given.name, (channels, side, side), given.type)
        if made:
            if made[0] != made[1] or made[0] % side:
                raise UserError(
                    path, f"upscales {side}x{side} to {made[1]}x{made[0]}", "give a graph with one integer scale"
                )
            return OnnxWindow(session, made[0] // side, multiple).eval()
    hint = "give a graph with dynamic height and width"
    raise UserError(path, f"does not take 1x{channels}x64x64 float images", hint)


def _try(session: InferenceSession, name: str, shape: tuple[int, int, int], kind: str) -> tuple[int, int] | None:
    """Height and width of the output for an input of zeros; None if the graph does not accept this input."""
    zeros = np.zeros((1, *shape), np.float16 if kind == "tensor(float16)" else np.float32)
    try:
        made = np.asarray(session.run(None, {name: zeros})[0])
    except Exception:  # onnxruntime raises unrelated classes of its own
        return None
    return (made.shape[2], made.shape[3]) if made.ndim == 4 else None


def open_onnx(path: Path, threads: int = 0) -> StreamingNetwork:
    """Open an ONNX graph as a streaming network.

    The graph is a step that `export` wrote, or a graph of any tool that upscales the last of T frames, with one input
    of 3T channels; with T = 1 it is a per-frame graph. Such graphs may be in float32 or float16, and may require that
    height and width of the frames are multiples of a power of two.

    Args:
        path: the ONNX file.
        threads: number of CPU threads; 0: onnxruntime chooses the number.

    Raises:
        UserError: the file is not such a graph.
    """
    session = open_session(path, threads)
    note = session.get_modelmeta().custom_metadata_map.get(KEY)
    if note:
        return OnnxStream(session, read_note(note, session, path)).eval()
    if len(session.get_inputs()) != 1 or len(session.get_outputs()) != 1:
        raise UserError(
            path,
            "has several inputs or outputs and was not exported by vsr_lab",
            "give a graph with one input and one output",
        )
    return open_window(path, session)
