"""What `pack.py` packed, read with OpenCV and nothing of the package."""

import hashlib
import json
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor


class Clip(NamedTuple):
    """hr: T 3 H W uint8, RGB; content: its type; split: train or validation; source: the clip that it was cut from."""

    hr: Tensor
    content: str
    split: str
    source: str


def read_pack(path: Path) -> tuple[list[Clip], Path]:
    """The clips of a pack, and a folder with its files. Raises ValueError for a clip that is not as it was packed."""
    folder = Path(tempfile.mkdtemp(prefix="pack_"))
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    clips: list[Clip] = []
    for entry in json.loads((folder / "index.json").read_text())["clips"]:
        frames = decode(folder / entry["file"])
        if hashlib.sha256(frames.tobytes()).hexdigest() != entry["sha256"]:
            raise ValueError(f"{entry['file']} is not decoded exactly by this OpenCV")
        hr = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous()
        clips.append(Clip(hr, entry["content"], entry["split"], entry["source"]))
    return clips, folder


def decode(path: Path) -> np.ndarray:
    """Frames of a video, T H W 3 uint8, RGB."""
    video = cv2.VideoCapture(str(path))
    frames: list[np.ndarray] = []
    while (read := video.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    return np.stack(frames)
