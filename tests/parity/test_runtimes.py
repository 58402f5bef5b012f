"""Runtimes of a bundle against the network in torch, and the choice among them."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from vsr_lab.cli import bench
from vsr_lab.cli.bench import BenchConfig
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.records import read_record
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.core.tile import Tiled
from vsr_lab.deployment import write_bundle
from vsr_lab.deployment.export import OnnxExporter, rollout_clip
from vsr_lab.deployment.runtimes import DEFAULT, RuntimeOptions, choice, choose_runtime, open_runtime
from vsr_lab.models import Recurrent, SpanStream, load_network

ZOO = Path(__file__).parents[2] / "results" / "zoo" / "weights"
SIZES = ((48, 64), (72, 96), (121, 161))
RUNTIMES = [
    pytest.param(backend, precision, marks=[pytest.mark.slow] if precision == "float16" else [])
    for backend, device, precision in RuntimeOptions(precision="auto").combinations()
    if device == "cpu" and (backend != "openvino" or find_spec("openvino"))
]
Opened = tuple[Path, BundleManifest]


def _small() -> StreamingNetwork:
    network = Recurrent(2, channels=16, blocks=1, warm_up=1)
    torch.nn.init.normal_(network.head.weight, 0, 0.02)
    return network


def _span() -> StreamingNetwork:
    """The features of a zoo network, with a state that matters."""
    plain, _ = load_network(ZOO / "live_action_nano_x2.safetensors")
    network = SpanStream(2, channels=28, memory=8)
    network.load_state_dict(plain.state_dict(), strict=False)
    for layer in (network.early, network.correction, network.gate):
        torch.nn.init.normal_(layer.weight, 0, 0.02)
    return network


def _exported(folder: Path, network: StreamingNetwork) -> Opened:
    return folder, write_bundle(folder, "small", network.eval(), about={}, exporters=[OnnxExporter(frames=6)])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    torch.manual_seed(0)
    return _exported(tmp_path_factory.mktemp("runtimes") / "bundle", _small())


@pytest.fixture(scope="module")
def span(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    torch.manual_seed(0)
    return _exported(tmp_path_factory.mktemp("runtimes") / "span", _span())


def _runtime(backend: str, precision: str) -> Runtime:
    return Runtime(backend=backend, device="cpu", precision=precision, threads=1, version="")


def _differences(bundle: Opened, backend: str, precision: str, clip: Tensor) -> tuple[float, float]:
    """The largest difference to the network, and the PSNR of the worst frame."""
    network, _ = load_network(bundle[0] / "network.safetensors")
    rebuilt = open_runtime(*bundle, _runtime(backend, precision))
    worst, psnr = 0.0, float("inf")
    for ours, theirs in zip(stream(network, clip), stream(rebuilt, clip), strict=True):
        worst = max(worst, float((ours - theirs).abs().max()))
        psnr = min(psnr, choice.compare_to_float32(theirs[None], ours[None], precision)[1])
    return worst, psnr


def _check(bundle: Opened, backend: str, precision: str, clip: Tensor) -> None:
    worst, psnr = _differences(bundle, backend, precision, clip)
    assert worst <= choice.LARGEST_DIFFERENCE if precision == "float32" else psnr >= choice.LEAST_PSNR, (worst, psnr)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("backend", "precision"), RUNTIMES)
def test_a_runtime_gives_what_the_network_gives(
    bundle: Opened, backend: str, precision: str, size: tuple[int, int]
) -> None:
    _check(bundle, backend, precision, rollout_clip(30, *size))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("backend", "precision"), RUNTIMES)
def test_a_network_with_flow_stays_the_same_over_many_frames(
    span: Opened, backend: str, precision: str, size: tuple[int, int]
) -> None:
    _check(span, backend, precision, rollout_clip(300, *size))


@pytest.mark.parametrize(("backend", "precision"), RUNTIMES)
def test_a_runtime_runs_tiles_of_several_sizes(bundle: Opened, backend: str, precision: str) -> None:
    clip = rollout_clip(4, 40, 56)
    network, _ = load_network(bundle[0] / "network.safetensors")
    assert isinstance(network, StreamingNetwork)
    rebuilt = open_runtime(*bundle, _runtime(backend, precision))
    ours, theirs = (torch.stack(list(stream(Tiled(n, 24, 8), clip))) for n in (network, rebuilt))
    assert choice.compare_to_float32(theirs, ours, precision)[0] == ""


def test_the_fastest_is_taken_and_remembered(bundle: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    first = choose_runtime(*bundle, RuntimeOptions(precision="auto"), (24, 40))
    assert first.speed and not first.refused
    monkeypatch.setattr(choice, "run_trials", None)  # not measured again
    assert choose_runtime(*bundle, RuntimeOptions(precision="auto"), (24, 40)) == first


def test_by_default_the_output_is_that_of_float32(bundle: Opened) -> None:
    assert choose_runtime(*bundle, DEFAULT, (24, 40)).precision == "float32"


def test_a_damaged_cache_is_measured_again(bundle: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = RuntimeOptions("onnxruntime")
    choose_runtime(*bundle, options, (24, 40))
    (file,) = (tmp_path / "vsr-lab" / "runtimes").iterdir()
    file.write_text("{")
    assert choose_runtime(*bundle, options, (24, 40)).backend == "onnxruntime"
    assert json.loads(file.read_text())["backend"] == "onnxruntime"


def test_a_cache_with_another_runtime_is_measured_again(
    bundle: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    options = RuntimeOptions("onnxruntime")
    found = choose_runtime(*bundle, options, (24, 40))
    [file] = tmp_path.rglob("*.json")
    for change in ({"backend": "nothing"}, {"device": "cuda"}, {"threads": 10**8}):
        file.write_text(found.model_copy(update=change).model_dump_json())
        assert choose_runtime(*bundle, options, (24, 40)).model_dump(include={*change}) == found.model_dump(
            include={*change}
        )


def test_more_threads_than_processors_are_refused(bundle: Opened) -> None:
    with pytest.raises(UserError, match="threads=1024"):
        choose_runtime(*bundle, RuntimeOptions("onnxruntime", threads=1024), (24, 40))


@pytest.fixture
def planted(bundle: Opened, tmp_path: Path) -> Opened:
    """The bundle with an ONNX graph of which one weight differs, and with hashes that agree."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for file in bundle[0].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    model = onnx.load(str(folder / "step.onnx"))
    weight = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("head.weight"))
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1.01), weight.name))
    onnx.save(model, str(folder / "step.onnx"))
    hashes = {**bundle[1].sha256, "step.onnx": sha256(folder / "step.onnx")}
    manifest = bundle[1].model_copy(update={"sha256": hashes})
    manifest = manifest.model_copy(update={"fingerprint": manifest.computed_fingerprint()})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return folder, read_record(folder / "manifest.json", BundleManifest)


@pytest.mark.parametrize("options", [RuntimeOptions("onnxruntime"), RuntimeOptions("openvino", precision="bfloat16")])
def test_a_wrong_export_is_refused(planted: Opened, options: RuntimeOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_has_bfloat16", lambda: True)
    with pytest.raises(Refusal, match="float32 on cpu: differs from float32 in torch by"):
        choose_runtime(*planted, options, (24, 40))


def test_another_runtime_is_taken_instead_of_a_wrong_export(planted: Opened) -> None:
    chosen = choose_runtime(*planted, RuntimeOptions(precision="auto"), (24, 40))
    assert chosen.backend == "torch"
    assert any("onnxruntime float32 on cpu: differs" in reason for reason in chosen.refused)


def test_torch_in_float32_needs_no_trial(planted: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "run_trials", None)
    assert choose_runtime(*planted, RuntimeOptions("torch", "cpu", "float32", 1), (24, 40)).threads == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RuntimeOptions("onnxruntime", precision="bfloat16"), "it has float32 on cpu"),
        (lambda: RuntimeOptions("onnxruntime", "cuda"), "does not compute with device=cuda"),
    ],
)
def test_a_combination_that_does_not_exist_is_refused(make: Callable[[], RuntimeOptions], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_what_the_machine_or_the_bundle_lacks_is_refused(bundle: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="has no ONNX graph"):
        choose_runtime(bundle[0], bundle[1].model_copy(update={"graphs": {}}), RuntimeOptions("onnxruntime"), (24, 40))
    monkeypatch.setattr(choice, "_has_bfloat16", lambda: False)
    with pytest.raises(UserError, match="this processor, which has neither"):
        choose_runtime(*bundle, RuntimeOptions("openvino", precision="bfloat16"), (24, 40))
    monkeypatch.setattr(choice, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"OpenVINO is not installed; pip install 'vsr-lab\[openvino\]'"):
        choose_runtime(*bundle, RuntimeOptions("openvino"), (24, 40))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="no CUDA device was found"):
        choose_runtime(*bundle, RuntimeOptions(device="cuda"), (24, 40))


def test_bench_prints_every_runtime(bundle: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    config = BenchConfig(bundle=bundle[0], sizes=["32x24"], device="cpu", threads=1)
    bench.run(config)
    printed = capsys.readouterr().out
    assert "small, 32x24 -> x2" in printed
    assert printed.count("float32 on cpu") == 2 + (find_spec("openvino") is not None)


def test_openvino_makes_no_network_connection() -> None:
    program = """
import sys, time
from pathlib import Path
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event in {"urllib.Request", "socket.getaddrinfo"} else None)
import vsr_lab.deployment.runtimes.openvino
time.sleep(2)
sys.exit(f"{calls}" if calls else 0)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
