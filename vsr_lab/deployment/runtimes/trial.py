"""Trials of runtimes: their speed, and the difference between their output and that of torch in float32."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.deployment.export import open_onnx, rollout_clip
from vsr_lab.deployment.runtimes.torch import TorchStream, bundled_network

LARGEST_DIFFERENCE = 1e-4  # of float32, any value, RGB in [0, 1]
LEAST_PSNR = 50.0  # of lower precisions, worst frame, in dB
_FRAMES = 4

_Open = Callable[[Path, BundleManifest, Runtime], StreamingNetwork]


def open_runtime(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    """Open the network of a bundle in a runtime.

    Args:
        folder, manifest: folder and manifest of the bundle.
        runtime: result of `choose_runtime`.
    """
    return _OPEN[runtime.backend](folder, manifest, runtime)


def _open_torch(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    return TorchStream(bundled_network(folder), runtime)


def _open_onnxruntime(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    return open_onnx(folder / manifest.graphs["onnx"], runtime.threads)


def _open_openvino(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    from vsr_lab.deployment.runtimes.openvino import OpenVinoStream  # of an extra

    graph = folder / manifest.graphs["onnx"]
    return OpenVinoStream(graph, open_onnx(graph), runtime)


_OPEN: dict[str, _Open] = {"torch": _open_torch, "onnxruntime": _open_onnxruntime, "openvino": _open_openvino}


class Trial(NamedTuple):
    """Speed and precision of a runtime, measured on a few frames.

    Attributes:
        runtime: library, device and precision.
        seconds: shortest time of a frame; the first frame is not measured.
        speed: frames per second, divided by those of torch in float32.
        psnr: PSNR in dB between the output and that of torch in float32, of the worst frame.
        problem: why the runtime is refused, as the end of a sentence; "" if it is not.
    """

    runtime: Runtime
    seconds: float
    speed: float
    psnr: float
    problem: str


def run_trials(
    folder: Path,
    manifest: BundleManifest,
    runtimes: list[Runtime],
    *,
    size: tuple[int, int],
    rounds: int = 1,
    after: Callable[[], object] = lambda: None,
) -> list[Trial]:
    """Measure the speed of runtimes on a few frames, and compare their outputs with that of the network in torch.

    Args:
        folder, manifest: folder and manifest of the bundle.
        runtimes: runtimes to run.
        size: height and width of the frames in LR pixels.
        rounds: number of rounds. In each round every runtime is run once, so that other load on the machine affects all
            of them equally.
        after: called after every run of a runtime.

    Returns:
        The trial of each runtime, in the same order.
    """
    clip = rollout_clip(_FRAMES, *size)
    seconds = dict[int, float]()
    gates = dict[int, tuple[str, float]]()
    baseline = float("inf")
    for _ in range(rounds):
        expected, own = _run(bundled_network(folder), clip)
        baseline = min(baseline, own)
        for i, runtime in enumerate(runtimes):
            frames, own = _run(open_runtime(folder, manifest, runtime), clip)
            seconds[i] = min(own, seconds.get(i, own))
            gates[i] = compare_to_float32(frames, expected, runtime.precision)
            after()
    trials: list[Trial] = []
    for i, runtime in enumerate(runtimes):
        problem, psnr = gates[i]
        trials.append(Trial(runtime, seconds[i], baseline / seconds[i], psnr, problem))
    return trials


def _run(network: StreamingNetwork, clip: Tensor) -> tuple[Tensor, float]:
    """The upscaled frames, and the shortest time of a frame after the first one, in seconds."""
    frames: list[Tensor] = []
    times: list[float] = []
    for sr in stream(network, clip):
        frames.append(sr.cpu())
        times.append(time.perf_counter())
    return torch.stack(frames), min(after - before for before, after in pairwise(times))


def compare_to_float32(frames: Tensor, expected: Tensor, precision: str) -> tuple[str, float]:
    """Check whether the output of a runtime agrees with that of torch in float32.

    Args:
        frames: output of the runtime, (T, 3, H, W), RGB in [0, 1].
        expected: output of torch in float32, (T, 3, H, W).
        precision: precision of the runtime; the tolerance depends on it.

    Returns:
        Why the runtime is refused ("" if it is not), and the PSNR of the worst frame in dB.
    """
    if not torch.isfinite(frames).all():
        return "its output is not finite", 0.0
    psnr = -10 * (frames.clamp(0, 1) - expected.clamp(0, 1)).square().mean((1, 2, 3)).max().log10().item()
    if precision == "float32":
        worst = (frames - expected).abs().max().item()
        bad = worst > LARGEST_DIFFERENCE
        return (f"differs from float32 in torch by {worst:.2g} (allowed {LARGEST_DIFFERENCE:g})" if bad else ""), psnr
    bad = psnr < LEAST_PSNR
    return (f"has {psnr:.1f} dB to float32 in torch (at least {LEAST_PSNR:g} required)" if bad else ""), psnr
