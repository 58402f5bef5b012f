"""Parity of exported graphs: python benchmarks/parity.py FRAMES WEIGHTS... prints a row for each graph and size."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vsr_lab.core.network import StreamingNetwork
from vsr_lab.deployment.export import OnnxExporter, OnnxWindowExporter
from vsr_lab.models import load_network


def main() -> None:
    """Export each network in four formats and print the differences of the graphs from the network."""
    frames, weights = int(sys.argv[1]), sys.argv[2:]
    print(
        "| network | graph | size | largest difference | PSNR of the worst frame |\n|---|---|---|---|---|", flush=True
    )
    for path in map(Path, weights):
        network, _ = load_network(path)
        assert isinstance(network, StreamingNetwork)
        start = time.process_time()
        for exporter in (
            OnnxExporter(frames=frames),
            OnnxExporter(frames=frames, precision="fp16"),
            OnnxWindowExporter(frames=frames, window=1),
            OnnxWindowExporter(frames=frames, window=1, precision="fp16"),
        ):
            with TemporaryDirectory() as folder:
                parity = exporter.export(network, Path(folder))
            for own in parity.sizes:
                psnr = "equal" if own.psnr is None else f"{own.psnr:.1f} dB"
                size = f"{own.width}x{own.height}"
                print(f"| `{path.stem}` | {parity.format} | {size} | {own.worst:.1e} | {psnr} |", flush=True)
            print(f"{path.stem}, {parity.format}: {parity.loss}", file=sys.stderr, flush=True)
            print(f"{time.process_time() - start:.0f} s of processor time so far", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
