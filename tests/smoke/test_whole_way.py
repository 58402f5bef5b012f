"""Footage to an upscaled file through every verb, small: what each leaves behind is what the next one reads."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import polars as pl
import pytest

from tests.conftest import write_moving_clip
from tests.smoke.conftest import Outcome
from vsr_lab.models import load_network
from vsr_lab.video import open_footage

Cli = Callable[..., Outcome]
LEAN = [f"~protocol.metrics.{name}" for name in ("st_lpips", "st_tlp")]


# Bounds that a network passes which was trained for a few steps.
_LENIENT = [
    "gates.color.high=99",
    "gates.color_area.high=99",
    "gates.worst_area.high=999",
    "gates.registration.high=9",
    "gates.grid.high=99",
    "gates.sharpness.low=0",
    "gates.psnr.margin=-0.1",
    "gates.flicker.margin=9",
    "gates.flicker.clip_margin=9",
    "gates.lr_consistency.floor=5",
]


@pytest.fixture
def whole_way(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_footage: Path
) -> Callable[[str], Outcome]:
    """Runs the verbs in an empty folder, one by one, each by name."""
    monkeypatch.chdir(tmp_path)
    footage = ["suite=folder", f"suite.root={tiny_footage}", "suite.content=mixed", "protocol=content-x2-bi-y", *LEAN]
    small = ["data.size=32", "data.clip_frames=4", "data.workers=0", "model.channels=8", "model.blocks=1"]
    steps = ["trainer.max_steps=60", "validation.every=30", "optimizer.lr=5e-3", "logger=none"]
    verbs = {
        "train": ["content=mixed", f"data.root={tiny_footage}", *small, *steps, "run_dir=trained"],
        "bicubic": ["candidate=bicubic", *footage, "run_dir=bicubic"],
        "evaluate": ["candidate=checkpoint", "candidate.path=trained/network.safetensors", *footage, "run_dir=ours"],
        "compare": ["runs=[bicubic,ours]", "run_dir=compared"],
        "select": ["runs=[bicubic,ours]", "run_dir=selected", *_LENIENT],
        "export": ["candidate.path=trained/network.safetensors", "run_dir=exported"],
        "upscale": ["bundle=exported/bundle", "input=in put (1).mkv", "output=out/up.mp4"],
    }
    return lambda name: cli("evaluate" if name == "bicubic" else name, *verbs[name])


def test_the_whole_way(whole_way: Callable[[str], Outcome], cli: Cli, tmp_path: Path) -> None:
    original = write_moving_clip(tmp_path / "in put (1).mkv", frames=9, seed=7)
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    for verb in ("train", "bicubic", "evaluate", "compare", "select", "export", "upscale"):
        outcome = whole_way(verb)
        assert outcome.code == 0, (verb, outcome.error)
    check_training(tmp_path / "trained")
    check_evaluation(tmp_path / "ours")
    check_report(tmp_path / "compared")
    check_selection(tmp_path / "selected")
    check_bundle(tmp_path / "exported" / "bundle")
    check_upscaled(tmp_path / "out" / "up.mp4", digest)
    assert hashlib.sha256(original.read_bytes()).hexdigest() == digest
    plan = ["bundle=exported/bundle", "input=in put (1).mkv", "output=planned.mp4", "plan=true"]
    assert cli("upscale", *plan).code == 0
    assert not (tmp_path / "planned.mp4").exists()
    # The bundle is a candidate too, in any runtime and precision, and judged it is the network it was made from.
    more = ["suite=folder", f"suite.root={original}", "protocol=content-x2-bi-y", *LEAN]
    graph, half = (
        f"{name}: {{kind: bundle, path: exported/bundle, {keys}}}"
        for name, keys in (("graph", "backend: onnxruntime"), ("half", "precision: bfloat16"))
    )
    items = f"[{{c: checkpoint:trained/network.safetensors}},bundle:exported/bundle,{{{graph}}},{{{half}}}]"
    assert cli("evaluate", f"candidates={items}", *more, "run_dir=b").code == 0
    found = {path.parent.name: json.loads(path.read_text()) for path in (tmp_path / "b").glob("*/summary.json")}
    psnr = {name: summary["metrics"]["psnr"]["mean"] for name, summary in found.items()}
    exact = psnr.pop("c")
    assert sorted(psnr) == ["graph", "half", "mixed"]
    assert psnr["graph"] == pytest.approx(exact, abs=1e-3)
    assert psnr["mixed"] == exact
    assert 0 < abs(psnr["half"] - exact) < 0.5, "bfloat16 has a say"
    used = found["half"]["candidate_facts"]["runtime"]
    assert (used["backend"], used["precision"], used["device"]) == ("torch", "bfloat16", "cpu")


def check_training(folder: Path) -> None:
    network, note = load_network(folder / "network.safetensors")
    assert network.scale == 2
    assert note["about"]["content"] == "mixed"
    names = pl.read_csv(folder / "metrics.csv")["name"].unique().to_list()
    assert {"train/loss", "train/charbonnier", "train/flicker", "train/warp", "val/psnr", "val/flicker"} <= set(names)


def check_evaluation(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["schema_version"], summary["clips"], summary["frames"]) == (1, 3, 72)
    rows = pl.read_parquet(folder / "frames.parquet")
    assert rows.columns == ["candidate", "suite", "clip", "frame", "metric", "value"]
    assert rows["metric"].unique().sort().to_list() == sorted(summary["metrics"])
    per_clip = [values["psnr"] for values in summary["per_clip"].values()]
    assert summary["metrics"]["psnr"]["mean"] == pytest.approx(np.mean(per_clip))
    assert len((folder / "clips.csv").read_text().splitlines()) == 4
    assert {"lr.mkv", "sr.mkv", "hr.mkv"} <= {f.name for f in (folder / "pictures" / "clip_0").iterdir()}


def check_report(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "data:image/webp;base64," in page
    comparison = json.loads((folder / "comparison.json").read_text())
    assert {candidate["name"] for candidate in comparison["candidates"]} == {"bicubic", "mixed"}


def check_selection(folder: Path) -> None:
    (choice,) = json.loads((folder / "selection.json").read_text())["choices"]
    assert choice["chosen"] == "mixed"
    checks = ["frame_order", "orientation", "color", "color_frames", "combing", "ghosting", "registration"]
    details = ["color_area", "worst_area", "grid", "sharpness", "even_sharpness"]
    gates = [*checks, *details, "psnr", "flicker", "lr_consistency", "export_parity", "drift"]
    assert [v["gate"] for v in choice["gates"]["mixed"]] == gates
    assert "fail" not in {v["outcome"] for v in choice["gates"]["mixed"]}


def check_bundle(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    parity = json.loads((folder / "parity.json").read_text())["formats"][0]
    assert parity["frames"] == 24
    assert parity["worst"] <= 1e-4
    names = [i.name for i in ort.InferenceSession(folder / "step.onnx").get_inputs()]
    assert names == ["lr", "state_0", "state_1", "state_2"]


def check_upscaled(path: Path, source: str) -> None:
    video = open_footage(path)
    assert (video.frames, video.size) == (9, (128, 160))
    provenance = json.loads(path.with_name("up.mp4.provenance.json").read_text())
    assert provenance["source"]["sha256"] == source
    assert provenance["output"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "not recorded fact" in provenance["disclosure"]


def test_nothing_deployable_is_said_and_exits_1(cli: Cli, tmp_path: Path, tiny_footage: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    footage = ["suite=folder", f"suite.root={tiny_footage}", "protocol=content-x2-bi-y", *LEAN]
    assert cli("evaluate", "candidates=[bicubic,nearest]", *footage, "run_dir=judged").code == 0
    outcome = cli("select", "runs=[judged/bicubic,judged/nearest]", "run_dir=selected")
    assert outcome.code == 1
    assert "nothing deployable for folder" in outcome.error
    (choice,) = json.loads((tmp_path / "selected" / "selection.json").read_text())["choices"]
    assert choice["chosen"] is None
    assert choice["verdict"] == "nothing deployable"


def test_completion_knows_verbs_groups_and_options(vsr_lab: Callable[..., str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("good.png", "$(touch PWNED).png", "`touch PWNED`.png"):
        (tmp_path / name).touch()

    def complete(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        return vsr_lab("-sc", "query=bash").split()

    assert "evaluate" in complete("vsr-lab ev")
    assert complete("vsr-lab evaluate candidate=bic") == ["candidate=bicubic"]
    assert "data.batch_size=" in complete("vsr-lab train data.batch")
    assert complete("vsr-lab upscale input=./") == ["input=./good.png"]  # bash would run the others


def test_a_sweep_gives_each_job_its_own_folder(
    vsr_lab: Callable[..., str], tmp_path: Path, tiny_footage: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    footage = ["suite=folder", f"suite.root={tiny_footage}", "protocol=content-x2-bi-y", *LEAN]
    vsr_lab("evaluate", "-m", "candidate=bicubic,lanczos", *footage)
    found = sorted((tmp_path / "results").rglob("summary.json"))
    assert [json.loads(f.read_text())["candidate"] for f in found] == ["bicubic", "lanczos"]
