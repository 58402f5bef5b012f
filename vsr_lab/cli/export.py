"""vsr-lab export: a bundle (folder with weights, ONNX graph and hashes) from the weights of a training."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from vsr_lab.cli.app import begin_run
from vsr_lab.cli.configuration.schema import Bool, Command, Names
from vsr_lab.cli.show import show_facts
from vsr_lab.core.errors import UserError
from vsr_lab.core.parts import FilePath, Part, describes
from vsr_lab.core.ranges import Name, Rollout
from vsr_lab.core.records import read_record
from vsr_lab.core.records.bundle import ParityReport
from vsr_lab.deployment.bundle import CARD, MANIFEST, PARITY, export
from vsr_lab.deployment.export import Exporter
from vsr_lab.deployment.signature import read_private_key, sign
from vsr_lab.evaluation.candidates import Candidate


def _has_weights(candidate: Part[Candidate]) -> Part[Candidate]:
    if "path" not in candidate.keywords:
        raise ValueError("has no weights file to export; set candidate=checkpoint candidate.path=")
    return candidate


class ExportConfig(Command):
    """Export a checkpoint to a bundle.

    Example: vsr-lab export candidate.path=RUN/network.safetensors
    """

    candidate: Annotated[Part[Candidate], describes(Candidate), AfterValidator(_has_weights)]
    exporters: Annotated[dict[str, Annotated[Part[Exporter], describes(Exporter)]], Field(min_length=1)]
    """Exporters by name of the format, from configs/exporter."""
    formats: Names
    frames: Rollout
    """Number of frames, in each of three sizes, for which every graph is compared with the network."""
    selection: FilePath | None = None
    """selection.json of select that must have chosen these weights; null: they are exported unselected."""
    licence: Name | None = None
    """Licence of the weights, for manifest and model card; null: the one that the weights file states, if any."""
    private_key: FilePath | None = None
    """PEM file of an Ed25519 key that signs the bundle; null: it is not signed. Requires the extra `provenance`."""
    allow_provisional: Bool = False
    """Whether weights that were chosen provisionally, on too few clips, may be exported."""

    def without_effect(self) -> dict[str, str]:
        unused = [f"exporters.{name}" for name in self.exporters if name not in self.formats]
        reasons = dict.fromkeys(unused, f"formats is {self.formats}")
        return reasons if self.selection else {**reasons, "allow_provisional": "selection is null"}


def run(config: ExportConfig) -> Path:
    """Write the bundle and return its folder.

    Raises Refusal if `select` did not choose the weights, or if a graph gives other output than the network.
    """
    formats, folder, candidate = config.formats, config.run_dir / "bundle", config.candidate.keywords
    if any(name not in config.exporters for name in formats):
        known = ", ".join(config.exporters)
        raise UserError("formats", f"must be names of exporters, got {formats}", f"choose from {known}")
    key = read_private_key(config.private_key) if config.private_key else None
    export(
        str(candidate.get("path") or ""),
        folder,
        name=candidate.get("name"),
        exporters=[config.exporters[name].build() for name in formats],
        selection=config.selection,
        allow_provisional=config.allow_provisional,
        licence=config.licence,
        begin=lambda: begin_run(config),
    )
    written: dict[str, object] = {"bundle": folder, "card": folder / CARD, "parity": folder / PARITY}
    parities = read_record(folder / PARITY, ParityReport).formats
    written |= {parity.format: parity.loss for parity in parities if parity.loss}
    show_facts("exported", written | ({"signature": sign(folder / MANIFEST, key)} if key else {}))
    return folder
