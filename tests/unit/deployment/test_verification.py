"""Bundles that can be checked: reproducible bytes, an Ed25519 signature, and graphs compared again."""

import json
import re
from base64 import b64encode
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.records import read_record, write_record
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.deployment import Bundle, write_bundle
from vsr_lab.deployment.bundle import verify_bundle
from vsr_lab.deployment.export import OnnxExporter, OnnxWindowExporter
from vsr_lab.deployment.signature import SIGNATURE, read_private_key, read_public_key, sign
from vsr_lab.models import Interpolation, Recurrent

# Keys of the algorithm 1.2.3.4, which does not exist.
_UNKNOWN = {
    kind: b64encode(bytes.fromhex(der)).decode()
    for kind, der in (("PUBLIC", "300a300506032a0304030100"), ("PRIVATE", "300c020100300506032a03040400"))
}


def _write_keys(folder: Path, name: str) -> tuple[Path, Path]:
    """A private key and its public key, in PEM."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def _edit(bundle: Bundle, **changes: object) -> None:
    """Change the manifest and its own hash, as an attacker would."""
    manifest = bundle.manifest.model_copy(update=changes)
    manifest = manifest.model_copy(update={"fingerprint": manifest.computed_fingerprint()})
    write_record(bundle.folder / "manifest.json", manifest)


def test_a_signed_bundle_is_verified_by_its_key_alone(bundle: Bundle, tmp_path: Path) -> None:
    private, public = _write_keys(tmp_path, "ours")
    _, other = _write_keys(tmp_path, "other")
    with pytest.raises(Refusal, match="is not signed; export the bundle again with private_key="):
        verify_bundle(bundle.folder, read_public_key(public), frames=4)
    sign(bundle.folder / "manifest.json", read_private_key(private))
    assert (bundle.folder / SIGNATURE).stat().st_size == 64
    assert len(verify_bundle(bundle.folder, read_public_key(public), frames=4).key) == 16
    with pytest.raises(Refusal, match="does not fit this public key"):
        verify_bundle(bundle.folder, read_public_key(other), frames=4)
    (bundle.folder / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"manifest\.json: not found; give the folder of a bundle"):
        verify_bundle(bundle.folder, read_public_key(public), frames=4)


def test_a_manifest_that_was_changed_with_its_hash_is_found_by_the_signature(bundle: Bundle, tmp_path: Path) -> None:
    private, public = _write_keys(tmp_path, "ours")
    sign(bundle.folder / "manifest.json", read_private_key(private))
    _edit(bundle, content="screen_capture")
    assert verify_bundle(bundle.folder, frames=4).manifest.content == "screen_capture"
    with pytest.raises(Refusal, match=r"manifest\.sig: .*or manifest\.json"):
        verify_bundle(bundle.folder, read_public_key(public), frames=4)


def test_a_graph_that_was_replaced_with_its_hash_is_found_by_running_it(bundle: Bundle, nearest: object) -> None:
    graph = bundle.folder / "step.onnx"
    type(nearest)(1.01).write(bundle.network, torch.rand(1, 3, 8, 8), graph)  # type: ignore[call-arg, attr-defined]
    _edit(bundle, sha256={**bundle.manifest.sha256, "step.onnx": sha256(graph)})
    with pytest.raises(Refusal, match=r"onnx: the graph differs from the network by 0\.01 at frame \d"):
        verify_bundle(bundle.folder, frames=4)


@pytest.mark.parametrize("read", [read_private_key, read_public_key])
def test_what_is_no_key_is_refused(tmp_path: Path, read: object) -> None:
    text, other, unknown = (tmp_path / name for name in ("text.pem", "x25519.pem", "unknown.pem"))
    text.write_text("no key")
    kind = "PRIVATE" if read is read_private_key else "PUBLIC"
    unknown.write_text(f"-----BEGIN {kind} KEY-----\n{_UNKNOWN[kind]}\n-----END {kind} KEY-----\n")
    key = X25519PrivateKey.generate()
    private = read is read_private_key
    other.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if private
        else key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for path, problem in (
        (text, r"text\.pem: is not an? (unencrypted private|public) key in PEM"),
        (other, "is not an Ed25519 key"),
        (unknown, r"unknown\.pem: is not an? (unencrypted private|public) key in PEM"),
        (tmp_path / "none.pem", "none"),
    ):
        with pytest.raises(UserError, match=problem):
            read(path)  # type: ignore[operator]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Recurrent]:
    """The same network exported twice, at the same SOURCE_DATE_EPOCH."""
    torch.manual_seed(0)
    network = Recurrent(2, channels=4, blocks=1).eval()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)  # the last layer is zero at first, which would hide the state
    exporters = [OnnxExporter(frames=4), OnnxWindowExporter(frames=4, window=2)]
    folders = [tmp_path_factory.mktemp("exports") / "bundle" for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        for folder in folders:
            write_bundle(folder, "tiny", network, about={"seed": 0}, exporters=exporters)
    return folders[0], folders[1], network


def test_the_same_weights_give_the_same_bytes(twice: tuple[Path, Path, Recurrent]) -> None:
    first, second, _ = twice
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert read_record(first / "manifest.json", BundleManifest).created == "2023-11-14T22:13:20+00:00"


def test_no_path_of_this_machine_is_in_a_bundle(twice: tuple[Path, Path, Recurrent]) -> None:
    for path in twice[0].iterdir():
        assert not re.search(rb"\.py\b|site-packages|/home/|" + re.escape(bytes(Path.cwd())), path.read_bytes()), path


def test_the_manifest_describes_inputs_and_outputs_as_the_graphs_have_them(
    twice: tuple[Path, Path, Recurrent],
) -> None:
    for graph in read_record(twice[0] / "manifest.json", BundleManifest).graphs.values():
        session = ort.InferenceSession(str(twice[0] / graph.file), providers=["CPUExecutionProvider"])
        for described, nodes in ((graph.inputs, session.get_inputs()), (graph.outputs, session.get_outputs())):
            assert [tensor.name for tensor in described] == [node.name for node in nodes]
            assert [list(tensor.shape) for tensor in described] == [node.shape for node in nodes]
            assert {node.type for node in nodes} == {"tensor(float)"} and {t.type for t in described} == {"float32"}


def test_every_graph_is_compared_again(twice: tuple[Path, Path, Recurrent]) -> None:
    found = verify_bundle(twice[0], frames=3)
    card = (twice[0] / "MODEL_CARD.md").read_text()
    assert len(re.findall(r"\| onnx(_window)? \| fp32 \| (64x48|96x72|161x121) \| 4 \| .* dB \|", card)) == 6
    assert re.search(r"- onnx_window: PSNR [\d.]+ dB to the output of streaming, in the worst of 4 frames", card)
    assert [(parity.format, parity.frames) for parity in found.parities] == [("onnx", 3), ("onnx_window", 3)]
    assert all(parity.worst < 1e-4 for parity in found.parities)


@pytest.mark.parametrize("warm_up", [0, 2])
def test_the_code_in_the_model_card_runs(
    twice: tuple[Path, Path, Recurrent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_up: int
) -> None:
    folder, _, network = twice
    if warm_up:
        weights, folder = network.state_dict(), tmp_path / "bundle"
        network = Recurrent(2, channels=4, blocks=1, warm_up=warm_up).eval()
        network.load_state_dict(weights)
        write_bundle(folder, "tiny", network, about={}, exporters=[OnnxExporter(frames=4)])
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "MODEL_CARD.md").read_text(), re.DOTALL)
    clip = torch.rand(1, 3, 3, 20, 28, generator=torch.Generator().manual_seed(0))
    names: dict[str, object] = {"frames": [frame[None].numpy() for frame in clip[0]]}
    exec(code, names)
    upscaled = np.stack(names["upscaled"], 1)  # type: ignore[call-overload]
    with torch.inference_mode():
        assert np.abs(upscaled - network(clip).numpy()).max() < 1e-4


@pytest.mark.parametrize("value", ["soon", "-1", "1e9", "9" * 12])
def test_a_wrong_source_date_epoch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(UserError, match="SOURCE_DATE_EPOCH"):
        write_bundle(tmp_path / "bundle", "tiny", Recurrent(2, channels=4, blocks=1), about={}, exporters=[])
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_without_the_parity_of_a_graph_is_refused(bundle: Bundle) -> None:
    path = bundle.folder / "parity.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "formats": []}))
    _edit(bundle, sha256={**bundle.manifest.sha256, "parity.json": sha256(path)})
    with pytest.raises(UserError, match=r"parity\.json: has no result for onnx"):
        verify_bundle(bundle.folder, frames=4)


def test_a_network_that_torch_cannot_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"torch\.onnx cannot export this network: Error when translating node"):
        OnnxExporter(frames=4).export(Interpolation(2, "bicubic"), tmp_path)
