"""A step in torch's own format: torch alone runs it, and it is compared with the network like every graph."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vsr_lab.core.errors import Refusal
from vsr_lab.core.files import sha256
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.deployment.bundle import verify_bundle, write_bundle
from vsr_lab.deployment.export import TorchExporter, rollout_clip
from vsr_lab.models import Recurrent

ALONE = """
import sys, torch
folder = sys.argv[1]
step = torch.export.load(f"{folder}/step.pt2").module()
clip = torch.load(f"{folder}/clip.pt")
state, made = torch.load(f"{folder}/state.pt"), []
with torch.no_grad():
    for lr in clip:
        sr, *state = step(lr[None], state)
        made.append(sr)
torch.save(torch.cat(made), f"{folder}/made.pt")
assert not any(name.startswith("vsr_lab") for name in sys.modules)
"""


@pytest.fixture
def network() -> StreamingNetwork:
    return _random(0)


def _random(seed: int) -> StreamingNetwork:
    torch.manual_seed(seed)
    network = Recurrent(2, channels=4, blocks=1).eval()
    for parameter in network.parameters():  # the last layer begins with zeros
        torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.fixture
def exporter() -> TorchExporter:
    return TorchExporter(tolerance=1e-4, frames=4)


@pytest.mark.slow
def test_torch_alone_runs_it(network: StreamingNetwork, exporter: TorchExporter, tmp_path: Path) -> None:
    assert exporter.export(network, tmp_path).worst < 1e-6
    clip = rollout_clip(6, 64, 40)
    torch.save(clip, tmp_path / "clip.pt")
    torch.save(list(network.zero_state(clip[:1])), tmp_path / "state.pt")
    subprocess.run([sys.executable, "-I", "-c", ALONE, str(tmp_path)], check=True)
    assert torch.allclose(torch.load(tmp_path / "made.pt"), torch.stack(list(stream(network, clip))), atol=1e-6)


def test_its_bytes_are_reproducible_and_name_no_file_of_this_machine(
    network: StreamingNetwork, exporter: TorchExporter, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        exporter.export(network, tmp_path / name)
    assert sha256(tmp_path / "a" / "step.pt2") == sha256(tmp_path / "b" / "step.pt2")
    with zipfile.ZipFile(tmp_path / "a" / "step.pt2") as archive:
        assert not any(b".py" in archive.read(name) for name in archive.namelist())


class Tampered(TorchExporter):
    """Writes another network than the one it is given."""

    def write(self, network: StreamingNetwork, example: Tensor, path: Path) -> None:
        super().write(_random(1), example, path)


def test_a_wrong_graph_is_refused(network: StreamingNetwork, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="torch_export: the graph differs from the network"):
        Tampered(tolerance=1e-4, frames=4).export(network, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_is_in_the_bundle_and_is_not_opened_to_verify_it(
    network: StreamingNetwork, exporter: TorchExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_bundle(tmp_path / "bundle", "tiny", network, about={}, exporters=[exporter])
    assert manifest.graphs["torch_export"].file == "step.pt2" and "step.pt2" in manifest.sha256
    assert "torch.export.load" in (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    monkeypatch.delattr(torch.export, "load")
    found = verify_bundle(tmp_path / "bundle")
    assert (found.unopened, found.parities) == (["torch_export"], [])
