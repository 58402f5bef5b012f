"""bundle=auto: the bundle that was selected for the content type of a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import sha256
from vsr_lab.core.records import write_record
from vsr_lab.core.records.evaluation import CandidateFacts, Choice, ProtocolFacts, Selection
from vsr_lab.curation import ContentModel
from vsr_lab.deployment.bundle import export
from vsr_lab.models import Interpolation, save_network
from vsr_lab.video import REFUSE, ReadOptions
from vsr_lab.workflows.auto_bundle import AutoBundle, selected_bundles

WriteVideo = Callable[..., Path]
FEATURES = {name: {"mean": 0.5, "deviation": 0.1} for name in ("brightness", "still")}
BRIGHTNESS = {"animation": 4.0, "live_action": -4.0}  # bright footage is drawn
KINDS = {kind: {"bias": 0.0, "brightness": weight, "still": 0.0} for kind, weight in BRIGHTNESS.items()}
MODEL = ContentModel(features=FEATURES, kinds=KINDS, temperature=1.0, sure=0.8)


def choice(content: str, facts: CandidateFacts | None) -> Choice:
    texts = dict.fromkeys(("reason", "verdict"), "")
    lists: dict[str, Any] = {"ties": [], "deployable": [], "pareto": [], "gates": {}}
    facts_of: dict[str, Any] = {"candidate_facts": facts, "chosen": facts and content}
    return Choice(suite=content, content=content, provisional=False, stability=None, **texts, **lists, **facts_of)


@pytest.fixture
def select(tmp_path: Path) -> Callable[..., Path]:
    """select(animation=FACTS, ...): a selection.json with these candidates."""

    def write(**chosen: CandidateFacts | None) -> Path:
        protocol = ProtocolFacts(name="p", fingerprint="f", scale=2, description="")
        choices = [choice(content, facts) for content, facts in chosen.items()]
        record = Selection(
            protocol=protocol, baseline="bicubic", rank_by=["psnr_y"], tie_rule="", front={}, choices=choices
        )
        write_record(tmp_path / "selection.json", record)
        return tmp_path / "selection.json"

    return write


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_network(Interpolation(2, "nearest"), {"name": "double"}, tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors"


def test_the_bundle_of_the_selected_weights_is_found(
    tmp_path: Path, weights: Path, select: Callable[..., Path]
) -> None:
    export(weights, tmp_path / "export" / "run" / "bundle", exporters=[])
    evaluated = CandidateFacts(kind="bundle", path="elsewhere/bundle")
    trained = CandidateFacts(kind="checkpoint", path=str(weights), sha256=sha256(weights))
    selection = select(animation=trained, live_action=evaluated, screen_capture=None)
    found = selected_bundles(selection, tmp_path / "export")
    assert found == {"animation": tmp_path / "export/run/bundle", "live_action": Path("elsewhere/bundle")}


def test_selected_weights_without_a_bundle_are_refused(tmp_path: Path, select: Callable[..., Path]) -> None:
    other = CandidateFacts(kind="checkpoint", path="network;touch executed", sha256="0" * 64)
    with pytest.raises(
        UserError, match=r"contains no bundle of it; run vsr-lab export 'candidate.path=network;touch executed' "
    ):
        selected_bundles(select(animation=other), tmp_path)
    with pytest.raises(UserError, match="chose nothing"):
        selected_bundles(select(animation=None), tmp_path)


@pytest.mark.parametrize("options", [REFUSE, ReadOptions(deinterlace="auto")])
def test_the_content_decides(tmp_path: Path, write_video: WriteVideo, options: ReadOptions) -> None:
    auto = AutoBundle({"animation": Path("drawn")}, MODEL)
    bright, dark, gray = (
        write_video(f"in/{level}.mkv", np.full((8, 64, 64, 3), level, np.uint8)) for level in (230, 20, 128)
    )
    assert auto.choose(bright, options) == Path("drawn")
    assert auto.choose(dark, options, content="animation") == Path("drawn")
    with pytest.raises(UserError, match="is live_action, for which no bundle was selected"):
        auto.choose(dark, options)
    one_frame = write_video("in/one.mkv", np.full((1, 64, 64, 3), 230, np.uint8))  # motion cannot be measured
    for path in (gray, one_frame):
        with pytest.raises(UserError, match="has no clear content type"):
            auto.choose(path, options)
