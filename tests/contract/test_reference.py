"""The pages in docs/reference say what the commands take."""

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from vsr_lab.cli.configuration.usage import COMMANDS, command_help, config_dir

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_writer", REFERENCE / "write.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written() -> dict[Path, str]:
    return generator().written()


def test_the_reference_is_current(written: dict[Path, str]) -> None:
    """Otherwise: python docs/reference/write.py"""
    assert {*REFERENCE.rglob("*.md"), *REFERENCE.rglob("*.json")} == set(written)
    assert not [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text]


def test_every_key_has_a_meaning_and_every_row_four_cells(written: dict[Path, str]) -> None:
    rows = [
        (path.stem, line)
        for path, text in written.items()
        if path.suffix == ".md"
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    assert not [(page, line) for page, line in rows if line.endswith("|  |")]
    assert not [(page, line) for page, line in rows if line.replace("\\|", "").count("|") != 5]


@pytest.mark.parametrize(
    ("page", "row"),
    [
        ("train", "| `model.channels` | integer >= 1, <= 512 | `32` | channels of the hidden features. |"),
        ("train", "| `trainer.max_steps` | integer >= 1, <= 1000000000 | `1000` | number of optimizer steps |"),
        ("train", "| `loss.terms.flicker.start` | number >= 0, <= 1 | `0.6` | fraction of the training, in [0, 1], "),
        ("evaluate", "| `suite.root` | text | required | folder of the clips, or a manifest"),
        ("select", "| `gates.psnr.margin` | number | `0.0` | required gain, in the unit of the metric. |"),
        ("upscale", "| `preset.bits` | "),
        ("groups/degradation", "| `quality` | "),
    ],
)
def test_keys_of_parts_have_rows(written: dict[Path, str], page: str, row: str) -> None:
    assert row in written[REFERENCE / f"{page}.md"]


@cache
def validator(command: str) -> Draft202012Validator:
    schema = json.loads((REFERENCE / f"{command}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def errors_of(command: str, values: Any) -> list[str]:
    return [error.message for error in validator(command).iter_errors(values)]


@pytest.mark.parametrize("group", ["content", "experiment", "adversarial"])
def test_the_schema_for_editors_accepts_every_yaml(group: str) -> None:
    for path in (config_dir() / group).rglob("*.yaml"):
        assert errors_of("train", yaml.safe_load(path.read_text(encoding="utf-8"))) == [], path


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": {"chanels": 8}},
        {"model": {"_target_": "vsr_lab.models.Recurrent", "alpha": 1}},
        {"model": {"_target_": "vsr_lab.losses.Charbonnier"}},
        {"model": {"_target_": "vsr_lab.models.Recurrent", "channels": 0}},
        {"loss": {"terms": {"mine": {"weigth": 1.0}}}},
        {"trainer": {"max_step": 1}},
        {"data": {"size": "large"}},
        {"stuff": 1},
    ],
)
def test_the_schema_for_editors_finds_mistakes(wrong: dict[str, Any]) -> None:
    assert errors_of("train", wrong)


def test_the_schema_for_editors_has_meanings_and_defaults() -> None:
    schema = json.loads((REFERENCE / "train.schema.json").read_text(encoding="utf-8"))
    steps = schema["$defs"]["TrainerConfig"]["properties"]["max_steps"]
    assert (steps["description"], steps["default"]) == ("number of optimizer steps", 1000)
    assert errors_of("train", {"model": {"_target_": "my_package.Network", "anything": 1}}) == []


def test_help_shows_the_keys_of_groups() -> None:
    assert "trainer.max_steps=1000" in command_help("train")
    assert "optimizer.betas=[0.9, 0.99]" in command_help("train")
    assert "gates.psnr.margin=0.0" in command_help("select")
    for command in COMMANDS:
        text = command_help(command)
        assert "_target_" not in text
        assert "content_model." not in text
