"""Upscalings that are killed and go on: python -m tests.robustness.resuming.

The file that is there at the end has the frames, timestamps and sound of one that was never interrupted.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.network import State, StreamingNetwork
from vsr_lab.core.records.deployment import BundleManifest
from vsr_lab.deployment import Bundle

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
        name="memory", scale=network.scale, warm_up=0, parameters=0, network={}, content=None, pixel_format=None,
        about={}, graphs={}, created="", versions={}, sha256={}, fingerprint="0",
    )  # fmt: skip
    return Bundle(folder, manifest, network)


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
