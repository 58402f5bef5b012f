r"""Packs training crops and starting weights for a machine that has neither the footage nor what reads it.

    python scripts/zoo/pack.py MANIFEST STORE OUT.tar SPAN28.safetensors SPAN48.safetensors \
        [megabytes=45 frames=16 size=192 seed=0]

MANIFEST: a table of footage with content types; STORE: where it is decoded; SPAN28, SPAN48: the published x4 weights
with 28 and 48 channels, packed as nano.safetensors and small.safetensors with a memory that is still empty. The crops
are drawn as a training draws them, in turn from every content type, the held-out ends of the same clips for
validation. Each is one lossless H.264 file (RGB; half a megabyte), which OpenCV decodes; index.json has the checksum
of its pixels.
"""

import hashlib
import io
import json
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from vsr_lab.cli.configuration.usage import config_dir
from vsr_lab.core.clip import Frames
from vsr_lab.data import CropOptions, Crops, hold_out, store_shots
from vsr_lab.degradations import ResizeDown
from vsr_lab.footage.shots import ShotSelection, find_shots
from vsr_lab.footage.tables import read_rows
from vsr_lab.models import build_network, init_network, save_network

VALIDATION = 4  # clips of each content type
HOLD_OUT = 0.15


class Crop(NamedTuple):
    """One crop. source: the clip that it was cut from; frames: T H W 3."""

    content: str
    split: str
    number: int
    source: str
    frames: Frames


def main(paths: list[Path], megabytes: int = 45, frames: int = 16, size: int = 192, seed: int = 0) -> None:
    """Write as many crops as fit into the megabytes, and the weights beside them."""
    manifest, store, out, *published = paths
    index: list[dict[str, str]] = []
    with tarfile.open(out, "w") as tar:
        for name, path in zip(("nano", "small"), published, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                tar.add(start(name, path, Path(folder)), f"{name}.safetensors")
        for crop in _crops(manifest, store, frames, size, seed):
            data = encode(crop.frames)
            if tar.offset + len(data) > megabytes * 2**20:
                break
            file = f"{crop.content}_{crop.split}_{crop.number:04}.mkv"
            _add(tar, file, data)
            named = {"file": file, "content": crop.content, "split": crop.split, "source": crop.source}
            index.append({**named, "sha256": hashlib.sha256(crop.frames.tobytes()).hexdigest()})
        _add(tar, "index.json", json.dumps({"seed": seed, "clips": index}, indent=1).encode())
    counts = Counter((entry["content"], entry["split"]) for entry in index)
    print(f"{out}: {out.stat().st_size / 2**20:.1f} MiB, clips {dict(counts)}")


def _crops(manifest: Path, store: Path, frames: int, size: int, seed: int) -> Iterator[Crop]:
    """One crop after another, endlessly."""
    sets: dict[tuple[str, str], Crops] = {}
    for content in sorted({str(row["content_type"]) for row in read_rows(manifest)}):
        shots = find_shots(manifest, ShotSelection(content=content))
        clips = store_shots(shots, store, budget_gib=20, workers=2)
        for split, spans, candidates in zip(
            ("train", "validation"), hold_out(shots, HOLD_OUT, frames), (8, 4), strict=True
        ):
            part = [clips[span.clip].window(span.first, span.last) for span in spans]
            options = CropOptions(frames=frames, size=size, crop_candidates=candidates, flips=False)
            sets[content, split] = Crops(part, ResizeDown(4), options, seed=seed)
    for number in count():
        for (content, split), crops in sets.items():
            if split == "train" or number < VALIDATION:
                sample = crops[number]
                yield Crop(content, split, number, sample.clip, sample.hr.permute(0, 2, 3, 1).numpy())


def start(name: str, published: Path, folder: Path) -> Path:
    """The network of configs/model/span_stream_NAME.yaml with published per-frame weights and a memory of nothing."""
    OmegaConf.register_new_resolver("default_run_dir", str, replace=True)
    words = [f"model=span_stream_{name}", "experiment=zoo/memory", "content=mixed", "data.root=x"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", words)
    spec: dict[str, Any] = OmegaConf.to_container(cfg.model, resolve=True)  # pyright: ignore[reportAssignmentType]
    network = build_network(spec)
    init_network(network, published, cfg.init_skip)
    save_network(network, {"name": name, "init_from": published.stem}, folder / "network.safetensors")
    return folder / "network.safetensors"


def encode(frames: Frames) -> bytes:
    """T H W 3 as lossless H.264 in a Matroska file."""
    with tempfile.NamedTemporaryFile(suffix=".mkv") as file:
        with av.open(file.name, "w") as container:
            stream = container.add_stream("libx264rgb", 24, options={"qp": "0", "preset": "veryslow"})
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "rgb24"
            for picture in frames:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return Path(file.name).read_bytes()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    numbers = {name: int(value) for name, _, value in (word.partition("=") for word in sys.argv[1:]) if value}
    main([Path(word) for word in sys.argv[1:] if "=" not in word], **numbers)
