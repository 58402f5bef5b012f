"""Loading of initial weights, from runs and checkpoints of vsr_lab and from files of other projects."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import check_file
from vsr_lab.core.network import Network
from vsr_lab.core.tensor_files import load_tensors
from vsr_lab.models.anime_sr import AnimeSr
from vsr_lab.models.basicvsr import BasicVsr
from vsr_lab.models.branches import deploy_published, fit_upsampler, fold_state
from vsr_lab.models.files import WEIGHTS, fill, read_note, read_weights
from vsr_lab.models.span import Span, SpanStream

_HINT = "give the published weights (.pth)"
Renames = Mapping[str, str]  # a pattern at the start of a name -> what it is called here
_RENAMES: Mapping[str, Renames] = yaml.safe_load(Path(__file__).with_name("published.yaml").read_text(encoding="utf-8"))


def load_basicvsr(path: Path) -> BasicVsr:
    """Load BasicVSR x4 with its authors' weights in BasicSR's format (.pth).

    Raises:
        UserError: the file is missing or damaged, contains more than tensors and numbers, or belongs to another
            network.
    """
    network = BasicVsr()
    fill(network, published(network, read_tensors(path), path), path)
    return network.eval()


def load_animesr(path: Path) -> AnimeSr:
    """Load AnimeSR v2 x4 with its authors' weights (.pth). Raises UserError as `load_basicvsr` does."""
    network = AnimeSr()
    fill(network, published(network, read_tensors(path), path), path)
    return network.eval()


def published(network: Network, loaded: dict[str, Any], path: Path) -> dict[str, Tensor]:
    """Convert weights that the authors of a network published to the tensor names of this package.

    Args:
        network: network that the weights are for.
        loaded: content of the file, as returned by `read_tensors`.
        path: path of the file, for error messages.

    Raises:
        UserError: no published weights are known for the class of network, or the file contains no weights.
    """
    renames = _RENAMES.get(type(network).__name__)
    if renames is None:
        known = ", ".join(_RENAMES)
        problem = f"contains published weights, which only the networks {known} can load"
        raise UserError(
            path, problem, f"choose model= of one of these, not {type(network).__name__}, or give a network.safetensors"
        )
    tensors = loaded.get("params", loaded)
    if not isinstance(tensors, dict) or not tensors or not all(isinstance(v, Tensor) for v in tensors.values()):
        raise UserError(path, "contains no weights", _HINT)
    return {_renamed(name, renames): tensor for name, tensor in tensors.items()}


def read_tensors(path: Path) -> dict[str, Any]:
    """Read a PyTorch file (torch.save) that contains only tensors and numbers, without executing code in it.

    Raises UserError if the file is missing or any other file.
    """
    check_file(path, _HINT)
    # torch has its own kinds for a pickle, a cut and a foreign file
    with reported(Exception, path, "is damaged, compressed, or contains more than tensors and numbers", _HINT):
        loaded: Any = load_tensors(path)
    if not isinstance(loaded, dict):
        raise UserError(path, "contains no weights", _HINT)
    return loaded


def _renamed(name: str, renames: Renames) -> str:
    for pattern, ours in renames.items():
        name, count = re.subn(f"^{pattern}", ours, name)
        if count:
            break
    return name


_PREFIX = "network."  # what a training's checkpoint calls the network among all it keeps


def init_network(network: Network, path: Path, skip: Sequence[str] = ()) -> list[str]:
    """Initialise a network with weights from a file, for fine-tuning.

    Args:
        network: network whose tensors are replaced.
        path: one of: network.safetensors; the folder of a bundle or run that contains network.safetensors; a checkpoint
            of a run (.ckpt), whose averaged weights are used if it has any; published weights of the same architecture.
        skip: shell patterns, such as "flow.*", of the names of tensors that keep their initial values.

    Returns:
        Names of the tensors that kept their initial values.

    Raises:
        UserError: the file is missing, damaged or could execute code; its tensors have other names or shapes than those
            of the network, or values that are not finite; or a pattern matches no tensor.
    """
    own = network.state_dict()
    for pattern in skip:
        if not any(fnmatchcase(name, pattern) for name in own):
            raise UserError(
                f"init_skip={pattern}",
                "matches no weights of the network",
                f"write a pattern of names such as {next(iter(own))}",
            )
    left = [name for name in own if any(fnmatchcase(name, pattern) for pattern in skip)]
    tensors = _read(network, path)
    if isinstance(network, Span | SpanStream):
        tensors = fit_upsampler(deploy_published(tensors), network.scale)
    fill(network, tensors | {name: own[name] for name in left}, path)
    return left


def trained_with(path: Path) -> str:
    """How the weights in a file or folder were trained: "fidelity", "adversarial", or "unknown" if not recorded."""
    try:
        note = read_note(path / WEIGHTS if path.is_dir() else path)
    except UserError:
        return "unknown"  # published weights, or a checkpoint
    return str(note["about"].get("trained_with", "unknown"))


def _read(network: Network, path: Path) -> dict[str, Tensor]:
    if not path.exists():
        raise UserError(path, "not found", "give a network.safetensors, a bundle, a run, a .ckpt or a published .pth")
    if path.is_dir() or path.suffix == ".safetensors":
        return read_weights(path / WEIGHTS if path.is_dir() else path)
    loaded = read_tensors(path)
    state = loaded.get("state_dict")
    return checkpoint_weights(state, path) if isinstance(state, dict) else published(network, loaded, path)


def checkpoint_weights(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Weights of the network in the `state_dict` of a training's checkpoint.

    Args:
        state: the `state_dict`.
        path: path of the checkpoint, for the error message.

    Raises:
        UserError: vsr-lab train did not write the checkpoint.
    """
    tensors = {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
    if not tensors:
        raise UserError(
            path, "is not a checkpoint of vsr-lab train", "give a .ckpt file from the folder checkpoints of a run"
        )
    return fold_state(tensors)
