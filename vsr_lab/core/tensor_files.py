"""Loading of files that torch.save wrote."""

import pickletools
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# What torch.save writes for tensors. torch.load(weights_only=True) allows more, such as bytearray(10**10).
_KNOWN = re.compile(
    r"torch\._utils _rebuild_(tensor(_v2)?|parameter(_with_state)?)|torch \w+|torch\.storage \w+Storage|"
    r"collections OrderedDict"
)
_PICKLES = 5  # of an old file: a number, a version, the system, the object and the keys of its storages
_MOST_NODES = 10_000_000


def load_tensors(path: Path) -> Any:
    """Load a .pth or .ckpt file of tensors, numbers and text to the CPU.

    A file that would need much more memory than its own size is refused.

    Raises:
        ValueError: the file contains other objects, its parts are compressed or overlap, or its tensors or containers
            would need much more memory than the file. torch.save writes no such files.
        Exception: the file is damaged; this can be any exception of torch.load.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\3\4"  # by which torch.load decides
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if any(part.compress_type for part in parts) or sum(part.file_size for part in parts) > size:
                raise ValueError("its parts are compressed or overlap")
            for part in parts:
                if part.filename.endswith("/data.pkl"):
                    _check_pickle(archive.read(part))
    else:
        with path.open("rb") as file:
            for _ in range(_PICKLES):
                _check_pickle(file)
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    _check_size(loaded, size)
    return loaded


def _check_pickle(pickle: Any) -> None:
    """Raise ValueError if a pickle contains objects other than tensors, numbers, text and containers."""
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name == "STACK_GLOBAL" or (operation.name == "GLOBAL" and not _KNOWN.fullmatch(str(argument))):
            raise ValueError(f"contains {argument or 'objects'} beside tensors and numbers")


def _check_size(loaded: Any, size: int) -> None:
    """Raise ValueError if tensors or containers are much larger than can be stored in a file of `size` bytes."""
    nodes: dict[int, int] = {}  # number of values in each container
    tensors: list[Tensor] = []

    def count(node: Any) -> int:
        if isinstance(node, Tensor):
            tensors.append(node)
        if not isinstance(node, (dict, list, tuple)):
            return 1
        if id(node) not in nodes:
            nodes[id(node)] = _MOST_NODES + 1  # while it is counted: it would contain itself
            nodes[id(node)] = 1 + sum(map(count, node.values() if isinstance(node, dict) else node))
        return nodes[id(node)]

    if count(loaded) > _MOST_NODES:
        raise ValueError("its containers contain each other many times")
    if any(tensor.layout != torch.strided or tensor.is_meta for tensor in tensors):
        raise ValueError("contains tensors that are not dense")
    if any(tensor.numel() * tensor.itemsize > tensor.untyped_storage().nbytes() for tensor in tensors):
        raise ValueError("its tensors have more elements than it")
    if sum(tensor.numel() * tensor.itemsize for tensor in tensors) > 4 * size:
        raise ValueError("its tensors share their elements")
