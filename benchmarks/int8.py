"""What quantisation to int8 costs and saves in OpenVINO: post-training, and with accuracy control.

    pip install nncf
    python benchmarks/int8.py FOOTAGE

FOOTAGE: a folder or manifest. Every second clip is for calibration, the others are measured: PSNR to HR (RGB, 8 bits),
PSNR to the output in float32 of the worst frame, and processor time for the first frame in one thread. Accuracy control
is given the measured clips too.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from vsr_lab.core.resize import imresize
from vsr_lab.deployment.bundle import export
from vsr_lab.deployment.export import OnnxExporter
from vsr_lab.footage.shots import Shot, find_shots

sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
import nncf  # noqa: E402
import openvino  # noqa: E402

WEIGHTS = Path(__file__).parents[1] / "results" / "zoo" / "weights" / "live_action_nano_x4.safetensors"
_DROP = 0.05  # dB that accuracy control may lose
_SIDE, _FRAMES, _ROUNDS = 384, 2, 5
Pair = tuple[np.ndarray, np.ndarray]


def pairs(shot: Shot) -> list[Pair]:
    """LR (1, 3, h, w) and HR (1, 3, 4 h, 4 w) of a few frames of a clip, evenly spread."""
    found = list[Pair]()
    for number in np.linspace(0, shot.frames - 1, _FRAMES).astype(int).tolist():
        height, width = (min(_SIDE, side) // 4 * 4 for side in shot.size)
        hr = shot.read(number, number + 1).tensor()[..., :height, :width]
        lr = imresize(hr, 1 / 4).clamp(0, 1).mul(255).round() / 255
        found.append((lr.numpy(), hr.numpy()))
    return found


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR of two frames in 8 bits; 100 for equal ones."""
    difference = (one.clip(0, 1) * 255).round() - (other.clip(0, 1) * 255).round()
    return min(100.0, float(-10 * np.log10(max(1e-10, np.square(difference / 255).mean()))))


def mean_psnr(model: Any, data: Iterable[Pair]) -> tuple[float, list[float]]:
    """Mean PSNR to HR, and that of every frame, as accuracy control takes them."""
    values = [psnr(model([lr])[0], hr) for lr, hr in data]
    return float(np.mean(values)), values


def outputs(model: Any, data: list[Pair], precision: str) -> tuple[list[np.ndarray], float]:
    """The result for every frame, and the least processor time for the first one, in milliseconds."""
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": "1"}
    compiled: Any = openvino.Core().compile_model(model, "CPU", settings)
    results = [compiled([lr])[0].copy() for lr, _ in data]
    fixed, times = model.clone(), list[float]()
    fixed.reshape(list(data[0][0].shape))  # as upscale does: faster than a graph for any size
    compiled = openvino.Core().compile_model(fixed, "CPU", settings)
    for _ in range(_ROUNDS):
        start = time.process_time()
        compiled([data[0][0]])
        times.append(time.process_time() - start)
    return results, 1000 * min(times)


def main() -> None:
    """Print a row for float32, bfloat16 and both ways of quantisation."""
    shots = find_shots(Path(sys.argv[1]))
    calibration, data = ([pair for shot in shots[start::2] for pair in pairs(shot)] for start in (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        export(WEIGHTS, Path(folder) / "bundle", exporters=[OnnxExporter(frames=4)])
        model = openvino.Core().read_model(str(Path(folder) / "bundle" / "step.onnx"))
    library: Any = nncf
    settings = {"preset": library.QuantizationPreset.MIXED, "subset_size": len(calibration)}
    examples = library.Dataset([lr for lr, _ in calibration], lambda lr: [lr])
    controlled = library.quantize_with_accuracy_control(
        model,
        examples,
        library.Dataset(data, lambda pair: pair),
        mean_psnr,
        max_drop=_DROP,
        drop_type=library.DropType.ABSOLUTE,
        **settings,
    )
    variants = {
        "float32": (model, "f32"),
        "bfloat16": (model, "bf16"),
        "int8": (library.quantize(model, examples, **settings), "f32"),
        "int8, accuracy control": (controlled, "f32"),
    }
    exact, reference = outputs(model, data, "f32")
    table = Table("", "PSNR to HR", "PSNR to float32", "ms per frame", "ratio")
    for name, (variant, precision) in variants.items():
        results, spent = outputs(variant, data, precision)
        to_hr = np.mean([psnr(sr, hr) for sr, (_, hr) in zip(results, data, strict=True)])
        to_exact = min(psnr(sr, other) for sr, other in zip(results, exact, strict=True))
        table.add_row(name, f"{to_hr:.2f} dB", f"{to_exact:.1f} dB", f"{spent:.1f}", f"{reference / spent:.2f} x")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
