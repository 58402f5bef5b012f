"""Initial weights of a training, from weights files, bundles, runs, checkpoints and published files."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from torch import Tensor

from vsr_lab.core.errors import UserError
from vsr_lab.core.network import Network
from vsr_lab.models.branches import deploy_published, fit_upsampler, fold_state
from vsr_lab.models.files import WEIGHTS, fill, read_note, read_weights
from vsr_lab.models.official import published, read_tensors
from vsr_lab.models.span import Span, SpanStream

_PREFIX = "network."  # what a training's checkpoint calls the network among all it keeps


def init_network(network: Network, path: Path, skip: Sequence[str] = ()) -> list[str]:
    """Initialise a network with weights from a file, for fine-tuning.

    Args:
        network: network whose tensors are replaced.
        path: network.safetensors, or the folder of a bundle or a run that contains it; a checkpoint of a run (.ckpt),
            of which the averaged weights are used if there are any; or published weights of the same architecture.
        skip: shell patterns, such as "flow.*", of tensors that keep their initial values.

    Returns:
        Names of the tensors that kept their initial values.

    Raises:
        UserError: the file is missing, could execute code or has tensors of other names or shapes, or a pattern matches
            no tensor.
    """
    own = network.state_dict()
    for pattern in skip:
        if not any(fnmatchcase(name, pattern) for name in own):
            raise UserError(f"init_skip={pattern}", "matches no weights", f"like {next(iter(own))}")
    left = [name for name in own if any(fnmatchcase(name, pattern) for pattern in skip)]
    tensors = _read(network, path)
    if isinstance(network, Span | SpanStream):
        tensors = fit_upsampler(deploy_published(tensors), network.scale)
    fill(network, tensors | {name: own[name] for name in left}, path)
    return left


def trained_with(path: Path) -> str:
    """How the weights in path were trained: "fidelity", "adversarial", or "unknown" if it is not recorded there."""
    try:
        note = read_note(path / WEIGHTS if path.is_dir() else path)
    except UserError:
        return "unknown"  # published weights, or a checkpoint
    return str(note["about"].get("trained_with", "unknown"))


def _read(network: Network, path: Path) -> dict[str, Tensor]:
    if path.is_dir() or path.suffix == ".safetensors":
        return read_weights(path / WEIGHTS if path.is_dir() else path)
    loaded = read_tensors(path)
    state = loaded.get("state_dict")
    return _ours(state, path) if isinstance(state, dict) else published(network, loaded, path)


def _ours(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    tensors = {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
    if not tensors:
        raise UserError(path, "is no checkpoint of a vsr-lab training", "give one from a run's checkpoints/")
    return fold_state(tensors)
