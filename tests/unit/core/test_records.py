"""Records: what is written is read back, and nothing else is taken for it."""

import json
import math
import runpy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vsr_lab.core.errors import UserError
from vsr_lab.core.records import read_record, write_record
from vsr_lab.core.records.bundle import BundleManifest, Graph, GraphTensor, Processing
from vsr_lab.core.records.evaluation import Estimate, Summary

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
MANIFEST = BundleManifest(
    name="größer",
    scale=2,
    warm_up=1,
    parameters=100,
    network={"_target_": "vsr_lab.models.Compact", "channels": 4},
    content="animation",
    pixel_format=None,
    about={"seed": 1, "nested": {"list": [1, 2.5, None]}},
    size_multiple=1,
    licence="MIT",
    processing=Processing(cut_detector="x", cut_thresholds={"grid": [18, 32]}),
    scores=[],
    graphs={
        "onnx": Graph(
            file="step.onnx", inputs=[GraphTensor(name="lr", type="float32", shape=(1, 3, "h", "w"))], outputs=[]
        )
    },
    created="2026-01-01T00:00:00+00:00",
    versions={"python": "3.11"},
    sha256={"step.onnx": "ab"},
)


def _change(path: Path, **changes: Any) -> Path:
    write_record(path, MANIFEST)
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    return path


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "manifest.json", MANIFEST)
    assert read_record(tmp_path / "manifest.json", BundleManifest) == MANIFEST
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
    assert "größer" in (tmp_path / "manifest.json").read_text("utf-8")


def test_a_failed_write_keeps_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "manifest.json"
    write_record(path, MANIFEST)

    def fail(*_: object) -> None:
        raise OSError("stopped")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="stopped"):
        write_record(path, MANIFEST.model_copy(update={"name": "newer"}))
    assert read_record(path, BundleManifest) == MANIFEST
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not valid JSON"),
        (b'{"record": "bundle"', "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"null", "is not a bundle record; give one written by vsr-lab export"),
        (b"[]", "is not a bundle"),
        (b'{"schema": 1}', "is not a bundle"),
        (b'{"record": "summary", "schema_version": 1}', "is not a bundle"),
        (
            b'{"record": "bundle"}',
            "has schema_version None, this version of vsr_lab reads 3; write the file again with",
        ),
    ],
)
def test_a_damaged_or_foreign_file_is_one_sentence(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        read_record(path, BundleManifest)
    assert str(refused.value).startswith(f"{path}: ")
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"manifest\.json: not found"):
        read_record(tmp_path / "manifest.json", BundleManifest)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema_version": 4}, "has schema_version 4, this version of vsr_lab reads 3; update vsr_lab"),
        (
            {"schema_version": 0},
            "has schema_version 0, this version of vsr_lab reads 3; write the file again with vsr-lab",
        ),
        ({"scale": "two"}, "scale: must be an integer, got 'two'"),
        ({"sha256": {"step.onnx": 5}}, "sha256.step.onnx: must be text, got 5"),
        ({"colour": "red"}, "colour: is not a known key"),
    ],
)
def test_what_was_wrong_is_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError) as refused:
        read_record(_change(tmp_path / "manifest.json", **changes), BundleManifest)
    assert f"manifest.json: {problem}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{"record": "summary", "schema_version": 1}')
    with pytest.raises(UserError, match="candidate: is required; write the file again with vsr-lab evaluate"):
        read_record(path, Summary)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_cannot_hold_are_refused(value: float) -> None:
    with pytest.raises(ValidationError):
        Estimate(mean=value, low=0, high=0)


def test_the_schemas_in_docs_are_current() -> None:
    current = runpy.run_path(str(SCHEMAS / "write.py"))["schemas"]()
    assert {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")} == current
