"""vsr-lab export: a checkpoint to a bundle."""

from pathlib import Path

from omegaconf import DictConfig

from vsr_lab.cli.app import begin_run, build
from vsr_lab.cli.show import show_files
from vsr_lab.core.errors import UserError
from vsr_lab.deployment.bundle import export


def run(cfg: DictConfig) -> None:
    """Write the bundle. Raises Refusal if a graph differs from the network."""
    folder = write_bundle(cfg)
    show_files("exported", {"bundle": folder, "card": folder / "MODEL_CARD.md", "parity": folder / "parity.json"})


def write_bundle(cfg: DictConfig) -> Path:
    """Export the checkpoint and return the folder of the bundle."""
    formats = [str(name) for name in cfg.formats]
    if any(name not in cfg.exporters for name in formats) or len({*formats}) < len(formats):
        known = ", ".join(cfg.exporters)
        raise UserError("formats", f"must be names of exporters, each once, got {formats}", f"choose from {known}")
    folder = Path(cfg.run_dir) / "bundle"
    exporters = [build(cfg.exporters[key]) for key in formats]
    weights = str(cfg.candidate.get("path") or "")
    export(weights, folder, name=cfg.candidate.name, exporters=exporters, begin=lambda: begin_run(cfg))
    return folder
