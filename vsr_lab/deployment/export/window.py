"""ONNX export of a graph that upscales the last of T frames: one input of 3T channels, one output, no state.

Other tools can run such graphs: chaiNNer and mpv with T = 1, vs-mlrt and TensorRT with any T. Graphs of this form that
other tools wrote can be opened too.
"""

from abc import abstractmethod
from copy import deepcopy
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from onnxruntime import InferenceSession
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.ranges import Positive, Rollout
from vsr_lab.core.records.bundle import Graph, Parity
from vsr_lab.deployment.export.base import SIZES, Exporter, Precision, compare, rollout_clip
from vsr_lab.deployment.export.onnx import KEY, OnnxStream, open_session, read_note, run_session, write_graph

Window = Annotated[int, Field(ge=1, le=31)]
_MARGIN = 16  # pixels at the border of a tile that are not used
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
    """Graph with one input (1, 3T, h, w) and one output, which upscales the last of T frames; run by onnxruntime.

    Args:
        session: the graph in onnxruntime.
        scale, size_multiple: as in `vsr_lab.core.network.Network`.
        size: height and width of frames if the graph takes one size only; None: the graph takes any size. With one
            size, larger frames are divided into tiles of this size that overlap by up to 32 pixels, and smaller frames
            are padded.
    """

    def __init__(
        self, session: InferenceSession, scale: int, size_multiple: int, *, size: tuple[int, int] | None = None
    ) -> None:
        (given,) = session.get_inputs()
        super().__init__(scale, size_multiple, given.shape[1] // 3)
        self.session = session
        self.size = size
        self.input = given.name
        self.dtype = np.float16 if given.type == "tensor(float16)" else np.float32

    def window(self, lr: Tensor) -> Tensor:
        if self.size is None:
            return self._run(lr)
        (height, width), (rows, columns), s = lr.shape[-2:], self.size, self.scale
        sr = lr.new_empty(len(lr), 3, s * height, s * width)
        for y, top in _starts(height, rows):
            for x, left in _starts(width, columns):
                tile = lr[..., y : y + rows, x : x + columns]
                missing = (0, columns - tile.shape[-1], 0, rows - tile.shape[-2])
                made = self._run(functional.pad(tile, missing, mode="replicate"))
                kept = made[..., s * top : s * (height - y), s * left : s * (width - x)]
                # The tiles to the right and below overwrite the margins of this one.
                sr[..., s * (y + top) : s * (y + rows), s * (x + left) : s * (x + columns)] = kept
        return sr

    def _run(self, lr: Tensor) -> Tensor:
        given = np.ascontiguousarray(lr.numpy().astype(self.dtype))
        return torch.from_numpy(np.asarray(run_session(self.session, {self.input: given})[0], np.float32))


def _starts(length: int, tile: int) -> list[tuple[int, int]]:
    """(start, margin) of each tile along a side of the frame; its first `margin` pixels are from the tile before it."""
    margin, last = min(_MARGIN, tile // 4), max(length - tile, 0)
    return [(start, margin if start else 0) for start in (*range(0, last, tile - 2 * margin), last)]


class OnnxWindowExporter(Exporter):
    """Exports a network to an ONNX graph without a state, which upscales the last of T frames.

    The graph, `window.onnx` or `window_fp16.onnx`, maps lr (1, 3T, h, w) to sr (1, 3, scale * h, scale * w), RGB in
    [0, 1], for any h and w that are multiples of the network's `size_multiple`. Since the graph does not use frames
    before the T frames, its output differs from that of the streaming network.

    Args:
        tolerance: largest allowed absolute difference from the output of the network for the same T frames, RGB in [0,
            1], in fp32. With fp16 the PSNR must be at least 50 dB instead.
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

    def export(self, network: StreamingNetwork, folder: Path) -> Parity:
        """See `Exporter.export`. The difference of the graph from the streaming network is measured too."""
        parity = super().export(network, folder)
        size = SIZES[1]
        clip = rollout_clip(3 * self.frames, *size)[: self.frames]  # the part before the flash and the cut
        lost = compare(network, self.load(folder / self.file), clip).record(size)
        return parity.model_copy(update={"streaming": lost})

    def describe(self, network: StreamingNetwork) -> Graph:
        given, made = self.tensors(("lr", (3 * self.window, 1, 1)), ("sr", (3, network.scale, 1)))
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
        UserError: the input is not in float32 or float16 or has no 3T channels, the graph does not run, or its scale is
            not an integer.
    """
    given = session.get_inputs()[0]
    if len(given.shape) != 4:
        raise UserError(
            path,
            f"has an input with {len(given.shape)} axes",
            "use a graph with an input of shape (1, 3 * frames, height, width)",
        )
    channels, sides = given.shape[1], [side for side in given.shape[2:] if isinstance(side, int)]
    if given.type not in ("tensor(float)", "tensor(float16)"):
        raise UserError(
            path, f"has an input of type {given.type}", "use a graph with an input of type float32 or float16"
        )
    if not isinstance(channels, int) or channels < 3 or channels % 3:
        raise UserError(
            path, f"has an input with {channels} channels", "use a graph whose input has 3 channels for each frame"
        )
    fixed = (sides[0], sides[-1]) if sides else None
    problem = ""
    for multiple in (1,) if fixed else (1, 2, 4, 8, 16, 32, 64):
        side = 64 + multiple if multiple < 64 else 64  # no multiple of anything larger
        height, width = fixed or (side, side)
        made = _try(session, given.name, (channels, height, width), given.type)
        if not isinstance(made, str):
            scale = made[0] // height
            if made != (scale * height, scale * width) or not scale:
                what = f"upscales {width}x{height} to {made[1]}x{made[0]}"
                raise UserError(path, what, "use a graph with the same integer scale along both axes")
            return OnnxWindow(session, scale, multiple, size=fixed).eval()
        problem = f"does not run on an input of 1x{channels}x{height}x{width} ({made})"
    raise UserError(path, problem, "export the network again, with a variable height and width")


def _try(session: InferenceSession, name: str, shape: tuple[int, int, int], kind: str) -> tuple[int, int] | str:
    """Height and width of the output for an input of zeros; or the reason why the graph does not accept this input."""
    zeros = np.zeros((1, *shape), np.float16 if kind == "tensor(float16)" else np.float32)
    try:
        made = np.asarray(session.run(None, {name: zeros})[0])
    except Exception as error:  # onnxruntime raises unrelated classes of its own
        return " ".join(str(error).split())[-160:]
    return (made.shape[2], made.shape[3]) if made.ndim == 4 else f"its output has {made.ndim} axes"


def open_onnx(path: Path, threads: int = 0) -> StreamingNetwork:
    """Open an ONNX graph as a streaming network.

    The graph is one of two kinds: a step that `export` wrote, or a graph of any tool that upscales the last of T
    frames, with one input of 3T channels (with T = 1, a per-frame graph). A graph of the second kind may be in float32
    or float16. It may require frames of one size, or frames whose height and width are multiples of a power of two, see
    `OnnxWindow`.

    Args:
        path: the ONNX file.
        threads: number of CPU threads; 0: onnxruntime chooses the number.

    Raises:
        UserError: the file is a graph of neither kind.
    """
    session = open_session(path, threads)
    note = session.get_modelmeta().custom_metadata_map.get(KEY)
    if note:
        return OnnxStream(session, read_note(note, session, path)).eval()
    if len(session.get_inputs()) != 1 or len(session.get_outputs()) != 1:
        raise UserError(
            path,
            "has several inputs or outputs and was not exported by vsr_lab",
            "use a graph with one input and one output",
        )
    return open_window(path, session)
