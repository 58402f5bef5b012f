"""Every benchmark runs, on tiny inputs, and prints what it compares."""

import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torchvision.models.optical_flow import raft_small

from tests.conftest import ROOT, write_moving_clip
from tests.smoke.conftest import Outcome
from vsr_lab.models import Recurrent, save_network

Bench = Callable[..., str]
RATIO = r"\d+\.\d+ ?x"


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of 36 frames, of two content types, and their manifest."""
    folder = tmp_path_factory.mktemp("bench")
    rows = ["name,path,split,content_type"]
    for number, (content, split) in enumerate((c, s) for c in ("animation", "live_action") for s in ("train", "eval")):
        path = write_moving_clip(folder / f"{content}{number}_{split}.mkv", 36, 144, 160, seed=number)
        rows.append(f"{path.stem},{path.name},{split},{content}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Bench:
    """bench("name", [arguments], CONSTANT=value): what main() of benchmarks/name.py prints in an empty folder."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()

    def run(name: str, arguments: Sequence[object] = (), **smaller: Any) -> str:
        module: ModuleType = importlib.import_module(name)
        for constant, value in smaller.items():
            monkeypatch.setattr(module, constant, value)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        capsys.readouterr()
        try:
            module.main()
        finally:
            torch.set_num_threads(threads)
        return capsys.readouterr().out

    return run


def test_upscaling(bench: Bench) -> None:
    printed = bench("upscaling", CASES={"live_action_nano_x2": (24, 32)})
    assert len(re.findall(r"(torch|onnxruntime|openvino) .*\d+\.\d\d x", printed)) >= 3


def test_parity(bench: Bench, tmp_path: Path) -> None:
    save_network(Recurrent(2, 4, 1), {}, tmp_path / "tiny.safetensors")
    printed = bench("parity", [1, tmp_path / "tiny.safetensors"])
    rows = re.findall(r"\| `tiny` \| (\w+) \| (\d+x\d+) \| \S+ \| (?:equal|[\d.]+ dB) \|", printed)
    graphs = ("onnx", "onnx_fp16", "onnx_window", "onnx_window_fp16")
    assert rows == [(graph, size) for graph in graphs for size in ("64x48", "96x72", "161x121")]


def test_pipeline(bench: Bench) -> None:
    printed = bench("pipeline", SIZE=(24, 32), FRAMES=4, LENGTHS=(1, 2))
    assert re.search(r"ratio \d\.\d\d", printed) and printed.count("file of one frame") == 2


@pytest.mark.skipif(find_spec("nncf") is None, reason="nncf is in no extra: pip install nncf")
def test_int8(footage: Path) -> None:
    """In a process of its own: nncf replaces functions of torch, after which workers of a DataLoader crash."""
    code = "import int8; int8._SIDE, int8._FRAMES, int8._ROUNDS, int8._DROP = 96, 1, 1, 100.0; int8.main()"
    command = [sys.executable, "-c", code, str(footage)]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=False)
    assert re.search(r"int8, accuracy control.* dB .* dB .* \d+\.\d\d x", done.stdout), done.stderr


def test_degradations(bench: Bench) -> None:
    printed = bench("degradations", FRAMES=3, SIZE=64, ROUNDS=1, BATCH=2)
    assert len(re.findall(RATIO, printed)) > 30


def test_scoring(bench: Bench) -> None:
    assert len(re.findall(RATIO, bench("scoring", FRAMES=2, SIZE=(72, 96), ROUNDS=1))) == 5


def test_intervals(bench: Bench) -> None:
    printed = bench("intervals", SUITES=100, CLIPS=(3, 8), RESAMPLES=50)
    rows = re.findall(r"\| (\d+\.\d) \| (\d+\.\d) \|", printed)
    assert len(rows) == 15
    assert all(float(share) > 80 for share in rows[0])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory(bench: Bench) -> None:
    assert len(re.findall(r"\d+\.\d MB", bench("memory", FRAMES=(4, 12), SIZE=(32, 32), WARM_UP=3))) == 4


def test_sharpness(bench: Bench, footage: Path) -> None:
    assert len(re.findall(r"\d+\.\d dB", bench("sharpness", [footage]))) == 3


def test_confidence(bench: Bench, footage: Path) -> None:
    printed = bench("confidence", [footage / "manifest.csv"], _FRAMES=3, _SKIPPED=2, _SIDES=(64, 80))
    assert len(re.findall(r"live_action_stream_nano_x2 .* \d\.\d\d", printed)) == 4


def test_lead_in(bench: Bench, footage: Path) -> None:
    printed = bench("lead_in", [footage], COUNTS=(0, 2), _FRAMES=5, _SEGMENT=2, _SIDES=(32, 40))
    assert len(re.findall(r"animation_stream_nano_x2 .* \d+\.\d .* \d+\.\d", printed)) == 4


def test_planted_faults(bench: Bench, footage: Path) -> None:
    zoo = importlib.import_module("planted_faults").ZOO
    some = {name: zoo[name] for name in ("asis", "cast2", "late1", "px0.5", "jpeg50")}
    printed = bench("planted_faults", [footage, "--frames", 6, "--size", 128], ZOO=some)
    assert "5 faults: " in printed  # four, and one of them on bicubic
    assert re.search(r"late1 .* frame_order .* is one frame late", printed)
    assert re.search(r"cast2 .* refused . color . \d", printed)


def test_good_candidates(bench: Bench, footage: Path, tmp_path: Path) -> None:
    for clip in footage.glob("animation*.mkv"):
        (tmp_path / "animation").mkdir(exist_ok=True)
        (tmp_path / "animation" / clip.name).symlink_to(clip)
    zoo = importlib.import_module("good_candidates").WEIGHTS.with_name("animation_nano_x2.safetensors")
    printed = bench("good_candidates", [tmp_path, "--frames", 6, "--size", 64], ZOO=[zoo])
    assert re.search(r"\| color \| (lanczos|animation_nano_x2) \| animation x2 \| \d", printed)
    assert "2 candidates, " in printed


def test_catalogue(bench: Bench, footage: Path) -> None:
    copies = importlib.import_module("catalogue").COPIES  # `bench` added benchmarks/ to the path
    kept = {name: copies[name] for name in ("coded again", "mirrored")}
    printed = bench("catalogue", [footage, "--frames", 36, "--scans", "scans"], COPIES=kept)
    assert "coded again" in printed
    assert "pairs of different clips" in printed


def test_content_types(bench: Bench, footage: Path, tmp_path: Path) -> None:
    """Two sources of each type, since each source is held out in turn; a file's name begins with its source."""
    rows = ["path,split,content_type"]
    for clip in sorted(footage.glob("*.mkv")):
        content, _, split = clip.stem.rpartition("_")
        for source in ("one", "other"):
            (tmp_path / f"{source}{content}_{split}.mkv").symlink_to(clip)
            rows.append(f"{source}{content}_{split}.mkv,{split},{content.rstrip('0123456789')}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    printed = bench("content_types", [tmp_path / "manifest.csv", "--rendered", 0], LOOKS=2)
    assert re.search(r"eval, never fitted on: \d of 4 clips right", printed)


def test_flow_shrink(bench: Bench, footage: Path, tmp_path: Path) -> None:
    weights = tmp_path / "raft.pth"
    network = raft_small(weights=None)
    for parameter in network.update_block.flow_head.conv2.parameters():
        torch.nn.init.zeros_(parameter)  # no motion: every pixel is visible, and the loss is not 0
    torch.save(network.state_dict(), weights)
    printed = bench("flow_shrink", [footage, weights, "--size", 128, "--frames", 2, "--clips", 1])
    assert len(re.findall(RATIO, printed)) == 5


def test_temporal_losses(bench: Bench, footage: Path, cli: Callable[..., Outcome]) -> None:
    """Trains in this process: five trainings would wait for five imports of torch."""

    def train(command: list[str], check: bool) -> SimpleNamespace:
        outcome = cli(command[3], *command[4:])
        assert outcome.code in {0, 1}, outcome.error
        return SimpleNamespace(returncode=outcome.code)

    small = ["model.channels=4", "model.blocks=1", "data.size=32", "data.clip_frames=3", "data.batch_size=1"]
    fewer = ["data.workers=0", "validation.size=32", "validation.frames=3", "validation.clips=1", "data.hold_out=0.2"]
    arguments = [footage, "--seeds", 0, "--steps", 2, "--further", 2, *small, *fewer, "trainer.precision=32-true"]
    printed = bench("temporal_losses", arguments, subprocess=SimpleNamespace(run=train))
    assert len(re.findall(r"^\| flicker 1 \| \d+\.\d+ \([+-]\d+\.\d+\)", printed, re.MULTILINE)) == 1


def test_rendered_footage(bench: Bench, footage: Path, tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    def run(command: list[str], check: bool) -> SimpleNamespace:
        outcome = cli(command[3], *command[4:])
        assert outcome.code in {0, 1}, outcome.error
        return SimpleNamespace(returncode=outcome.code)

    rows = [f"{name},{footage / 'animation0_train.mkv'},train,animation,0,36" for name in ("a", "screen_b")]
    (tmp_path / "m.csv").write_text("\n".join(["name,path,split,content_type,start,stop", *rows]) + "\n")
    save_network(Recurrent(4, 4, 1), {"name": "start"}, tmp_path / "start.safetensors")
    small = ["model.channels=4", "model.blocks=1", "data.size=32", "data.clip_frames=3", "data.batch_size=1"]
    fewer = ["data.workers=0", "validation.size=32", "validation.frames=3", "validation.clips=1"]
    chosen = ["--content", "animation", "--rendered", "screen_*", "--init", tmp_path / "start.safetensors"]
    arguments = [tmp_path / "m.csv", *chosen, "--seeds", 0, "--steps", 2, *small, *fewer]
    printed = bench("rendered_footage", arguments, subprocess=SimpleNamespace(run=run))
    assert len(re.findall(r"^\| a \| \d+\.\d+( \| [+-]\d+\.\d+){3} \|", printed, re.MULTILINE)) == 1


def test_training_step(bench: Bench) -> None:
    printed = bench("training_step", ["--only", "compact", "--rounds", 1])
    assert len(re.findall(r"ratio +\d+\.\d+", printed)) == 2


def test_feeding(bench: Bench, footage: Path) -> None:
    module = importlib.import_module("feeding")
    throughput = module.throughput
    short = module.short_clips
    printed = bench(
        "feeding",
        [footage, "--quick"],
        FRAMES=5,
        SIZE=64,
        CLIPS=2,
        CLIP_FRAMES=24,
        memory=lambda clips, samples, workers: None,
        throughput=lambda clips, shots, folder, seconds: throughput(clips, shots, folder, 0.1),
        short_clips=lambda folder, count: short(folder, 2),
    )
    assert len(re.findall(RATIO, printed)) >= 8
    assert "ratio" in printed
