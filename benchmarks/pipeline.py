"""The whole of `upscale` beside its network alone, and the time to the first frame of short and long files."""

import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from vsr_lab.core.network import stream
from vsr_lab.deployment import Bundle, Encoding, open_bundle, upscale
from vsr_lab.deployment.bundle import export
from vsr_lab.deployment.export import OnnxExporter
from vsr_lab.deployment.pipeline.preparation import open_network
from vsr_lab.deployment.runtimes import DEFAULT, choose_runtime

WEIGHTS = Path(__file__).parents[1] / "results" / "zoo" / "weights" / "live_action_nano_x2.safetensors"
SIZE, RATE, FRAMES = (180, 320), 25, 100
LENGTHS = (4, 600, 3600)  # seconds


def main() -> None:
    """Print frames per second of the network and of the pipeline, their ratio, and seconds to the first frame."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(WEIGHTS, folder / "bundle", name="nano", exporters=[OnnxExporter(frames=4)])
        bundle = open_bundle(folder / "bundle", DEFAULT)
        clip = write_clip(folder / "clip.mp4", FRAMES)
        alone, whole = alternating(bundle, clip, folder)
        print(f"network alone   {FRAMES / alone:6.2f} frames/s")
        print(f"whole pipeline  {FRAMES / whole:6.2f} frames/s, ratio {alone / whole:.2f}")
        for seconds in LENGTHS:
            long = repeated(clip, folder / f"{seconds}.mp4", seconds * RATE)
            start = time.perf_counter()
            upscale(bundle, long, folder / f"first{seconds}.mkv", encoding=Encoding(stop=1 / RATE))
            print(f"file of one frame from a file of {seconds:4} s: {time.perf_counter() - start:5.2f} s")


def alternating(bundle: Bundle, clip: Path, folder: Path, rounds: int = 3) -> tuple[float, float]:
    """Shortest seconds of the network alone, and of the whole pipeline, each of several rounds in turn."""
    runtime = choose_runtime(bundle.folder, bundle.manifest, DEFAULT, SIZE)
    network, lr = open_network(bundle, runtime), torch.rand(3, *SIZE)
    times: list[tuple[float, float]] = []
    for n in range(rounds):
        start = time.perf_counter()
        assert sum(1 for _ in stream(network, [lr] * FRAMES)) == FRAMES
        middle = time.perf_counter()
        upscale(bundle, clip, folder / f"whole{n}.mp4", encoding=Encoding(options={"preset": "ultrafast"}))
        times.append((middle - start, time.perf_counter() - middle))
    alone, whole = zip(*times, strict=True)
    return min(alone), min(whole)


def write_clip(path: Path, frames: int) -> Path:
    """A moving picture with soft noise."""
    rng = np.random.default_rng(0)
    picture = rng.integers(60, 190, (SIZE[0] // 4, SIZE[1] // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20"})
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        for number in range(frames):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.roll(picture, 2 * number, 1), format="rgb24")))
        container.mux(video.encode(None))
    return path


def repeated(clip: Path, path: Path, frames: int) -> Path:
    """A long file of the packets of a clip, again and again."""
    with av.open(str(path), "w") as made:
        target: Any = None
        for turn in range(max(1, frames // FRAMES)):
            with av.open(str(clip)) as given:
                target = target or made.add_stream_from_template(given.streams.video[0])
                for packet in shifted(given, turn):
                    packet.stream = target
                    made.mux_one(packet)
    return path


def shifted(given: Any, turn: int) -> Iterator[Any]:
    """Packets of a clip, later by its length for each turn."""
    for packet in given.demux(video=0):
        if packet.size:
            delay = int(Fraction(turn * FRAMES, RATE) / packet.time_base)
            packet.pts, packet.dts = packet.pts + delay, packet.dts + delay
            yield packet


if __name__ == "__main__":
    main()
