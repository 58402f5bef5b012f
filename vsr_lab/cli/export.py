"""vsr-lab export: a checkpoint to a bundle."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build, plain
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
    unknown = [name for name in cfg.formats if name not in cfg.exporters]
    if unknown or not cfg.formats:
        known = ", ".join(cfg.exporters)
        raise UserError(f"formats={plain(cfg.formats)}", "names an unknown exporter, or none", f"choose from [{known}]")
    path = Path(str(cfg.candidate.get("path") or ""))
    network, note = load_network(path)
    about: dict[str, Any] = note["about"]
    run_dir = begin_run(cfg)
    folder = run_dir / "bundle"
    name = cfg.candidate.name or about.get("name") or path.stem
    exporters = [build(cfg.exporters[name]) for name in cfg.formats]
    write_bundle(folder, name, network, spec=note["network"], about=about, exporters=exporters)
    return folder
