"""Candidates: whatever can be judged, behind one small interface."""

from pathlib import Path

import onnx
import pytest
import torch
from PIL import Image

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.resize import imresize
from vsr_lab.deployment import write_bundle
from vsr_lab.evaluation import candidates
from vsr_lab.models import Compact, save_network

SPEC = {"_target_": "vsr_lab.models.Compact", "scale": 2, "channels": 4, "layers": 1}


def test_an_interpolation_is_its_kernel() -> None:
    candidate = candidates.interpolation("lanczos", 3)
    lr = torch.rand(2, 3, 6, 7)
    assert (candidate.name, candidate.scale) == ("lanczos", 3)
    assert torch.equal(torch.stack(list(candidate.frames("walk", lr))), imresize(lr, 3, "lanczos"))


def test_a_checkpoint_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "animator" / "network.safetensors"
    network = Compact(2, 4, 1)
    save_network(network, {"content": "animation"}, path)
    candidate = candidates.checkpoint(str(path))
    parameters = sum(p.numel() for p in network.parameters())
    facts = candidate.facts
    assert (candidate.scale, facts.kind, facts.content, facts.parameters) == (2, "checkpoint", "animation", parameters)
    assert facts.architecture == "Compact"
    assert facts.path and Path(facts.path).samefile(path)


@pytest.mark.parametrize(
    ("about", "given", "name"),
    [({"name": "my run"}, None, "my run"), ({"name": "my run"}, "mine", "mine"), ({}, None, "animator")],
)
def test_a_checkpoint_is_named_by_hand_or_by_its_run_or_its_file(
    tmp_path: Path, about: dict[str, str], given: str | None, name: str
) -> None:
    path = tmp_path / "weights" / "animator.safetensors"
    save_network(Compact(2, 4, 1), about, path)
    assert candidates.checkpoint(str(path), given).name == name


def test_frames_in_the_current_folder_have_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert candidates.frames(".").name == tmp_path.name


def _nearest_graph(path: Path, scale: int, *extra: str) -> str:
    """A foreign graph: nearest enlargement at any size."""
    size = ["n", 3, "h", "w"]
    inputs = [onnx.helper.make_tensor_value_info(name, 1, size) for name in ("image", *extra)]
    output = onnx.helper.make_tensor_value_info("large", 1, ["n", 3, "H", "W"])
    scales = onnx.helper.make_tensor("scales", 1, [4], [1.0, 1.0, scale, scale])
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    node = onnx.helper.make_node("Resize", ["image", "", "scales"], ["large"], **how)
    graph = onnx.helper.make_graph([node], "g", inputs, [output], [scales])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), str(path))
    return str(path)


def test_a_foreign_graph_is_judged_frame_by_frame(tmp_path: Path) -> None:
    candidate = candidates.onnx(_nearest_graph(tmp_path / "nearest.onnx", 3))
    lr = torch.rand(2, 3, 6, 7)
    assert (candidate.name, candidate.scale) == ("nearest", 3)
    assert torch.equal(torch.stack(list(candidate.frames("walk", lr))), imresize(lr, 3, "nearest"))


def test_a_foreign_graph_of_two_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="several inputs"):
        candidates.onnx(_nearest_graph(tmp_path / "a.onnx", 2, "noise"))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a folder; give a folder with CLIP/ \(one image for each frame"):
        candidates.frames(str(tmp_path / "nowhere"))


def test_a_clip_that_the_other_tool_left_out_is_named(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "0.png").touch()
    candidate = candidates.frames(str(tmp_path))
    with pytest.raises(UserError, match="has no clip walk \(it has city\)"):
        next(candidate.frames("walk", torch.rand(1, 3, 4, 4)))


def test_what_spandrel_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        candidates.spandrel(str(tmp_path / "a.safetensors"))
    save_network(Compact(2, 4, 1), {}, tmp_path / "a.safetensors")
    with pytest.raises(UserError, match="cannot be loaded by spandrel"):
        candidates.spandrel(str(tmp_path / "a.safetensors"))


def test_frames_are_identified_by_the_files_of_the_clips(tmp_path: Path) -> None:
    for clip in ("city", "walk"):
        (tmp_path / clip).mkdir()
        for frame in range(2):
            Image.new("RGB", (8, 8), (frame, 0, 0)).save(tmp_path / clip / f"{frame}.png")
    theirs = candidates.FramesCandidate("theirs", tmp_path)
    both, one = theirs.digest(["city", "walk"]), theirs.digest(["city"])
    assert len({both, one, theirs.digest(["walk"])}) == 3
    Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "walk" / "1.png")
    assert theirs.digest(["city", "walk"]) != both
    assert theirs.digest(["city"]) == one


def test_a_bundle_is_identified_by_its_manifest(tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle", "a", Compact(2, 4, 1), about={}, exporters=[])
    facts = candidates.bundle(str(tmp_path / "bundle")).facts
    assert facts.sha256 == sha256(tmp_path / "bundle" / "manifest.json")
