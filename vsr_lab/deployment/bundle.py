"""Writing, opening and verifying bundles: folders with the weights, graphs, manifest and model card of a network."""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2

from vsr_lab.core.cuts import CUT_THRESHOLDS, SceneCutDetector
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import atomic_path, sha256, write_text
from vsr_lab.core.network import Network, StreamingNetwork
from vsr_lab.core.records import read_record, write_record
from vsr_lab.core.records.bundle import BundleManifest, Parity, ParityReport, Processing, Scores
from vsr_lab.core.records.evaluation import Estimate, Selection
from vsr_lab.deployment.export import Exporter, OnnxExporter, TorchExporter, compare_graph, open_onnx
from vsr_lab.deployment.export.window import Unrolled, Windowed
from vsr_lab.deployment.runtimes import DEFAULT, RuntimeOptions
from vsr_lab.deployment.runtimes.torch import bundled_network
from vsr_lab.deployment.signature import check_signature
from vsr_lab.models import load_network, read_note, save_network
from vsr_lab.models.files import WEIGHTS

MANIFEST = "manifest.json"
PARITY = "parity.json"
CARD = "MODEL_CARD.md"
_CUT_DETECTOR = f"{SceneCutDetector.__module__}.{SceneCutDetector.__qualname__}"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: the folder with an exported network and everything that is needed to run it.

    Attributes:
        folder: the folder.
        manifest: content of its manifest.json.
        network: the graph of format onnx, run by onnxruntime, or the network in torch if the bundle has no such graph.
        runtime: options by which `upscale` chooses a runtime; None: `upscale` runs `network`.
    """

    folder: Path
    manifest: BundleManifest
    network: StreamingNetwork
    runtime: RuntimeOptions | None = None


def export(
    weights: Path | str,
    folder: Path | str,
    *,
    name: str | None = None,
    exporters: Sequence[Exporter] | None = None,
    selection: Path | str | None = None,
    allow_provisional: bool = False,
    licence: str | None = None,
    begin: Callable[[], object] = lambda: None,
) -> BundleManifest:
    """Export a trained network to a bundle: graphs, weights, a model card and the hashes of all files.

    Each graph is loaded again and compared with the network on test clips.

    Args:
        weights: network.safetensors of a training.
        folder: folder of the bundle; must not exist, or be empty.
        name: name of the model; None: its name in the training.
        exporters: one for each format to write; None: ONNX.
        selection: selection.json of `select`, which must have chosen these weights; None: no selection is required.
        allow_provisional: accept a provisional choice, for which `select` had too few clips.
        licence: licence of the weights; None: the licence that the weights file states, if any.
        begin: called once, after weights and selection were checked and before the first file is written.

    Returns:
        The content of manifest.json.

    Raises:
        Refusal: the selection did not choose the weights or is provisional, the network cannot be exported to a format,
            or a graph differs from the network. No files are left behind.
        UserError: the weights or the selection cannot be read, the model has no name, the network needs future frames,
            or the folder cannot be written.

    Example:
        >>> from vsr_lab.deployment.export import OnnxExporter
        >>> manifest = vsr_lab.export("runs/small/network.safetensors", "bundle", exporters=[OnnxExporter(frames=4)])
        >>> manifest.graphs["onnx"].file, manifest.scale
        ('step.onnx', 2)
    """
    network, note = load_network(weights)
    about: dict[str, Any] = note["about"]
    called = name or about.get("name")
    if not called:
        raise UserError(weights, "does not contain the name of its model", "set candidate.name=NAME")
    about = {**about, "weights_sha256": sha256(Path(weights))}
    scores: list[Scores] = []
    if selection is not None:
        verdicts, scores = _check_selected(Path(weights), Path(selection), allow_provisional)
        about = {**about, "selection": verdicts}
    licence = licence or about.get("licence")
    begin()
    exporters = [OnnxExporter()] if exporters is None else exporters
    return write_bundle(Path(folder), called, network, about=about, exporters=exporters, licence=licence, scores=scores)


def _check_selected(weights: Path, path: Path, allow_provisional: bool) -> tuple[str, list[Scores]]:
    """Verdicts of a selection on weights, as text, and the scores of these weights.

    Raises Refusal if the selection did not choose the weights, or only provisionally (unless `allow_provisional`).
    """
    digest, selection = sha256(weights), read_record(path, Selection)
    own = [choice for choice in selection.choices if (facts := choice.candidate_facts) and facts.sha256 == digest]
    if not own:
        chosen = ", ".join(f"{choice.chosen} for {choice.suite}" for choice in selection.choices if choice.chosen)
        raise Refusal(
            f"{path}: chose {chosen or 'nothing'}, not {weights} (SHA-256 {digest[:12]}...); export the chosen weights"
        )
    verdicts = "; ".join(f"{choice.suite}: {choice.verdict}" for choice in own)
    if any(choice.provisional for choice in own) and not allow_provisional:
        raise Refusal(f"{path}: {verdicts}; evaluate on more clips, or set allow_provisional=true")
    scores = [
        Scores(
            suite=choice.suite,
            protocol=selection.protocol,
            baseline=selection.baseline,
            metrics=choice.scores["chosen"],
            baseline_metrics=choice.scores["baseline"],
        )
        for choice in own
        if choice.scores  # earlier versions of vsr_lab did not write them
    ]
    return verdicts, scores


def write_bundle(
    folder: Path,
    name: str,
    network: Network,
    *,
    about: Mapping[str, Any],
    exporters: Sequence[Exporter],
    licence: str | None = None,
    scores: Sequence[Scores] = (),
) -> BundleManifest:
    """Export a network to a new bundle: graphs, weights, a model card and the hashes of all files.

    Args:
        folder: folder of the bundle; must not exist, or be empty.
        name: name of the model.
        network: network to export.
        about: notes on the training, which are stored in the bundle.
        exporters: one for each format to write.
        licence: licence of the weights; None: not stated.
        scores: scores on each suite for which the network was selected.

    Returns:
        The content of manifest.json.

    Raises:
        Refusal: the network cannot be exported to a format, or a graph differs from it. No files are left behind.
        UserError: the network is no `StreamingNetwork`, since it needs future frames; the folder cannot be written; or
            the environment variable SOURCE_DATE_EPOCH is no number of seconds.
    """
    if not isinstance(network, StreamingNetwork):
        problem = "needs future frames, so it cannot run frame by frame"
        raise UserError(name, problem, "train a streaming network, such as model=recurrent")
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        save_network(network, about, temporary / WEIGHTS)
        parities = [exporter.export(network, temporary) for exporter in exporters]
        write_record(temporary / PARITY, ParityReport(formats=parities))
        manifest = BundleManifest(
            name=name,
            scale=network.scale,
            warm_up=network.warm_up,
            size_multiple=network.size_multiple,
            parameters=sum(p.numel() for p in network.parameters()),
            network=read_note(temporary / WEIGHTS)["network"],
            content=about.get("content"),
            pixel_format=about.get("pixel_format"),
            trained_with=about.get("trained_with", "unknown"),
            about=dict(about),
            licence=licence,
            processing=Processing(cut_detector=_CUT_DETECTOR, cut_thresholds=CUT_THRESHOLDS),
            scores=list(scores),
            graphs={exporter.format: exporter.describe(network) for exporter in exporters},
            created=_now(),
            versions={"python": platform.python_version(), "vsr-lab": version("vsr-lab"), "torch": version("torch")},
            sha256={},
        )
        card = jinja2.Template(_TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True, lstrip_blocks=True)
        write_text(temporary / CARD, card.render(vars(manifest), parities=parities, shown=_shown))
        hashes = {file.name: sha256(file) for file in sorted(temporary.iterdir())}
        manifest = manifest.model_copy(update={"sha256": hashes})
        manifest = manifest.model_copy(update={"fingerprint": manifest.computed_fingerprint()})
        write_record(temporary / MANIFEST, manifest)
    return manifest


def _shown(estimate: Estimate) -> str:
    return f"{estimate.mean:.4g} {estimate.interval('{:.4g}'.format)}".rstrip()


def _now() -> str:
    """Current time, or SOURCE_DATE_EPOCH, with which the same weights give the same bytes (reproducible-builds.org)."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    if seconds and not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        raise UserError("SOURCE_DATE_EPOCH", f"must be seconds since 1970, got {seconds}", "unset it")
    return datetime.fromtimestamp(int(seconds or time.time()), UTC).isoformat(timespec="seconds")


_TEMPLATE = Path(__file__).with_name("model_card.md.j2")


def open_bundle(folder: Path | str, runtime: RuntimeOptions | None = DEFAULT) -> Bundle:
    """Open a bundle (the folder with an exported network), after checking the hashes of its files.

    Args:
        folder: folder that `export` wrote.
        runtime: options by which `upscale` chooses a runtime (library, device, precision). None: no choice is made, and
            `upscale` runs `Bundle.network`.

    Raises:
        UserError: the folder is no bundle, a file is missing or has changed since the export, or the network cannot be
            opened.
    """
    folder = Path(folder)
    if not (folder / MANIFEST).exists():
        what = f"has no {MANIFEST}" if folder.is_dir() else "is not a folder" if folder.exists() else "not found"
        raise UserError(folder, what, "give the folder `bundle` that vsr-lab export wrote")
    manifest = read_record(folder / MANIFEST, BundleManifest)
    if manifest.fingerprint != manifest.computed_fingerprint():
        raise UserError(folder / MANIFEST, "was changed after the export", "copy the bundle again, or export it again")
    for file, digest in manifest.sha256.items():
        path = folder / file
        if not path.is_file():
            raise UserError(path, "is missing from the bundle", "copy the whole bundle/")
        if sha256(path) != digest:
            raise UserError(path, "was changed after the export", "copy the bundle again, or export it again")
    files = (WEIGHTS, *(graph.file for graph in manifest.graphs.values()))
    unhashed = [file for file in files if file not in manifest.sha256]
    if unhashed:
        raise UserError(folder / unhashed[0], "has no hash in the manifest", "export the bundle again")
    graph = manifest.graphs.get("onnx")
    network = open_onnx(folder / graph.file) if graph else bundled_network(folder)
    for key in ("scale", "warm_up", "size_multiple"):
        said, own = getattr(manifest, key), getattr(network, key)
        if said != own:
            problem = f"has {key} {said}, but the network in the bundle has {own}"
            raise UserError(folder / MANIFEST, problem, "export the bundle again")
    return Bundle(folder, manifest, network, runtime)


if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Verification(NamedTuple):
    """Result of `verify_bundle`.

    Attributes:
        manifest: manifest of the bundle.
        key: first 16 hexadecimal digits of the SHA-256 of the public key; empty if no signature was checked.
        parities: comparison of every ONNX graph with the network.
        unopened: formats of graphs that were not run, since opening a file of this format can execute code.
    """

    manifest: BundleManifest
    key: str
    parities: list[Parity]
    unopened: list[str]


def verify_bundle(
    folder: Path | str,
    key: "Ed25519PublicKey | None" = None,
    *,
    frames: int = 60,
    progress: Callable[[str], object] = lambda format: None,
) -> Verification:
    """Verify a bundle before it is used: its signature, the hashes of its files, and the output of every ONNX graph.

    The signature is verified first. Graphs of format torch_export are not run, since opening them can execute code.

    Args:
        folder: folder of the bundle.
        key: public key of the owner, by whose private key the bundle must be signed; None: the signature is not
            checked.
        frames: number of frames on which each graph is compared with the network.
        progress: called with the format of each graph before it is run.

    Raises:
        UserError: a file is missing, damaged or changed.
        Refusal: with `key`, there is no signature, it was made with another key, or the manifest was changed; or the
            output of a graph differs from that of the network.
    """
    folder = Path(folder)
    signed_by = check_signature(folder / MANIFEST, key) if key else ""
    manifest = open_bundle(folder, None).manifest
    network = bundled_network(folder)
    recorded = {parity.format: parity for parity in read_record(folder / PARITY, ParityReport).formats}
    parities: list[Parity] = []
    unopened = [format for format in manifest.graphs if format == TorchExporter.format]  # torch unpickles parts of it
    for format, described in manifest.graphs.items():
        if format in unopened:
            continue
        progress(format)
        if format not in recorded:
            raise UserError(folder / PARITY, f"has no result for {format}", "export the bundle again")
        graph, own = open_onnx(folder / described.file), recorded[format]
        reference = Unrolled(network, graph.frames) if isinstance(graph, Windowed) else network
        parities.append(
            compare_graph(reference, graph, format, tolerance=own.tolerance, frames=frames, precision=own.precision)
        )
    return Verification(manifest, signed_by, parities, unopened)
