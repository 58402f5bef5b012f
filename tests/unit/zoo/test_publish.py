"""Publishing: a card says where weights come from, or there is no card."""

from pathlib import Path

import pytest
import torch
import yaml

from vsr_lab.core.errors import UserError
from vsr_lab.models import Span, load_network, read_note, save_network

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"
CARD = {
    "summary": "A test.",
    "start": "span_ch28_x4",
    "command": "vsr-lab train",
    "machine": "a core",
    "seed": 3,
    "trained_with": "fidelity",
    "data": ["tos_battle"],
    "validation": "none",
}


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import judge
    import publish

    monkeypatch.setattr(publish, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(publish, "ROBUST", tmp_path / "robust")
    monkeypatch.setattr(judge, "cost", lambda entry: {"ms": f"{entry.scale}0", "machine": "a CPU"})


def written(folder: Path, **changes: object) -> tuple[Path, Path]:
    """Weights of a small x2 network, and CARD with changes."""
    torch.manual_seed(0)
    save_network(Span(2, 4), {"name": "run", "steps": 5, "footage": str(folder)}, folder / "network.safetensors")
    (folder / "card.yaml").write_text(yaml.safe_dump({**CARD, **changes}))
    return folder / "network.safetensors", folder / "card.yaml"


def test_a_file_and_its_card_are_written(tmp_path: Path) -> None:
    from publish import page, publish

    path = publish("animation_nano_x2", *written(tmp_path))
    network, note = load_network(path)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}  # loaded; half on disk
    assert note["about"]["steps"] == 5
    assert "footage" not in note["about"]
    text = path.with_suffix(".md").read_text()
    assert text == page(path)
    for fact in (
        "20 ms a frame",
        "a CPU",
        "NTIRE2026_ESR), MIT",
        "seed 3",
        "Tears of Steel",
        "CC-BY 3.0",
        "Per frame, x2",
    ):
        assert fact in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ["my_holiday"]}, r"data: my_holiday has no licence; add it to"),
        ({"start": "found_somewhere"}, r"start: found_somewhere has no authors and licence"),
        ({"licence": "MIT"}, r"licence: Extra inputs are not permitted"),
        ({"machine": ""}, r"machine: String should have at least 1 character"),
    ],
)
def test_a_card_that_leaves_something_open_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    from publish import publish

    with pytest.raises(UserError, match=message):
        publish("animation_nano_x2", *written(tmp_path, **changes))
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("name", ["animation_nano_x4", "cartoons_nano_x2", "animation_x2", "../animation_nano_x2"])
def test_a_name_that_is_not_that_of_the_network_is_refused(tmp_path: Path, name: str) -> None:
    from publish import publish

    with pytest.raises(UserError, match="is no name for a network of x2"):
        publish(name, *written(tmp_path))


def test_a_network_for_degraded_footage_lies_apart_and_tells_its_scores(tmp_path: Path) -> None:
    from publish import publish

    path = publish("live_action_archival_nano_x2", *written(tmp_path, degraded="On ten clips 1.5 dB above bicubic."))
    assert path.parent == tmp_path / "robust"
    text = path.with_suffix(".md").read_text()
    assert "On ten clips 1.5 dB above bicubic." in text
    assert "leaderboard" not in text
    with pytest.raises(UserError, match="belongs to a degraded network"):
        publish("live_action_archival_nano_x2", *written(tmp_path))
    with pytest.raises(UserError, match="belongs to a degraded network"):
        publish("live_action_nano_x2", *written(tmp_path, degraded="On ten clips."))


def test_the_note_has_what_the_card_says(tmp_path: Path) -> None:
    from publish import publish

    about = read_note(publish("animation_nano_x2", *written(tmp_path)))["about"]
    assert about["card"] == {**CARD, "degraded": "", "perceptual": "", "ms": 20, "timed_on": about["card"]["timed_on"]}
    assert about["init_from"] == "span_ch28_x4"
    assert about["trained_with"] == "fidelity"
