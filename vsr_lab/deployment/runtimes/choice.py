"""Choice of a runtime by trials: the fastest whose output is close enough to that of torch in float32."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import ValidationError
from torch import Tensor

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_text
from vsr_lab.core.network import StreamingNetwork, stream
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records.bundle import BundleManifest
from vsr_lab.core.records.deployment import Runtime
from vsr_lab.deployment.export import LEAST_PSNR, open_onnx, psnr_of_worst, rollout_clip
from vsr_lab.deployment.runtimes.base import Backend, RuntimeOptions
from vsr_lab.deployment.runtimes.torch import TorchStream, bundled_network

LARGEST_DIFFERENCE = 1e-4  # of float32, any value, RGB in [0, 1]
_FRAMES = 4


def open_runtime(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    """Open the network of a bundle in a runtime.

    Args:
        folder, manifest: folder and manifest of the bundle.
        runtime: result of `choose_runtime`.
    """
    if runtime.backend == "torch":
        return TorchStream(bundled_network(folder), runtime)
    graph = folder / manifest.graphs["onnx"].file
    if runtime.backend == "onnxruntime":
        return open_onnx(graph, runtime.threads)
    from vsr_lab.deployment.runtimes.openvino import OpenVinoStream  # of an extra

    return OpenVinoStream(graph, open_onnx(graph), runtime)


class Trial(NamedTuple):
    """Speed and precision of a runtime, measured on a few frames.

    Attributes:
        runtime: library, device and precision.
        seconds: shortest time of a frame; the first frame is not measured.
        speed: frames per second, divided by those of torch in float32 on the CPU.
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
        after: called after every run of a runtime, for a progress bar.

    Returns:
        The trial of each runtime, in the same order.
    """
    clip = rollout_clip(_FRAMES, *size)
    seconds = dict[int, float]()
    gates = dict[int, tuple[str, float]]()
    baseline = float("inf")
    for _ in range(rounds):
        expected, own = run_clip(bundled_network(folder), clip)
        baseline = min(baseline, own)
        for i, runtime in enumerate(runtimes):
            frames, own = run_clip(open_runtime(folder, manifest, runtime), clip)
            seconds[i] = min(own, seconds.get(i, own))
            gates[i] = compare_to_float32(frames, expected, runtime.precision)
            after()
    trials: list[Trial] = []
    for i, runtime in enumerate(runtimes):
        problem, psnr = gates[i]
        trials.append(Trial(runtime, seconds[i], baseline / seconds[i], psnr, problem))
    return trials


def run_clip(network: StreamingNetwork, clip: Tensor) -> tuple[Tensor, float]:
    """Upscale a clip, and measure the time per frame.

    Args:
        network: the network.
        clip: LR frames, (T, 3, h, w), T >= 2.

    Returns:
        The upscaled frames, and the shortest time of a frame after the first one, in seconds.
    """
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
        precision: precision of the runtime, on which the allowed difference depends.

    Returns:
        Why the runtime is refused ("" if it is not), and the PSNR of the worst frame in dB.
    """
    if not torch.isfinite(frames).all():
        return "its output is not finite", 0.0
    psnr = psnr_of_worst(frames, expected)
    if precision == "float32":
        worst = (frames - expected).abs().max().item()
        bad = worst > LARGEST_DIFFERENCE
        return (f"differs from float32 in torch by {worst:.2g} (allowed {LARGEST_DIFFERENCE:g})" if bad else ""), psnr
    bad = psnr < LEAST_PSNR
    return (f"has {psnr:.1f} dB to float32 in torch (at least {LEAST_PSNR:g} required)" if bad else ""), psnr


_SIDES = (270, 480)  # a trial of larger frames would take long, and rank the runtimes alike
_ALIKE = 0.9  # of the highest speed: then the one that is closer to float32 is taken, so that noise decides less
_ROUNDS = 3  # of a benchmark


def choose_runtime(folder: Path, manifest: BundleManifest, options: RuntimeOptions, size: tuple[int, int]) -> Runtime:
    """Choose the fastest runtime (library, device, precision) whose output agrees with that of torch in float32.

    A few frames, of at most 480x270 pixels, are run in every runtime that the options allow and this machine supports.
    In float32, no value may differ by more than 1e-4; in lower precisions, the PSNR must be at least 50 dB. Of the
    runtimes with at least 90 % of the highest speed, the one that is closest to float32 is chosen. The choice is cached
    for each bundle, frame size, machine and set of permitted runtimes. If torch in float32 is the only permitted
    runtime, it is chosen without a trial. A library whose output in float32 differs by more than 1e-4 is refused in
    every precision.

    Args:
        folder, manifest: folder and manifest of the bundle.
        options: options that restrict the choice.
        size: height and width of the frames in LR pixels.

    Raises:
        Refusal: the output of every runtime differs too much from that of torch in float32.
        UserError: this machine or this bundle does not support the options, such as more threads than processors.
    """
    candidates = _candidates(manifest, options)
    if [(c.backend, c.precision) for c in candidates] == [("torch", "float32")]:
        return candidates[0]
    file = _cache_folder() / f"{_key(manifest, candidates, size)}.json"
    with suppress(OSError, ValidationError):  # not cached yet, or damaged
        if file.is_file():
            found = Runtime.model_validate_json(file.read_bytes())
            if found.model_copy(update={"psnr": None, "speed": None, "refused": []}) in candidates:
                return found
    chosen = _fastest(folder, manifest, candidates, size)
    with suppress(OSError, UserError):  # a cache that cannot be written costs time only
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, chosen.model_dump_json(indent=2))
    return chosen


def find_runtime(manifest: BundleManifest, options: RuntimeOptions) -> Runtime:
    """Find the runtime with the given backend, device and precision. Its output is not compared with that of torch.

    Args:
        manifest: manifest of the bundle.
        options: options without "auto".

    Raises:
        UserError: this machine or this bundle does not support the runtime.
    """
    (runtime,) = _candidates(manifest, options)
    return runtime


def _candidates(manifest: BundleManifest, options: RuntimeOptions) -> list[Runtime]:
    """The runtimes that the options allow and that this machine has."""
    if options.threads > (processors := os.cpu_count() or 1):  # which would wait for each other for minutes
        problem = f"this machine has {processors} processors"
        raise UserError(f"threads={options.threads}", problem, f"set at most {processors}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda", "no CUDA device was found", "set device=cpu")
    if options.backend != "auto" and (reason := _missing(options.backend, manifest)):
        raise UserError(f"backend={options.backend}", *reason)
    if options.backend == "openvino" and options.precision == "bfloat16" and not _has_bfloat16():
        problem = "OpenVINO computes in float32 on this processor, which has neither avx512_bf16 nor amx_bf16"
        raise UserError("precision=bfloat16", problem, "set precision=float32")
    devices = {device for _, device, _ in options.combinations()}
    device = "cuda" if "cuda" in devices and torch.cuda.is_available() else "cpu"
    chosen: list[Runtime] = []
    for backend, of, precision in options.combinations():
        is_fast = precision == "float32" or device == "cuda" or (precision == "bfloat16" and _has_bfloat16())
        if of == device and not _missing(backend, manifest) and (is_fast or options.precision == precision):
            package = version(backend)
            chosen.append(
                Runtime(backend=backend, device=device, precision=precision, threads=options.threads, version=package)
            )
    return chosen


def _missing(backend: Backend, manifest: BundleManifest) -> tuple[str, str] | None:
    """What is missing to use a backend, and how to get it; None if nothing is missing."""
    if backend == "openvino" and find_spec("openvino") is None:
        return "OpenVINO is not installed", "pip install 'vsr-lab[openvino]'"
    if backend != "torch" and "onnx" not in manifest.graphs:
        return "the bundle has no ONNX graph", "export the bundle again with formats=[onnx]"
    return None


def _fastest(folder: Path, manifest: BundleManifest, candidates: list[Runtime], size: tuple[int, int]) -> Runtime:
    smaller = min(size[0], _SIDES[0]), min(size[1], _SIDES[1])
    # A wrong graph may differ by less than a lower precision is allowed to: it is run in float32 as well.
    exact = [
        runtime.model_copy(update={"precision": "float32"}) for runtime in candidates if runtime.backend != "torch"
    ]
    tried = candidates + [runtime for runtime in exact if runtime not in candidates]
    with progress_bar("choosing the runtime", len(tried)) as update:
        trials = run_trials(folder, manifest, tried, size=smaller, after=lambda: update(advance=1))
    refused = [f"{trial.runtime}: {trial.problem}" for trial in trials if trial.problem]
    wrong = {trial.runtime.backend for trial in trials if trial.problem and trial.runtime.precision == "float32"}
    passed = [
        trial
        for trial in trials
        if trial.runtime in candidates and trial.runtime.backend not in wrong and not trial.problem
    ]
    if not passed:
        raise Refusal(f"{refused[0]}; choose another backend= or precision=")
    highest = max(trial.speed for trial in passed)
    best = max((trial for trial in passed if trial.speed >= _ALIKE * highest), key=lambda trial: trial.psnr)
    noted = {"psnr": best.psnr if best.psnr < inf else None, "speed": round(best.speed, 3), "refused": refused}
    return best.runtime.model_copy(update=noted)


def bench(folder: Path, manifest: BundleManifest, options: RuntimeOptions, size: tuple[int, int]) -> list[Trial]:
    """Measure the speed of a bundle in all runtimes that this machine supports, in several rounds.

    All measured runtimes are on one device. A precision that the processor only emulates is measured only if the
    options name this precision.

    Args:
        folder, manifest: folder and manifest of the bundle.
        options: options that restrict the runtimes.
        size: height and width of the frames in LR pixels.

    Returns:
        The trial of each runtime.
    """
    return run_trials(folder, manifest, _candidates(manifest, options), size=size, rounds=_ROUNDS)


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "vsr-lab" / "runtimes"


def _key(manifest: BundleManifest, candidates: list[Runtime], size: tuple[int, int]) -> str:
    machine: list[object] = [_processor(), len(os.sched_getaffinity(0)), torch.get_num_threads()]
    if torch.cuda.is_available():
        machine.append(torch.cuda.get_device_name())
    settings = [manifest.fingerprint, size, machine, [runtime.model_dump() for runtime in candidates]]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]


def _processor() -> dict[str, str]:
    """Model name and flags of the first processor in /proc/cpuinfo."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    fields = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields if name.strip() in {"model name", "flags"}}


def _has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16; others emulate it slowly."""
    return bool({"avx512_bf16", "amx_bf16"} & set(_processor().get("flags", "").split()))
