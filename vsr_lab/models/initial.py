"""Weights to begin a training with, from whatever holds them."""

from pathlib import Path

from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.models.files import fill, load_weights
from vsr_lab.models.official import fill_published, read_tensors

_PREFIX = "network."  # what a training's checkpoint calls the network among all it keeps


def init_network(network: Network, path: Path) -> None:
    """Fill network, every tensor of it, with the weights in path.

    path: a network.safetensors, or a bundle's or a run's folder with one; a run's checkpoint (.ckpt; averaged weights
    where the run kept them); or a published .pth of the same architecture, as `load_basicvsr` takes it.
    Raises UserError for a file that is missing, could run code, or holds other weights.
    """
    if path.is_dir() or path.suffix == ".safetensors":
        load_weights(network, path / "network.safetensors" if path.is_dir() else path)
        return
    loaded = read_tensors(path)
    state = loaded.get("state_dict")
    if isinstance(state, dict):
        fill(network, _ours(state, path), path)
    else:
        fill_published(network, loaded, path)


def _ours(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    tensors = {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
    if not tensors:
        raise UserError(path, "is no checkpoint of a vsr-lab training", "give one from a run's checkpoints/")
    return tensors
