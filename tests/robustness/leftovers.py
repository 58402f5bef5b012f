"""What a command may leave behind when it is stopped: whole files under final names, and no others."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

PARTIAL = ".partial"


def broken_files(folder: Path, paths: Iterable[str], reference: Path) -> int:
    """Print each file that cannot be read as what its name says; run in a process of its own, for the libraries' sake.

    reference: the folder as the uninterrupted command left it: a video has to have as many frames as there.
    """
    for path in paths:
        file = folder / path
        if not file.is_file() or file.is_symlink() or _unfinished(file):
            continue
        try:
            _read(file, reference / path)
        except Exception as error:
            print(f"{path}: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}")
    sys.stdout.flush()
    return 0


def _unfinished(file: Path) -> bool:
    """A temporary file, or a clip in a store whose record, which is written last, is not there yet."""
    hidden = any(part.startswith(".") for part in file.parts[1:])
    of_a_store = len(file.stem) == 24 and file.suffix in {".npy", ".partial", ".activity", ".done"}
    return hidden or (of_a_store and not file.with_suffix(".json").exists())


def _read(file: Path, reference: Path) -> None:
    suffix = file.suffix
    if suffix in {".json", ".jsonl"}:
        json.loads(file.read_text(encoding="utf-8"))
    elif suffix in {".yaml", ".yml"}:
        import yaml

        yaml.safe_load(file.read_text(encoding="utf-8"))
    elif suffix == ".parquet":
        import polars

        polars.read_parquet(file)
    elif suffix in {".mkv", ".mp4"}:
        _frames(file, reference)
    elif suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(file, framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - it is no dict
                tensors.get_tensor(name)
    elif suffix == ".ckpt":
        import torch

        torch.load(file, map_location="cpu", weights_only=True)
    elif suffix in {".png", ".jpg"}:
        from PIL import Image

        with Image.open(file) as picture:
            picture.load()
    elif suffix in {".npy", ".activity"}:
        import numpy as np

        np.load(file)
    elif suffix == ".onnx":
        import onnx

        onnx.checker.check_model(onnx.load(file))
    elif suffix == ".html":
        _whole(file, "</html>")


def _whole(file: Path, end: str) -> None:
    if not file.read_text(encoding="utf-8").rstrip().endswith(end):
        raise ValueError(f"does not end with {end}")


def _frames(file: Path, reference: Path) -> None:
    import av

    with av.open(str(file)) as video:
        count = sum(1 for _ in video.decode(video=0))
    if reference.exists():
        with av.open(str(reference)) as video:
            expected = sum(1 for _ in video.decode(video=0))
        if count != expected:
            raise ValueError(f"{count} frames, not {expected}")
    if not count:
        raise ValueError("no frames")
