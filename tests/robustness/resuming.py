"""Upscalings that are killed and go on: python -m tests.robustness.resuming.

The file that is there at the end has the frames, timestamps and sound of one that was never interrupted.
"""

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.records.bundle import BundleManifest, Processing
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.pipeline import conversion, run, segments
from vsr_lab.deployment.streams.frames import FrameEncoder

RATE = 25


class Memory(StreamingNetwork):
    """Repeats pixels, brightened by a fading mean of all frames before; seconds: how long a frame takes at least."""

    def __init__(self, scale: int = 2, seconds: float = 0.0) -> None:
        super().__init__()
        self.scale = scale
        self.seconds = seconds

    def zero_state(self, lr: Tensor) -> State:
        return torch.zeros_like(lr), lr.new_zeros(1, 1, *lr.shape[-2:])

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        time.sleep(self.seconds)
        mean, count = state[0] * 0.98 + lr * 0.02, state[1] + 1
        sr = (0.7 * lr + 0.3 * mean + 1e-3 * (count % 50)).repeat_interleave(self.scale, -1)
        return sr.repeat_interleave(self.scale, -2), (mean, count)


def bundle_of(network: StreamingNetwork, folder: Path) -> Bundle:
    """A bundle of a network, without files."""
    manifest = BundleManifest(
        name="memory", scale=network.scale, warm_up=0, size_multiple=1, parameters=0, network={}, content=None,
        pixel_format=None, about={}, licence=None, processing=Processing(cut_detector="", cut_thresholds={}), scores=[],
        graphs={}, created="", versions={}, sha256={}, fingerprint="0",
    )  # fmt: skip
    return Bundle(folder, manifest, network)


def failing_after(frames: int, error: BaseException) -> type[FrameEncoder]:
    """A `FrameEncoder` that encodes so many frames, and raises an error at the next."""
    encoded: list[int] = []

    class Failing(FrameEncoder):
        def __call__(self, *args: Any) -> av.VideoFrame:
            if len(encoded) == frames:
                raise error
            encoded.append(1)
            return super().__call__(*args)

    return Failing


def write_source(
    path: Path, frames: int, size: tuple[int, int] = (32, 64), seed: int = 0, times: Sequence[float] | None = None
) -> Path:
    """Write a moving picture with a cut every seven seconds, and a tone.

    Args:
        path: the file; Matroska for uneven times.
        frames: number of frames, 25 a second.
        size: height and width.
        seed: of the pictures.
        times: timestamps in seconds, if they are uneven.
    """
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w", container_options={"fflags": "bitexact"}) as container:
        video: Any = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12"})
        video.height, video.width, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = video.time_base = Fraction(1, 1000)
        sound: Any = container.add_stream("aac", rate=48_000, layout="mono")
        written = 0
        for number in range(frames):
            if number % (7 * RATE) == 0:
                picture = rng.integers(0, 256, (size[0] // 8, size[1] // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(np.roll(picture, (number, 2 * number), (0, 1)), format="rgb24")
            frame.pts = round(1000 * times[number]) if times else number * 40
            frame.time_base = Fraction(1, 1000)
            container.mux(video.encode(frame))
            while written * 1024 < number * 48_000 / RATE:
                tone = np.sin(np.arange(written * 1024, written * 1024 + 1024) * 0.05).astype(np.float32)[None] / 3
                piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, written * 1024, Fraction(1, 48_000)
                container.mux(sound.encode(piece))
                written += 1
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


@dataclass(frozen=True)
class Content:
    """What is in a file: hash and time of every frame, and of every packet of sound."""

    frames: list[tuple[Any, str]]
    packets: list[tuple[Any, Any, bool]]
    sound: list[tuple[Any, str]]


def content(path: Path) -> Content:
    """Read a whole file."""
    with av.open(str(path)) as container:
        frames = [(frame.pts, _hash(frame.to_ndarray(format="rgb48le"))) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        packets = [(p.pts, p.dts, p.is_keyframe) for p in container.demux(video=0) if p.size]
    with av.open(str(path)) as container:
        sound = (
            [(p.pts, _hash(bytes(p))) for p in container.demux(audio=0) if p.size] if container.streams.audio else []
        )
    return Content(frames, packets, sound)


def _hash(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


@dataclass(frozen=True)
class Kill:
    """A moment of an upscaling: before it encodes a frame, writes a record of its segments, or its provenance."""

    where: str
    count: int


KILLS = (Kill("frame", 5), Kill("frame", 12), Kill("record", 2), Kill("frame", 10), Kill("provenance", 1))
# With AVX-512, x264's macroblock tree gives other packets from run to run for equal frames, without segments too.
X264 = {"preset": "veryfast", "x264-params": "mbtree=0"}
CASES = {
    ".mkv": Encoding(codec="ffv1", pixel_format="bgr0", segment=0.4),
    ".mp4": Encoding(codec="libx264", options=X264, segment=0.4),
}


def _killing(count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function at whose call of this number the process is killed."""
    calls: list[int] = []

    def call(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args)

    return call


def start(work: Callable[[], object], kill: Kill | None = None) -> int:
    """The id of a forked process that does work."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        if kill and kill.where == "frame":
            conversion.FrameEncoder.__call__ = _killing(kill.count, conversion.FrameEncoder.__call__)
        elif kill:
            module = segments if kill.where == "record" else run
            module.write_record = _killing(kill.count, module.write_record)
        work()
        code = 0
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """How a process ended: its exit code, or the negative number of the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def differences(output: Path, straight: Path) -> list[str]:
    """What differs between a file that was resumed and one that was not."""
    one, other = content(output), content(straight)
    found = [name for name in vars(one) if getattr(one, name) != getattr(other, name)]
    if output.read_bytes() != straight.read_bytes():
        found.append("bytes")
    left = {path.name for path in output.parent.iterdir()} - {output.name, f"{output.name}.provenance.json"}
    return found + [f"{name} is left" for name in left]


def quick(folder: Path) -> list[str]:
    """Kill at chosen moments, one after the other."""
    faults: list[str] = []
    source, bundle = write_source(folder / "source.mkv", 44), bundle_of(Memory(), folder / "bundle")
    for suffix, encoding in CASES.items():
        output, straight = (folder / name / f"large{suffix}" for name in ("resumed", "straight"))
        for kill in KILLS:
            code = ended(start(partial(upscale, bundle, source, output, encoding=encoding), kill))
            if code != -signal.SIGKILL or output.exists():
                faults.append(f"{suffix} {kill}: {code}")
        for path in (output, straight):
            if code := ended(start(partial(upscale, bundle, source, path, encoding=encoding))):
                faults.append(f"{path}: {code}")
        faults += [f"{suffix}: {name}" for name in differences(output, straight)]
        output.unlink()
        output.with_name(f"{output.name}.provenance.json").unlink()
    return faults


def _resident(child: int) -> int:
    """Resident memory of a process in MiB; 0 if it has ended."""
    fields = Path(f"/proc/{child}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def _watched(work: Callable[[], object]) -> list[int]:
    """Do work in a forked process; its resident memory over time."""
    child, sizes = start(work), [0]
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        sizes.append(_resident(child))
        time.sleep(0.2)
    assert ended(child) == 0
    return [size for size in sizes if size]


def long(folder: Path, frames: int, kills: int, codec: str, seed: int) -> list[str]:
    """Kill a longer upscaling at random moments; print times and memory."""
    source, bundle = write_source(folder / "source.mkv", frames, (90, 160)), bundle_of(Memory(), folder / "bundle")
    encoding = Encoding(codec=codec, options=X264 if codec == "libx264" else {})
    output, straight = (
        folder / name / f"large.{'mp4' if codec == 'libx264' else 'mkv'}" for name in ("resumed", "straight")
    )
    began = time.monotonic()
    sizes = _watched(partial(upscale, bundle, source, straight, encoding=encoding))
    alone = time.monotonic() - began
    quarter = max(1, len(sizes) // 4)
    print(f"{frames} frames alone: {alone:.1f} s; resident MiB, maximum of each quarter: ", end="")
    print(", ".join(str(max(sizes[i * quarter : (i + 1) * quarter])) for i in range(4)), flush=True)
    rng, killed = random.Random(seed), 0
    began = time.monotonic()
    while killed < kills:
        child = start(partial(upscale, bundle, source, output, encoding=encoding))
        time.sleep(rng.uniform(0.02, 0.18) * alone)
        os.kill(child, signal.SIGKILL)
        if ended(child) != -signal.SIGKILL:
            break  # it was complete before
        killed += 1
        folders = output.with_name(f"{output.name}.segments").glob("*.packets")
        print(f"killed after {time.monotonic() - began:.1f} s; {sum(1 for _ in folders)} segments", flush=True)
    if not output.exists():
        sizes = _watched(partial(upscale, bundle, source, output, encoding=encoding))
        print(f"the last run: resident MiB at most {max(sizes)}")
    print(f"{killed} kills, {time.monotonic() - began:.1f} s together")
    return differences(output, straight)


def main() -> int:
    """Print what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=0, help="length of a long source; 0: a few short cases")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--codec", default="libx264")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="resuming-") as name:
        folder = Path(name)
        faults = long(folder, asked.frames, asked.kills, asked.codec, asked.seed) if asked.frames else quick(folder)
    print("\n".join(faults) or "identical")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
