"""Loading of files that torch.save wrote."""

import zipfile
from pathlib import Path
from typing import Any

import torch


def load_tensors(path: Path) -> Any:
    """Load a .pth or .ckpt file of tensors, numbers and text to the CPU.

    Raises:
        ValueError: its parts are compressed or overlap. torch.save writes no such files; a small one could need any
            amount of memory.
        Exception: those of torch.load, for a file that is damaged, or contains other objects.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
        if any(part.compress_type for part in parts) or sum(part.file_size for part in parts) > path.stat().st_size:
            raise ValueError("its parts are compressed or overlap")
    return torch.load(path, map_location="cpu", weights_only=True)
