"""Per-frame models of other projects, loaded by spandrel."""

import math
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import check_file
from vsr_lab.core.network import FrameNetwork
from vsr_lab.core.ranges import Scale
from vsr_lab.models.initial import read_tensors

_PREFIX = "model."
_MORE = 2**24  # elements that no file contains, such as masks of attention


class Foreign(FrameNetwork):
    """A network of another project that upscales single frames, loaded by the library spandrel.

    spandrel detects the architecture from the names and shapes of the weights. Frames are padded to the size that the
    architecture requires.

    Args:
        path: weights file: .safetensors, or a .pth file that contains only tensors.
        scale: expected upscaling factor; None: any.

    Raises:
        UserError: the file is missing, contains no RGB network for single frames that spandrel supports, or has another
            scale.
    """

    def __init__(self, path: str, scale: Scale | None = None) -> None:
        super().__init__()
        self.path = path
        descriptor = _described(Path(path))
        self.scale = int(descriptor.scale)
        if scale not in (None, self.scale):
            raise UserError(path, f"upscales by {self.scale}, not {scale}", f"set scale={self.scale}")
        self.architecture = str(descriptor.architecture.name)
        self.model = descriptor.model.train()
        self._call = descriptor._call_fn
        self._wants = descriptor.size_requirements

    def frame(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        multiple, least = self._wants.multiple_of, self._wants.minimum
        high, wide = (max(math.ceil(side / multiple) * multiple, least) for side in (height, width))
        if self._wants.square:
            high = wide = max(high, wide)
        if (high, wide) != (height, width):
            lr = F.pad(lr, (0, wide - width, 0, high - height), mode="replicate")
        return self._call(self.model, lr)[..., : height * self.scale, : width * self.scale]


@contextmanager
def _limited(elements: int) -> Generator[None]:
    """Context manager in which networks with more elements than `elements` in total are refused with a ValueError.

    Shapes without elements, and vectors, may describe a network of any size. PyTorch registers a parameter before it
    writes to its memory.
    """
    left = elements

    def count(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal left
        left -= tensor.numel() if tensor is not None else 0
        if left < 0:
            raise ValueError("it describes more values than it has")

    hooks = register_module_parameter_registration_hook(count), register_module_buffer_registration_hook(count)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _check_size(weights: dict[str, Tensor]) -> None:
    """Raise ValueError for names from which spandrel would build a network with more layers than the file has."""
    numbers = [int(part) for name in weights for part in name.split(".") if part.isdecimal()]
    if max(numbers, default=0) > max(len(weights), 100):
        raise ValueError("it describes more layers than it has")


def _described(path: Path) -> Any:
    """Load the file with spandrel, as a model from RGB images to RGB images."""
    import spandrel  # takes a second, which those who do without need not wait

    check_file(path, "give a model file that spandrel can load")
    try:
        loaded = load_file(path) if path.suffix == ".safetensors" else read_tensors(path)
        weights = spandrel.canonicalize_state_dict(loaded)
        _check_size(weights)
        with _limited(4 * sum(tensor.numel() for tensor in weights.values()) + _MORE):
            try:
                descriptor = spandrel.ModelLoader().load_from_state_dict(weights)
            except spandrel.UnsupportedModelError:  # as this network itself is saved; ESRGAN's own names begin so too
                own = {name.removeprefix(_PREFIX): tensor for name, tensor in weights.items()}
                descriptor = spandrel.ModelLoader().load_from_state_dict(own)
    except UserError:
        raise
    except Exception as error:  # spandrel, torch and safetensors each have their own kinds
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            path, f"cannot be loaded by spandrel ({reason})", "give a model of an architecture that spandrel supports"
        ) from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor) or descriptor.input_channels != 3:
        raise UserError(path, "is not a model that upscales RGB images", "give a super-resolution model")
    return descriptor
