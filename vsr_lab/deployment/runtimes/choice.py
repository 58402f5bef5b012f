"""The choice of a runtime: the fastest of those whose output is close enough to float32 in torch."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import ValidationError
from torch import Tensor

from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.core.files import write_text
from vsr_lab.core.network import StreamingNetwork
from vsr_lab.core.progress import progress_bar
from vsr_lab.core.records.deployment import BundleManifest, Runtime
from vsr_lab.core.stream import stream
from vsr_lab.deployment.export import open_onnx, rollout_clip
from vsr_lab.deployment.runtimes.base import Backend, RuntimeOptions
from vsr_lab.deployment.runtimes.torch import TorchStream, bundled_network

LARGEST_DIFFERENCE = 1e-4  # of float32, any value, RGB in [0, 1]
LEAST_PSNR = 50.0  # of lower precisions, worst frame, in dB
_FRAMES = 4
_SIDES = (270, 480)  # a trial of larger frames would take long, and rank the runtimes alike
_ALIKE = 0.9  # of the highest speed: then the one that is closer to float32 is taken, so that noise decides less

_Open = Callable[[Path, BundleManifest, Runtime], StreamingNetwork]


def open_runtime(folder: Path, manifest: BundleManifest, runtime: Runtime) -> StreamingNetwork:
    """Open the network of a bundle in a runtime.

    Args:
        folder, manifest: of the bundle.
        runtime: a runtime that `choose_runtime` returned.
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


def choose_runtime(folder: Path, manifest: BundleManifest, options: RuntimeOptions, size: tuple[int, int]) -> Runtime:
    """Choose the fastest runtime that passes its parity gate: float32 within 1e-4, lower precisions with 50 dB.

    A few frames are run in every runtime that this machine has. The choice is cached by bundle, size and machine.

    Args:
        folder, manifest: of the bundle.
        options: what the user requests.
        size: height and width of the frames in LR pixels.

    Raises:
        Refusal: no runtime passes its gate.
        UserError: this machine or this bundle does not have the runtime.
    """
    candidates = _candidates(manifest, options)
    if [(c.backend, c.precision) for c in candidates] == [("torch", "float32")]:
        return candidates[0]
    file = _cache_folder() / f"{_key(manifest, candidates, size)}.json"
    with suppress(OSError, ValidationError):  # not cached yet, or damaged
        return Runtime.model_validate_json(file.read_bytes())
    chosen = _fastest(folder, manifest, candidates, size)
    with suppress(OSError, UserError):  # a cache that cannot be written costs time only
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, chosen.model_dump_json(indent=2))
    return chosen


def _candidates(manifest: BundleManifest, options: RuntimeOptions) -> list[Runtime]:
    """The runtimes that the options allow and that this machine has."""
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda", "there is no CUDA device", "set device=cpu")
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
    """What a backend lacks, and how to get it."""
    if backend == "openvino" and find_spec("openvino") is None:
        return "OpenVINO is not installed", "pip install 'vsr-lab[openvino]'"
    if backend != "torch" and "onnx" not in manifest.graphs:
        return "the bundle has no ONNX graph", "export it with formats=[onnx]"
    return None


class _Trial(NamedTuple):
    """A runtime that passed its gate, and the PSNR by which it did."""

    runtime: Runtime
    psnr: float


def _fastest(folder: Path, manifest: BundleManifest, candidates: list[Runtime], size: tuple[int, int]) -> Runtime:
    clip = rollout_clip(_FRAMES, *map(min, size, _SIDES))
    plain = Runtime(backend="torch", device="cpu", precision="float32", threads=0, version=version("torch"))
    passed: list[_Trial] = []
    refused: list[str] = []
    with progress_bar("choosing the runtime", len(candidates) + 1) as update:
        expected, seconds = _run(open_runtime(folder, manifest, plain), clip)
        for runtime in candidates:
            update(advance=1)
            frames, own = _run(open_runtime(folder, manifest, runtime), clip)
            problem, psnr = compare_to_float32(frames, expected, runtime.precision)
            if problem:
                refused.append(f"{runtime}: {problem}")
                continue
            noted = {"psnr": psnr if psnr < torch.inf else None, "speed": round(seconds / own, 3)}
            passed.append(_Trial(runtime.model_copy(update=noted), psnr))
    if not passed:
        raise Refusal(f"{refused[0]}; the file was not upscaled")
    highest = max(trial.runtime.speed or 0 for trial in passed)
    alike = [trial for trial in passed if (trial.runtime.speed or 0) >= _ALIKE * highest]
    return max(alike, key=lambda trial: trial.psnr).runtime.model_copy(update={"refused": refused})


def _run(network: StreamingNetwork, clip: Tensor) -> tuple[Tensor, float]:
    """The upscaled frames, and the seconds of the fastest frame after the first."""
    frames: list[Tensor] = []
    times: list[float] = []
    for sr in stream(network, clip):
        frames.append(sr.cpu())
        times.append(time.perf_counter())
    return torch.stack(frames), min(after - before for before, after in pairwise(times))


def compare_to_float32(frames: Tensor, expected: Tensor, precision: str) -> tuple[str, float]:
    """Apply the gate of a precision.

    Args:
        frames, expected: upscaled frames (T, 3, H, W), and the same by torch in float32.
        precision: of the runtime.

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
    """Fields of /proc/cpuinfo, of the first processor."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0]
    fields = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in fields if name.strip() in {"model name", "flags"}}


def _has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16; others emulate it slowly."""
    return bool({"avx512_bf16", "amx_bf16"} & set(_processor().get("flags", "").split()))
