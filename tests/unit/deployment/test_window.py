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
from vsr_lab.deployment.export.window import Unrolled
from vsr_lab.models import Compact, Recurrent


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
    parity = OnnxWindowExporter(frames=4, precision="fp16").export(network, tmp_path)
    assert parity.precision == "fp16" and parity.psnr and parity.psnr >= 50 and parity.worst > 1e-4
    session = ort.InferenceSession(str(tmp_path / "window_fp16.onnx"), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == session.get_outputs()[0].type == "tensor(float16)"
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_graph_that_strays_is_refused(network: StreamingNetwork, tmp_path: Path) -> None:
    class Wrong(OnnxWindowExporter):
        def reference(self, network: StreamingNetwork) -> StreamingNetwork:
            return Unrolled(network, self.window + 1)

    with pytest.raises(Refusal, match="differs from the network"):
        Wrong(frames=4).export(network, tmp_path)
    with pytest.raises(Refusal, match=r"dB to the network in fp32"):
        Wrong(frames=4, precision="fp16").export(network, tmp_path)


def test_the_loss_against_streaming_is_measured(network: StreamingNetwork, tmp_path: Path) -> None:
    lost = OnnxWindowExporter(frames=4).export(network, tmp_path).streaming
    clip = rollout_clip(12, 72, 96)[:4]
    with torch.inference_mode():
        window = torch.stack([network(frame[None, None])[0, 0] for frame in clip])
        expected = network(clip[None])[0]
    worst = (window.clamp(0, 1) - expected.clamp(0, 1)).square().mean((1, 2, 3)).max()
    assert lost and lost.psnr == pytest.approx(float(-10 * worst.log10()), abs=1e-2)
    plain = OnnxWindowExporter(frames=3).export(Compact(2, 4, 1), tmp_path).streaming
    assert plain and (plain.psnr is None or plain.psnr > 100), "a network without memory loses nothing"


def _blocks(
    path: Path,
    block: int,
    channels: int = 3,
    *,
    kind: int = 1,
    shape: tuple[int | str, ...] = ("h", "w"),
    scales: tuple[float, float] = (2.0, 2.0),
) -> None:
    """A graph that repeats pixels, and takes only sizes that are multiples of block; kind: 1 is float32, 10 float16."""
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
    lr = onnx.helper.make_tensor_value_info("lr", kind, [1, channels, *shape])
    sr = onnx.helper.make_tensor_value_info("sr", kind, [1, 3, "H", "W"])
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
    with pytest.raises(UserError, match="has an input with 4 channels"):
        open_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize(("scales", "told"), [((2.0, 3.0), "65x65 to 195x130"), ((1.5, 1.5), "same integer scale")])
def test_scales_that_differ_or_are_no_integers_are_refused(
    tmp_path: Path, scales: tuple[float, float], told: str
) -> None:
    _blocks(tmp_path / "a.onnx", 1, scales=scales)
    with pytest.raises(UserError, match=rf"a\.onnx: upscales .*{told}"):
        open_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize("kind", [1, 10])
@pytest.mark.parametrize("shape", [("h", "w"), (8, 12)])
def test_a_graph_of_another_tool_in_half_precision_or_of_one_size(
    tmp_path: Path, kind: int, shape: tuple[int | str, int | str]
) -> None:
    _blocks(tmp_path / "a.onnx", 1, kind=kind, shape=shape)
    network = open_onnx(tmp_path / "a.onnx")
    for clip in (rollout_clip(2, 21, 30), rollout_clip(2, 5, 12), rollout_clip(2, 8, 12)):
        found = torch.stack(list(stream(network, clip)))
        expected = clip.repeat_interleave(2, -1).repeat_interleave(2, -2)
        assert found.dtype == torch.float32
        assert torch.equal(found, expected.half().float() if kind == 10 else expected)


def _resized(graph: Path, path: Path, *sides: int, batch: int = 1) -> Path:
    """The graph, whose input has one size only."""
    model = onnx.load(str(graph))
    for axis, side in zip((0, 2, 3), (batch, *sides), strict=True):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = side
    onnx.save(model, str(path))
    return path


def test_a_graph_of_one_size_is_tiled_without_seams(graph: Path, tmp_path: Path) -> None:
    fixed = open_onnx(_resized(graph, tmp_path / "fixed.onnx", 48, 64))
    assert (fixed.scale, fixed.size_multiple) == (2, 1)
    for size in ((75, 150), (48, 64), (48, 65)):
        clip = rollout_clip(3, *size)
        tiled, whole = (torch.stack(list(stream(network, clip))) for network in (fixed, open_onnx(graph)))
        assert torch.allclose(tiled, whole, atol=1e-5), size


def test_the_true_cause_is_named(graph: Path, tmp_path: Path) -> None:
    path = _resized(graph, tmp_path / "two.onnx", 24, 32, batch=2)
    with pytest.raises(UserError, match=r"does not run on an input of 1x\d+x24x32 \(.*Got: 1 Expected: 2"):
        open_onnx(path)
    model = onnx.load(str(graph))
    del model.graph.input[0].type.tensor_type.shape.dim[0]
    onnx.save(model, str(path))
    with pytest.raises(UserError, match=r"has an input with 3 axes|cannot be run by onnxruntime"):
        open_onnx(path)
