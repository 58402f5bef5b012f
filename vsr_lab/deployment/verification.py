"""Verification of a bundle before it is used: its files, its signature, and its graphs against its network."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.records import read_record
from vsr_lab.core.records.bundle import BundleManifest, Parity, ParityReport
from vsr_lab.deployment.bundle import MANIFEST, PARITY, open_bundle
from vsr_lab.deployment.export import compare_graph, open_onnx
from vsr_lab.deployment.export.window import Unrolled, Windowed
from vsr_lab.deployment.runtimes.torch import bundled_network
from vsr_lab.deployment.signature import check_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True)
class Verification:
    """Result of `verify_bundle`.

    Attributes:
        manifest: manifest of the bundle.
        key: first digits of the SHA-256 of the public key; empty if no signature was checked.
        parities: comparison of every graph with the network.
    """

    manifest: BundleManifest
    key: str
    parities: list[Parity]


def verify_bundle(
    folder: Path | str,
    key: "Ed25519PublicKey | None" = None,
    *,
    frames: int = 60,
    progress: Callable[[str], object] = lambda format: None,
) -> Verification:
    """Verify a bundle before it is used: hashes of its files, signature, and the output of every graph.

    Args:
        folder: folder of the bundle.
        key: key that the bundle must be signed with; None: the signature is not checked.
        frames: number of frames over which graphs and network are compared.
        progress: called with the format of each graph before it is run.

    Raises:
        UserError: a file is missing, damaged or changed.
        Refusal: the signature is missing or was made with another key, or a graph differs from the network.
    """
    folder = Path(folder)
    signed_by = check_signature(folder / MANIFEST, key) if key else ""
    manifest = open_bundle(folder, None).manifest
    network = bundled_network(folder)
    recorded = {parity.format: parity for parity in read_record(folder / PARITY, ParityReport).formats}
    parities: list[Parity] = []
    for format, file in manifest.graphs.items():
        progress(format)
        if format not in recorded:
            raise UserError(folder / PARITY, f"does not contain {format}", "export the bundle again")
        graph, tolerance = open_onnx(folder / file), recorded[format].tolerance
        parities.append(compare_graph(_reference(network, graph), graph, format, tolerance=tolerance, frames=frames))
    return Verification(manifest, signed_by, parities)


def _reference(network: StreamingNetwork, graph: StreamingNetwork) -> StreamingNetwork:
    return Unrolled(network, graph.frames) if isinstance(graph, Windowed) else network
