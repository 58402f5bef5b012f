"""Upscaling in every runtime of one device: 320x180 to 1280x720 and 960x540 to 1920x1080, the zoo's nano networks."""

import tempfile
from pathlib import Path

from vsr_lab.cli.bench import show_trials
from vsr_lab.deployment.bundle import export
from vsr_lab.deployment.export import OnnxExporter
from vsr_lab.deployment.runtimes import RuntimeOptions, bench

WEIGHTS = Path(__file__).parents[1] / "results" / "zoo" / "weights"
CASES = {"live_action_nano_x4": (180, 320), "live_action_nano_x2": (540, 960)}


def main() -> None:
    """Print milliseconds a frame, the ratio to the network in torch, and the PSNR to it."""
    for name, size in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "bundle"
            manifest = export(WEIGHTS / f"{name}.safetensors", bundle, name=name, exporters=[OnnxExporter(frames=4)])
            trials = bench(bundle, manifest, RuntimeOptions(precision="auto"), size)
        show_trials(f"{name}, {size[1]}x{size[0]} -> x{manifest.scale}", trials)


if __name__ == "__main__":
    main()
