"""vsr-lab export: a checkpoint to a bundle."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build
from vsr_lab.cli.show import show_files
from vsr_lab.core.errors import UserError
from vsr_lab.deployment import write_bundle
from vsr_lab.models import load_network


def run(cfg: DictConfig) -> None:
    """Write the bundle. Raises Refusal where a graph differs from the network."""
    folder = export(cfg)
    show_files("exported", {"bundle": folder, "card": folder / "MODEL_CARD.md", "parity": folder / "parity.json"})


def export(cfg: DictConfig) -> Path:
    """Export the checkpoint and return the folder of the bundle."""
    formats = [str(name) for name in cfg.formats]
    if any(name not in cfg.exporters for name in formats) or len({*formats}) < len(formats):
        known = ", ".join(cfg.exporters)
        raise UserError("formats", f"must be names of exporters, each once, got {formats}", f"choose from {known}")
    path = Path(str(cfg.candidate.get("path") or ""))
    network, note = load_network(path)
    about: dict[str, Any] = note["about"]
    name = cfg.candidate.name or about.get("name")
    if not name:
        raise UserError(path, "does not say the name of its model", "set candidate.name=")
    folder = begin_run(cfg) / "bundle"
    exporters = [build(cfg.exporters[key]) for key in formats]
    write_bundle(folder, name, network, spec=note["network"], about=about, exporters=exporters)
    return folder
