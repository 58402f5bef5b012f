"""A bundle: everything that production needs of a model, in one folder that can prove itself whole."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import atomic_path, read_json, sha256, write_json, write_text
from vsr_lab.core.network import Network, StreamingNetwork
from vsr_lab.deployment.export import Exporter, open_onnx
from vsr_lab.models import save_network

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its manifest and the graph that runs."""

    folder: Path
    manifest: dict[str, Any]
    network: StreamingNetwork


def write_bundle(
    folder: Path,
    name: str,
    network: Network,
    spec: dict[str, Any],
    about: Mapping[str, Any],
    exporters: Sequence[Exporter],
) -> dict[str, Any]:
    """Export network into a new folder and return the manifest.

    Raises Refusal, leaving nothing behind, where a graph fails parity; UserError for a network that cannot stream.
    """
    if not isinstance(network, StreamingNetwork):
        raise UserError(name, "needs future frames, so it has no step to export", "export a streaming network")
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_network(network, spec, dict(about), temporary / "network.safetensors")
        parities = [exporter.export(network, temporary) for exporter in exporters]
        write_json(temporary / "parity.json", {"schema": 1, "formats": [p.to_json() for p in parities]})
        facts = {
            "name": name,
            "scale": network.scale,
            "warm_up": network.warm_up,
            "parameters": sum(p.numel() for p in network.parameters()),
            "network": spec,
            "about": dict(about),
            "graphs": {exporter.format: exporter.file for exporter in exporters},
        }
        card = jinja2.Template(_CARD.read_text(encoding="utf-8"), trim_blocks=True, lstrip_blocks=True)
        write_text(temporary / "MODEL_CARD.md", card.render(facts, parities=parities))
        manifest = {
            "schema": 1,
            **facts,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": {"python": platform.python_version(), "vsr-lab": version("vsr-lab"), "torch": version("torch")},
            "sha256": {file.name: sha256(file) for file in sorted(temporary.iterdir())},
        }
        write_json(temporary / MANIFEST, manifest)
    return manifest


_CARD = Path(__file__).with_name("model_card.md.j2")


def open_bundle(folder: Path) -> Bundle:
    """The bundle in folder. Raises UserError where a file is missing or is not the one that was exported."""
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("schema") != 1 or "sha256" not in manifest:
        raise UserError(folder / MANIFEST, "is no bundle's manifest", "give a bundle/ that vsr-lab export wrote")
    for file, digest in manifest["sha256"].items():
        path = folder / file
        if not path.is_file():
            raise UserError(path, "is missing from the bundle", "copy the whole bundle/")
        if sha256(path) != digest:
            raise UserError(path, "was changed after the export", "copy the bundle/ anew")
    unproven = [file for file in manifest["graphs"].values() if file not in manifest["sha256"]]
    if unproven:
        raise UserError(folder / unproven[0], "has no hash in the manifest", "export the bundle anew")
    if "onnx" not in manifest["graphs"]:
        raise UserError(folder, "has no ONNX graph to run", "export it with formats=[onnx]")
    return Bundle(folder, manifest, open_onnx(folder / manifest["graphs"]["onnx"]))
