"""Convolutions trained with branches beside them and used without ("RepVGG", Ding et al. 2021; SPAN's Conv3XC)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

_GAIN = 2  # channels inside a branch, times those outside
_MARK = ".parametrizations.weight."  # in the names of torch's state_dict
_BRANCHES = ("narrow", "middle", "wide", "point")


class Branches(nn.Module):
    """A parametrization of a 3x3 weight: beside it 1x1, 3x3 and 1x1 convolutions in a row, and one of 1x1.

    They are linear, so their sum is one 3x3 convolution; it is the weights that are added here, not the outputs, which
    gives the same and costs next to nothing. Starts at zero.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        outputs, inputs = weight.shape[:2]
        self.narrow = nn.Parameter(torch.empty(_GAIN * inputs, inputs, 1, 1))
        self.middle = nn.Parameter(torch.empty(_GAIN * outputs, _GAIN * inputs, 3, 3))
        self.wide = nn.Parameter(torch.zeros(outputs, _GAIN * outputs, 1, 1))
        self.point = nn.Parameter(torch.zeros(outputs, inputs, 1, 1))
        nn.init.kaiming_uniform_(self.narrow, a=5**0.5)
        nn.init.kaiming_uniform_(self.middle, a=5**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + merged_weight(self.narrow, self.middle, self.wide, self.point)


def merged_weight(narrow: Tensor, middle: Tensor, wide: Tensor, point: Tensor) -> Tensor:
    """The 3x3 weight of convolutions by narrow, middle and wide in a row, and by point beside them."""
    row = torch.einsum("om,mnhw,ni->oihw", wide[..., 0, 0], middle, narrow[..., 0, 0])
    return row + F.pad(point, (1, 1, 1, 1))


def add_branches(network: nn.Module) -> None:
    """Give every 3x3 convolution in network `Branches`, in place. Its output stays the same."""
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) and module.groups == 1:
            branches = Branches(module.weight).to(module.weight)
            parametrize.register_parametrization(module, "weight", branches)


def fold_branches(network: nn.Module) -> None:
    """Make each convolution that has `Branches` a plain one again, in place. Its output stays the same."""
    for module in list(network.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def fold_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state_dict of a network with `Branches`, as it is once they are folded; any other one as it is."""
    made: dict[str, Tensor] = {}
    for name, tensor in state.items():
        stem, mark, part = name.partition(_MARK)
        if not mark:
            made[name] = tensor
        elif part == "original":
            branches = (state[f"{stem}{mark}0.{branch}"] for branch in _BRANCHES)
            made[f"{stem}.weight"] = tensor + merged_weight(*branches)
    return made
