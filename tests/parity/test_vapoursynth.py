"""Window graphs run unmodified in VapourSynth with vs-mlrt, and give the frames of the network.

`make test-vs` makes .venv-vs, as VapourSynth needs Python 3.12 and is no requirement of the project.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment.export import OnnxWindowExporter, rollout_clip
from vsr_lab.deployment.export.window import Precision, Unrolled
from vsr_lab.models import load_network

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / os.environ.get("VSR_LAB_VAPOURSYNTH", ".venv-vs") / "bin/python"
WEIGHTS = ROOT / "results/zoo/weights/animation_stream_nano_x2.safetensors"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="no VapourSynth: make test-vs installs it, for Python 3.12"),
]


@pytest.mark.parametrize(
    ("window", "precision", "tolerance"), [(1, "fp32", 1e-4), (3, "fp32", 1e-4), (1, "fp16", 0.01), (3, "fp16", 0.01)]
)
def test_vapoursynth_gives_the_frames_of_the_network(
    tmp_path: Path, window: int, precision: Precision, tolerance: float
) -> None:
    network, _ = load_network(WEIGHTS)
    assert isinstance(network, StreamingNetwork)
    exporter = OnnxWindowExporter(window=window, precision=precision, tolerance=tolerance, frames=6)
    exporter.export(network, tmp_path)
    for size in ((48, 64), (121, 161)):
        clip = rollout_clip(12, *size)
        difference = np.abs(_run(tmp_path / exporter.file, clip, window, precision) - _expected(network, clip, window))
        print(f"T = {window}, {precision}, {size[1]}x{size[0]}: largest difference {difference.max():.2g}")
        assert difference.max() <= tolerance


def _run(graph: Path, clip: torch.Tensor, window: int, precision: Precision) -> np.ndarray:
    """Frames that VapourSynth gives, (T, 3, H, W)."""
    given, made, script = (
        graph.with_name("lr.npy"),
        graph.with_name("sr.npy"),
        Path(__file__).with_name("in_vapoursynth.py"),
    )
    np.save(given, clip.numpy().astype(np.float16 if precision == "fp16" else np.float32))
    command = [PYTHON, "-I", script, graph, given, made, str(window)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout.strip())
    return np.load(made).astype(np.float32)


def _expected(network: StreamingNetwork, clip: torch.Tensor, window: int) -> np.ndarray:
    """Frames of the network over the same windows, (T, 3, H, W)."""
    unrolled, made = Unrolled(network, window), list[np.ndarray]()
    state = unrolled.zero_state(clip[:1])
    with torch.inference_mode():
        for lr in clip:
            sr, state = unrolled.step(lr[None], state)
            made.append(sr[0].numpy())
    return np.stack(made)
