"""Window graphs: what other tools load, and the graphs of other tools."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.deployment.export import OnnxWindowExporter, open_onnx, rollout_clip
from vsr_lab.models import Recurrent


@pytest.fixture(scope="module")
def network() -> StreamingNetwork:
    torch.manual_seed(0)
    network = Recurrent(2, 4, 1).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.fixture(scope="module", params=[1, 3])
def frames(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def graph(network: StreamingNetwork, frames: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("window")
    OnnxWindowExporter(frames=4, window=frames).export(network, folder)
    return folder / "window.onnx"


def test_the_graph_has_one_image_in_and_one_out(graph: Path, frames: int) -> None:
    session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    assert (given.type, given.shape[:2], made.shape[:2]) == ("tensor(float)", [1, 3 * frames], [1, 3])
    assert onnx.load(str(graph)).opset_import[0].version <= 20
    lr = np.random.default_rng(0).random((1, 3 * frames, 22, 31), np.float32)
    (sr,) = session.run(None, {given.name: lr})
    assert np.asarray(sr).shape == (1, 3, 44, 62)


def test_a_window_is_the_network_run_over_its_frames_alone(network: StreamingNetwork, graph: Path, frames: int) -> None:
    clip = rollout_clip(5, 24, 30)
    found = list(stream(open_onnx(graph), clip))
    for t, sr in enumerate(found):
        window = torch.stack([clip[max(s, 0)] for s in range(t - frames + 1, t + 1)])
        with torch.inference_mode():
            assert torch.allclose(network(window[None])[0, -1], sr, atol=1e-5)


def test_half_precision_halves_the_file_and_is_close(network: StreamingNetwork, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    exporter = OnnxWindowExporter(2e-2, 4, precision="fp16")
    parity = exporter.export(network, tmp_path)
    assert 0 < parity.worst < 2e-2
    session = ort.InferenceSession(str(tmp_path / "window_fp16.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == session.get_outputs()[0].type == "tensor(float16)"
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_graph_that_strays_is_refused(network: StreamingNetwork, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="differs from the network"):
        OnnxWindowExporter(1e-9, 4, precision="fp16").export(network, tmp_path)


def _blocks(path: Path, block: int, channels: int = 3, *, scales: tuple[float, float] = (2.0, 2.0)) -> None:
    """A graph that repeats pixels, and takes only sizes that are multiples of block."""
    node = onnx.helper.make_node
    nodes = [
        node("SpaceToDepth", ["lr"], ["small"], blocksize=block),
        node("DepthToSpace", ["small"], ["same"], blocksize=block),
        node("Slice", ["same", "from", "to", "axis"], ["last"]),
        node("Resize", ["last", "", "scales"], ["sr"], mode="nearest", coordinate_transformation_mode="asymmetric"),
    ]
    tensors = [
        onnx.helper.make_tensor("scales", 1, [4], [1.0, 1.0, *scales]),
        *(
            onnx.helper.make_tensor(name, 7, [1], [value])
            for name, value in (("from", channels - 3), ("to", channels), ("axis", 1))
        ),
    ]
    lr = onnx.helper.make_tensor_value_info("lr", 1, [1, channels, "h", "w"])
    sr = onnx.helper.make_tensor_value_info("sr", 1, [1, 3, "H", "W"])
    graph = onnx.helper.make_graph(nodes, "g", [lr], [sr], tensors)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), str(path))


@pytest.mark.parametrize(("block", "channels"), [(1, 3), (4, 3), (16, 9)])
def test_a_graph_of_another_tool_is_padded_to_what_it_takes(tmp_path: Path, block: int, channels: int) -> None:
    _blocks(tmp_path / "a.onnx", block, channels)
    network = open_onnx(tmp_path / "a.onnx")
    assert (network.scale, network.size_multiple) == (2, block)
    clip = rollout_clip(3, 21, 30)
    found = list(stream(network, clip))
    assert torch.equal(found[2], clip[2].repeat_interleave(2, -1).repeat_interleave(2, -2))


def test_other_channels_are_refused(tmp_path: Path) -> None:
    _blocks(tmp_path / "a.onnx", 1, 4)
    with pytest.raises(UserError, match="takes 4 channels"):
        open_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize(("scales", "told"), [((2.0, 3.0), "65x65 to 195x130"), ((1.5, 1.5), "one integer scale")])
def test_scales_that_differ_or_are_no_integers_are_refused(
    tmp_path: Path, scales: tuple[float, float], told: str
) -> None:
    _blocks(tmp_path / "a.onnx", 1, scales=scales)
    with pytest.raises(UserError, match=rf"a\.onnx: upscales .*{told}"):
        open_onnx(tmp_path / "a.onnx")
