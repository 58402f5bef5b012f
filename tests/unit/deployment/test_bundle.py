"""A bundle is whole, or it is not opened; it is written, or nothing is."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vsr_lab.core.cuts import CUT_RULE
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.network import Network
from vsr_lab.core.records import write_record
from vsr_lab.core.records.bundle import BundleManifest, Graph
from vsr_lab.core.records.evaluation import CandidateFacts, Choice, Estimate, ProtocolFacts, Selection
from vsr_lab.deployment import Bundle, open_bundle, write_bundle
from vsr_lab.deployment.bundle import export
from vsr_lab.deployment.export import Exporter
from vsr_lab.models import Interpolation, load_network, save_network

_SIDES = (("lr", ("h", "w")), ("sr", ("2*h", "2*w")))
SPEC = {"_target_": "vsr_lab.models.Interpolation", "scale": 2, "method": "nearest"}


ELSEWHERE = Graph.model_construct(file="/etc/step.onnx", inputs=[], outputs=[])


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_bundle_holds_all_that_production_needs(bundle: Bundle) -> None:
    assert _names(bundle.folder) == {
        *("manifest.json", "step.onnx", "network.safetensors", "parity.json", "MODEL_CARD.md"),
    }


def test_an_opened_bundle_runs(bundle: Bundle) -> None:
    lr = torch.rand(1, 2, 3, 6, 7)
    assert torch.equal(bundle.network(lr), Interpolation(2, "nearest")(lr))


def test_the_manifest_says_what_the_bundle_is(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert (manifest.name, manifest.scale, manifest.network) == ("doubler", 2, SPEC)
    assert manifest.about == {"content": "animation"}
    given, made = ({"name": name, "type": "float32", "shape": (1, 3, *size)} for name, size in _SIDES)
    assert manifest.graphs["onnx"].model_dump() == {"file": "step.onnx", "inputs": [given], "outputs": [made]}
    assert manifest.size_multiple == 1
    assert (manifest.processing.clip, manifest.processing.rounding) == ((0, 1), "half to even")
    assert manifest.processing.cut_detector == "vsr_lab.core.cuts.SceneCutDetector"
    assert list(manifest.processing.cut_thresholds.values()) == [*CUT_RULE]
    assert (manifest.licence, manifest.scores) == (None, [])


def test_every_file_but_the_manifest_has_its_hash(bundle: Bundle) -> None:
    hashes = {path.name: sha256(path) for path in bundle.folder.iterdir() if path.name != "manifest.json"}
    assert bundle.manifest.sha256 == hashes


def test_the_weights_inside_load_by_themselves(bundle: Bundle) -> None:
    network, note = load_network(bundle.folder / "network.safetensors")
    assert isinstance(network, Interpolation)
    assert note["about"] == {"content": "animation"}


def test_the_parity_of_every_graph_is_kept(bundle: Bundle) -> None:
    (parity,) = json.loads((bundle.folder / "parity.json").read_text())["formats"]
    assert (parity["format"], parity["worst"], parity["frames"]) == ("onnx", 0, 4)


def test_the_card_names_the_model_and_its_content(bundle: Bundle) -> None:
    card = (bundle.folder / "MODEL_CARD.md").read_text()
    assert "doubler" in card
    assert "animation" in card


@pytest.mark.parametrize("file", ["step.onnx", "network.safetensors", "parity.json", "MODEL_CARD.md"])
def test_a_changed_byte_is_refused(bundle: Bundle, file: str) -> None:
    path = bundle.folder / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"{file}: was changed after the export"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("file", ["step.onnx", "network.safetensors", "parity.json", "MODEL_CARD.md"])
def test_a_missing_file_is_refused(bundle: Bundle, file: str) -> None:
    (bundle.folder / file).unlink()
    with pytest.raises(UserError, match=f"{file}: is missing"):
        open_bundle(bundle.folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no manifest\.json; give the folder `bundle`"):
        open_bundle(tmp_path)


def _rewrite(bundle: Bundle, **changes: object) -> None:
    """Change the manifest and its own hash."""
    changed = bundle.manifest.model_copy(update=changes)
    record = {**changed.model_dump(), "fingerprint": changed.computed_fingerprint()}
    (bundle.folder / "manifest.json").write_text(json.dumps(record))


def test_a_manifest_that_was_edited_is_refused(bundle: Bundle) -> None:
    path = bundle.folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "another"}))
    with pytest.raises(UserError, match=r"manifest\.json: was changed after the export"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": 9}, "has scale 9, but the network in the bundle has 2"),
        ({"warm_up": 100}, "has warm_up 100, but the network in the bundle has"),
        ({"size_multiple": 4}, "has size_multiple 4, but the network in the bundle has 1"),
        ({"graphs": {"onnx": ELSEWHERE}}, "graphs.onnx.file: must be text without slashes"),
    ],
)
def test_a_manifest_that_disagrees_with_its_files_is_refused(
    bundle: Bundle, changes: dict[str, object], words: str
) -> None:
    _rewrite(bundle, **changes)
    with pytest.raises(UserError, match=words):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(("version", "hint"), [(2, "write the file again with vsr-lab export"), (4, "update vsr_lab")])
def test_another_schema_is_refused(bundle: Bundle, version: int, hint: str) -> None:
    _rewrite(bundle, schema_version=version)
    words = f"has schema_version {version}, this version of vsr_lab reads 3; {hint}"
    with pytest.raises(UserError, match=words):
        open_bundle(bundle.folder)


def test_a_bundle_without_a_graph_is_run_in_torch(bundle: Bundle) -> None:
    _rewrite(bundle, graphs={})
    assert isinstance(open_bundle(bundle.folder).network, Interpolation)


def test_a_graph_that_has_no_hash_is_refused(bundle: Bundle) -> None:
    """It could be any graph."""
    _rewrite(bundle, sha256={name: h for name, h in bundle.manifest.sha256.items() if name != "step.onnx"})
    with pytest.raises(UserError, match=r"step\.onnx|manifest"):
        open_bundle(bundle.folder)


# Refused


def test_a_graph_that_strays_leaves_no_bundle(tmp_path: Path, nearest: Exporter) -> None:
    nearest.factor = 1.01  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Refusal, match="differs from the network"):
        write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "nearest"), about={}, exporters=[nearest])
    assert _names(tmp_path) == set()


def test_an_interrupted_export_leaves_no_bundle(
    tmp_path: Path, nearest: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nearest, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "bundle", "doubler", Interpolation(2, "nearest"), about={}, exporters=[nearest])
    assert _names(tmp_path) == set()


def test_a_bundle_already_there_is_kept(bundle: Bundle, nearest: Exporter) -> None:
    before = (bundle.folder / "manifest.json").read_bytes()
    with pytest.raises(UserError, match="bundle: cannot be written"):
        write_bundle(bundle.folder, "other", Interpolation(2, "nearest"), about={}, exporters=[nearest])
    assert (bundle.folder / "manifest.json").read_bytes() == before
    assert _names(bundle.folder.parent) == {"bundle"}


def test_a_network_that_needs_the_future_cannot_be_bundled(tmp_path: Path, nearest: Exporter) -> None:
    class Whole(Network):
        scale = 2

        def forward(self, lr: Tensor) -> Tensor:
            return lr

    with pytest.raises(UserError, match="needs future frames"):
        write_bundle(tmp_path / "bundle", "whole", Whole(), about={}, exporters=[nearest])
    assert _names(tmp_path) == set()


def _selection(weights: Path, path: Path, *, provisional: bool, digest: str | None = None) -> Path:
    facts = CandidateFacts(kind="checkpoint", path=str(weights), sha256=digest or sha256(weights))
    choice = Choice(
        suite="film",
        content=None,
        chosen="small",
        provisional=provisional,
        reason="best by PSNR",
        ties=[],
        stability=None,
        candidate_facts=facts,
        verdict="small is deployable" + " provisionally" * provisional,
        deployable=["small"],
        pareto=["small"],
        gates={},
        scores={
            "chosen": {"psnr": Estimate(mean=33.25, low=32.5, high=34.0, about="clips")},
            "baseline": {"psnr": Estimate(mean=31.0)},
        },
    )
    protocol = ProtocolFacts(name="base", fingerprint="settings", scale=2, description="")
    write_record(
        path,
        Selection(
            protocol=protocol, baseline="bicubic", rank_by=["psnr"], tie_rule="", front={"psnr": 1}, choices=[choice]
        ),
    )
    return path


def test_only_the_weights_that_were_selected_are_exported(tmp_path: Path, nearest: Exporter) -> None:
    weights, folder = tmp_path / "network.safetensors", tmp_path / "bundle"
    save_network(Interpolation(2, "nearest"), {"name": "small"}, weights)

    def exported(**facts: Any) -> BundleManifest:
        allowed = facts.pop("allow_provisional", False)
        selection = _selection(weights, tmp_path / "selection.json", **facts)
        return export(weights, folder, exporters=[nearest], selection=selection, allow_provisional=allowed)

    with pytest.raises(Refusal, match=r"chose small for film, not .*; export the chosen weights"):
        exported(provisional=False, digest="0" * 64)
    with pytest.raises(Refusal, match=r"film: small is deployable provisionally; .* set allow_provisional=true"):
        exported(provisional=True)
    assert not folder.exists()
    manifest = exported(provisional=True, allow_provisional=True)
    assert manifest.about["selection"] == "film: small is deployable provisionally"
    assert "| selection | film: small is deployable provisionally |" in (folder / "MODEL_CARD.md").read_text()
    (scores,) = open_bundle(folder, None).manifest.scores
    assert (scores.suite, scores.protocol.name, scores.baseline) == ("film", "base", "bicubic")
    assert (scores.metrics["psnr"].mean, scores.baseline_metrics["psnr"].mean) == (33.25, 31.0)
    card = (folder / "MODEL_CARD.md").read_text()
    assert "| metric | small | bicubic |" in card and "| psnr | 33.25 [32.5, 34] | 31 |" in card


def test_the_licence_is_the_one_given_or_that_of_the_weights(tmp_path: Path, nearest: Exporter) -> None:
    weights = tmp_path / "network.safetensors"
    save_network(Interpolation(2, "nearest"), {"name": "small", "licence": "MIT"}, weights)
    assert export(weights, tmp_path / "own", exporters=[nearest]).licence == "MIT"
    assert export(weights, tmp_path / "given", exporters=[nearest], licence="CC0-1.0").licence == "CC0-1.0"
    assert "| licence of the weights | CC0-1.0 |" in (tmp_path / "given" / "MODEL_CARD.md").read_text()
    with pytest.raises(UserError, match="must have text as licence"):
        save_network(Interpolation(2, "nearest"), {"name": "small", "licence": 5}, weights)
        export(weights, tmp_path / "other", exporters=[nearest])
