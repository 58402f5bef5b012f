"""Exported graphs, run by onnxruntime, against the networks in torch."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vsr_lab.core.errors import Refusal
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.deployment.export import OnnxExporter, open_onnx
from vsr_lab.deployment.export.onnx import open_session
from vsr_lab.models import Compact, Recurrent, Span, SpanStream

NETWORKS: dict[str, Callable[[], StreamingNetwork]] = {
    "compact": lambda: Compact(2, channels=4, layers=1),
    "recurrent": lambda: Recurrent(2, channels=4, blocks=1, warm_up=2),
    "span": lambda: Span(4, channels=4),
    "span with memory": lambda: SpanStream(4, channels=4, memory=4),
}
Exported = Callable[[str], tuple[StreamingNetwork, Path]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """exported(name): the network, with weights everywhere, and its graph. Each is exported once."""
    made: dict[str, tuple[StreamingNetwork, Path]] = {}

    def export(name: str) -> tuple[StreamingNetwork, Path]:
        if name not in made:
            torch.manual_seed(0)
            network = NETWORKS[name]().eval()
            for parameter in network.parameters():
                if not parameter.any():  # the head begins at zero and would hide the rest
                    nn.init.normal_(parameter, 0, 0.05)
            folder = tmp_path_factory.mktemp(name)
            parity = OnnxExporter(tolerance=1e-4, frames=12).export(network, folder)
            # The largest difference of a frame grows with its number of pixels.
            assert all(0 <= size.worst < (1e-5 if size.height == 48 else 2e-5) for size in parity.sizes)
            made[name] = network, folder / "step.onnx"
        return made[name]

    return export


def _moving(frames: int, height: int, width: int) -> Tensor:
    """A smooth picture that moves by a pixel a frame, (T, 3, height, width); the motion of noise would be arbitrary."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 3 + 2, width // 3 + 2, generator=generator)
    picture = F.interpolate(coarse, (height, width + frames), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([picture[..., t : t + width] for t in range(frames)])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "span with memory" else []) for name in NETWORKS]
)
def test_a_graph_gives_what_the_network_gives_at_any_size(exported: Exported, name: str) -> None:
    network, path = exported(name)
    graph = open_onnx(path)
    for size in ((24, 24), (17, 31)):
        lr = _moving(6, *size)
        ours, theirs = (torch.stack(list(stream(model, lr))) for model in (network, graph))
        bicubic = torch.stack(list(stream(NETWORKS[name](), lr)))
        assert (ours - bicubic).abs().max() > 0.01, "the weights have a say"
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_graph_says_what_the_network_says(exported: Exported) -> None:
    network, path = exported("recurrent")
    graph = open_onnx(path)
    assert (graph.scale, graph.size_multiple, graph.lookahead, graph.warm_up) == (2, 1, 0, 2)
    shapes = [[tuple(t.shape) for t in m.zero_state(torch.rand(1, 3, 9, 13))] for m in (network, graph)]
    assert shapes[0] == shapes[1]


def test_one_session_carries_two_clips_apart(exported: Exported) -> None:
    graph = open_onnx(exported("recurrent")[1])
    lr = torch.rand(4, 3, 12, 12)
    alone = list(stream(graph, lr))
    for ours, _, again in zip(alone, stream(graph, torch.rand(4, 3, 12, 12)), stream(graph, lr), strict=True):
        assert torch.equal(ours, again)


def test_a_step_in_half_precision_keeps_50_db(exported: Exported, tmp_path: Path) -> None:
    network, _ = exported("recurrent")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    exporter = OnnxExporter(frames=6, precision="fp16")
    parity = exporter.export(network, tmp_path)
    assert (parity.format, parity.precision) == ("onnx_fp16", "fp16")
    assert parity.worst > 1e-5 and parity.psnr and parity.psnr >= 50
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    session, described = open_session(tmp_path / "step_fp16.onnx"), exporter.describe(network)
    for nodes, tensors in ((session.get_inputs(), described.inputs), (session.get_outputs(), described.outputs)):
        assert [(node.name, node.type, node.shape) for node in nodes] == [
            (tensor.name, f"tensor({tensor.type})", list(tensor.shape)) for tensor in tensors
        ]
        assert {tensor.type for tensor in tensors} == {"float16"}


class Tampering(OnnxExporter):
    """Writes the graph at hand, after `tamper` had its way with it."""

    def __init__(self, graph: Path, tamper: Callable[[onnx.ModelProto], None]) -> None:
        super().__init__(tolerance=1e-4, frames=12)
        self.graph = graph
        self.tamper = tamper

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        model = onnx.load(str(self.graph))
        self.tamper(model)
        onnx.save(model, str(path))


def _weigh(model: onnx.ModelProto, change: Callable[[np.ndarray], np.ndarray]) -> None:
    weight = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("head.weight"))
    weight.CopyFrom(onnx.numpy_helper.from_array(change(onnx.numpy_helper.to_array(weight).copy()), weight.name))


def _forget(model: onnx.ModelProto) -> None:
    """The hidden state goes out as it came in."""
    for node in model.graph.node:
        node.output[:] = ["unused" if name == "next_1" else name for name in node.output]
    model.graph.node.append(onnx.helper.make_node("Identity", ["state_1"], ["next_1"]))


TAMPER: dict[str, Callable[[onnx.ModelProto], None]] = {
    "a weight off by a percent": lambda model: _weigh(model, lambda w: w * 1.01),
    "a weight that is not finite": lambda model: _weigh(model, lambda w: w * np.float32(np.nan)),
    "a state that is not fed back": _forget,
}


@pytest.mark.parametrize("tamper", TAMPER.values(), ids=TAMPER)
def test_a_broken_exporter_is_refused_and_leaves_no_file(
    tmp_path: Path, exported: Exported, tamper: Callable[[onnx.ModelProto], None]
) -> None:
    network, path = exported("recurrent")
    with pytest.raises(Refusal, match="nothing was exported"):
        Tampering(path, tamper).export(network, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_untouched_graph_is_accepted(tmp_path: Path, exported: Exported) -> None:
    network, path = exported("recurrent")
    parity = Tampering(path, lambda _: None).export(network, tmp_path)
    assert parity.worst <= 1e-4
    assert (tmp_path / "step.onnx").is_file()


def test_a_graph_cut_short_is_no_graph(tmp_path: Path, exported: Exported) -> None:
    from vsr_lab.core.errors import UserError

    shutil.copy(exported("recurrent")[1], tmp_path / "step.onnx")
    data = (tmp_path / "step.onnx").read_bytes()
    (tmp_path / "step.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="is not an ONNX file"):
        open_onnx(tmp_path / "step.onnx")
