"""Weights files, which are safetensors files that also contain a description of the network."""

import json
import textwrap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vsr_lab.core.errors import UserError, reported
from vsr_lab.core.files import atomic_path, check_file, parse_json
from vsr_lab.core.network import Network
from vsr_lab.core.parts import Part, describes, registered_packages
from vsr_lab.core.spec import spec_of
from vsr_lab.core.validation import validate

WEIGHTS = "network.safetensors"  # name of the file in a run and in a bundle
PICKLES = {".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle"}

Spec = dict[str, Any]


def _about(notes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name in ("name", "content", "pixel_format", "licence"):
        if not isinstance(notes.get(name), (str, type(None))):
            raise ValueError(f"must have text as {name}, got {notes[name]}")
    return notes


class Note(BaseModel):
    """Metadata of a weights file: `network`, the class and its keywords, and `about`, notes on the training."""

    model_config = ConfigDict(allow_inf_nan=False)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    network: Spec
    about: Annotated[dict[str, JsonValue], AfterValidator(_about)] = Field(default_factory=dict)


class _Described(BaseModel):
    network: Annotated[Part[Network], describes(Network)]


def build_network(spec: Spec, prefix: str = "") -> Network:
    """Build a network from its class and constructor arguments, as stored in weights files and configurations.

    Args:
        spec: {"_target_": class path, keyword: value, ...}.
        prefix: text at the beginning of error messages, such as the path of the file.

    Raises:
        UserError: the class does not exist or does not accept the keywords, or it is neither in `vsr_lab.models` nor in
            a package that is registered by the entry point `vsr_lab.parts`.
    """
    target = str(spec.get("_target_", "no class"))
    if not target.startswith(("vsr_lab.models.", *registered_packages())):
        problem = f"{target} is not a network of vsr_lab.models or of a registered package"
        raise UserError(prefix or "network", problem)
    part = validate(_Described, {"network": spec}, prefix).network
    with reported(TypeError, prefix or "network", f"{target} cannot be built ({{}})", ""):  # an abstract class
        return part.build()


def save_network(network: Network, about: Mapping[str, JsonValue], path: Path) -> None:
    """Write the weights of a network to a safetensors file, with its class and constructor arguments.

    Args:
        network: network whose weights are written.
        about: notes on how the network was trained.
        path: file to write.

    Raises:
        UserError: the network does not keep an argument of its constructor as an attribute.
    """
    spec = spec_of(network)
    if "path" in spec:  # of a network that was built from a file: its folder says nothing about the network
        spec["path"] = Path(spec["path"]).name
    note = json.dumps({"schema": 1, "network": spec, "about": about}, sort_keys=True)
    write_tensors(path, network.state_dict(), {"vsr_lab": note})


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: dict[str, str]) -> None:
    """Write tensors to a safetensors file, atomically.

    Unlike safetensors' `save_file`, this creates a file with the default permissions.

    Args:
        path: file to write.
        tensors: tensors by name, on any device.
        note: metadata of the file.
    """
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(kept, metadata=note))


@contextmanager
def _opened(path: Path) -> Generator[Any]:
    """Open a safetensors file. Raises UserError if it is missing or damaged."""
    check_file(path, "give the network.safetensors of a training run")
    problem, hint = "is not a safetensors file ({})", "give a network.safetensors"
    with reported((SafetensorError, OSError), path, problem, hint), safe_open(path, framework="pt") as file:
        yield file


def read_note(path: Path) -> dict[str, Any]:
    """Read the metadata of a weights file: {"network": its class and keywords, "about": how it was trained}.

    Raises UserError if the file is missing, damaged or a pickle, or has no such metadata (vsr_lab did not write it).
    """
    if path.suffix in PICKLES:
        raise UserError(path, "is a pickle, which could run code", "give a network.safetensors of a training run")
    with _opened(path) as file:
        metadata = file.metadata() or {}
    if "vsr_lab" not in metadata:
        raise UserError(
            path,
            "does not describe the network that its weights are for",
            "give a network.safetensors of a training run",
        )
    note = parse_json(metadata["vsr_lab"], f"{path}: its metadata")
    validate(Note, note, f"{path}: its metadata")
    return {"about": {}, **note}


def load_network(path: Path | str) -> tuple[Network, dict[str, Any]]:
    """Load a trained network from its weights file. The class of the network is stored in the file.

    Args:
        path: a network.safetensors that was written by training or export.

    Returns:
        The network, in eval mode, and the note in the file: {"network": its class and keywords, "about": how it was
        trained}.

    Raises:
        UserError: the file is missing, damaged or a pickle, or does not describe its network, or its weights are not
            finite or of another architecture.

    Example:
        >>> network, note = vsr_lab.load_network("runs/small/network.safetensors")
        >>> network.scale, note["about"]["step"]
        (2, 2)
    """
    path = Path(path)
    note = read_note(path)
    # A network that is built from a file finds itself in this one; where it came from may be gone.
    spec = {**note["network"], **({"path": str(path)} if "path" in note["network"] else {})}
    network = build_network(spec, f"{path}: its metadata")
    load_weights(network, path)
    return network.eval(), note


def load_weights(network: Network, path: Path) -> None:
    """Load all weights of a network from a file.

    Raises UserError if names or shapes of the tensors differ from those of the network, a value is not finite, or the
    file is missing or damaged.
    """
    fill(network, read_weights(path), path)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file. Raises UserError if it is missing or damaged."""
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open is no dict


def fill(network: Network, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy tensors into a network, in place.

    Raises UserError about `path` unless `tensors` contains exactly the tensors of the network, with the same shapes and
    finite values.
    """
    spoilt = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if spoilt:
        raise UserError(
            path, f"contains NaN or infinity in {spoilt[0]} ({len(spoilt)} tensors)", "use an earlier checkpoint"
        )
    own = network.state_dict()
    for name, tensor in tensors.items():
        if name in own and own[name].is_floating_point() != tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise UserError(path, f"contains {kind} in {name}, not {own[name].dtype}", "use another checkpoint")
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = textwrap.shorten(str(error).strip().splitlines()[-1], 160, placeholder=" ...")
        raise UserError(
            path, f"contains weights of another architecture ({reason})", "choose the matching model= and scale="
        ) from error
