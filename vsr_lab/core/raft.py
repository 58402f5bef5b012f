"""RAFT-small optical flow, with weights from a file."""

import re
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn
from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

from vsr_lab.core.downloads import fetched
from vsr_lab.core.errors import reported
from vsr_lab.core.files import check_file
from vsr_lab.core.flow import Motion, motion_between
from vsr_lab.core.ranges import Count, Shrink
from vsr_lab.core.tensor_files import load_tensors

_MIN_SIDE = 128  # pixels: four levels of the correlation pyramid at 1/8 of the size
_RENAMES: dict[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


class RaftSmall:
    """Optical flow estimator RAFT-small, with 1.0 million parameters.

    Teed and Deng, "RAFT: Recurrent all-pairs field transforms for optical flow", 2020. It runs in float32 on the device
    of the clip, without gradients.

    Args:
        weights: path of the authors' raft-small.pth, or of torchvision's raft_small file.
        updates: number of refinement iterations.
        shrink: divisor of the height and width at which flow is estimated, >= 1. Reduced frames are padded to at least
            128 x 128 pixels.

    Raises:
        UserError: at the first call, if the file is missing or contains other weights.
    """

    def __init__(self, weights: str, updates: Count = 12, shrink: Shrink = 1) -> None:
        self.weights = weights
        self.updates = updates
        self.shrink = shrink

    @torch.no_grad()
    def __call__(self, clip: Tensor) -> Motion:
        return motion_between(clip, self.shrink, self._both_ways)

    def _both_ways(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        now, before = clip[:, 1:].flatten(0, 1), clip[:, :-1].flatten(0, 1)
        return self._flow(now, before), self._flow(before, now)

    def _flow(self, reference: Tensor, other: Tensor) -> Tensor:
        """Flow (N, 2, H, W) from reference to other, both (N, 3, H, W) in [0, 1]."""
        height, width = reference.shape[-2:]
        below, right = (max(_MIN_SIDE, -(-side // 8) * 8) - side for side in (height, width))
        network = _network(self.weights).to(reference.device)
        with torch.autocast(reference.device.type, enabled=False):
            pair = [F.pad(x.float() * 2 - 1, (0, right, 0, below), mode="replicate") for x in (reference, other)]
            return network(*pair, num_flow_updates=self.updates)[-1][..., :height, :width]


def fetched_raft() -> RaftSmall:
    """RAFT-small with torchvision's weights, which are downloaded at first use. Raises UserError if this fails."""
    url = Raft_Small_Weights.C_T_V2.url
    return RaftSmall(str(fetched(url, "remove the metric (~protocol.metrics.warp_error_raft)")))


@lru_cache(maxsize=2)
def _network(weights: str) -> nn.Module:
    path = Path(weights)
    check_file(path, "put raft-small.pth there, or set loss.estimator= for another flow")
    # torch raises different types for other, truncated and foreign files
    with reported(
        Exception, path, "does not contain RAFT-small ({})", "replace it by the file of the authors or of torchvision"
    ):
        tensors = load_tensors(path)
        network = raft_small(weights=None)
        network.load_state_dict({_renamed(name): tensor for name, tensor in tensors.items()})
    return network.eval().requires_grad_(False)


def _renamed(name: str) -> str:
    for pattern, theirs in _RENAMES.items():
        name = re.sub(pattern, theirs, name)
    return name
