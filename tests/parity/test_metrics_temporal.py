"""Temporal metrics against OpenCV's and torchvision's optical flow, with warping by SciPy."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from torch import Tensor
from torchvision.models.optical_flow import Raft_Small_Weights, raft_small

from tests.parity.agreement import agree, noisy_clips
from vsr_lab.core.errors import UserError
from vsr_lab.metrics import (
    flicker,
    raft_motion,
    reference_motion,
    self_flicker,
    tof,
    true_warp_error,
    true_warp_error_raft,
    warp_error,
    warp_error_raft,
)


class Flows(NamedTuple):
    """Optical flow between a frame and the one before, rows first: (2, H, W) in pixels."""

    backward: np.ndarray
    forward: np.ndarray


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    return noisy_clips()


def opencv(clip: Tensor) -> list[Flows]:
    """Farneback's flow with the parameters of tOF."""
    frames = (clip[0].permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]

    def flow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        found = cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # pyright: ignore
        return found[..., ::-1].transpose(2, 0, 1).astype(np.float64)

    return [Flows(flow(b, a), flow(a, b)) for a, b in pairwise(gray)]


def changes(
    clip: Tensor, flows: list[Flows], distance: Callable[[np.ndarray], np.ndarray], factor: float
) -> list[float]:
    """Mean of the change along the flow over pixels that are visible in the frame before; NaN for the first frame."""
    frames, found = clip[0].double().numpy(), [np.nan]
    rows, columns = frames.shape[-2:]
    for (before, now), (backward, forward) in zip(pairwise(frames), flows, strict=True):
        at = np.clip(np.indices((rows, columns)) + backward, 0, [[[rows - 1]], [[columns - 1]]])
        returned = np.stack([map_coordinates(each, at, order=1) for each in forward])
        sizes = [np.square(each).sum(0) for each in (returned + backward, returned, backward)]
        steps = [np.diff(backward, axis=axis, append=backward.take([-1], axis)) for axis in (1, 2)]
        seen = sizes[0] <= 0.01 * (sizes[1] + sizes[2]) + 0.5
        seen &= np.square(steps).sum((0, 1)) <= 0.01 * sizes[2] + 0.002
        assert seen.mean() > 0.2 and np.abs(backward).max() > 0.1
        warped = np.stack([map_coordinates(each, at, order=1) for each in before])
        found.append(factor * float(distance(now - warped)[:, seen].mean()))
    return found


def test_farneback_metrics_are_opencvs_flow_and_scipys_warping(clips: tuple[Tensor, Tensor]) -> None:
    sr, hr = clips
    motion, flows, own = reference_motion(hr), opencv(hr), opencv(sr)
    other = "OpenCV and SciPy"
    agree("flicker", other, flicker(sr, hr, motion), changes(sr - hr, flows, np.abs, 255), 1e-3)
    agree("self_flicker", other, self_flicker(sr), changes(sr, own, np.abs, 255), 1e-3)
    agree("warp_error", other, warp_error(sr, motion), changes(sr, flows, np.square, 1000), 1e-3)
    agree("true_warp_error", other, true_warp_error(hr, motion), changes(hr, flows, np.square, 1000), 1e-3)
    ends = [np.linalg.norm(a.forward - b.forward, axis=0).mean() for a, b in zip(own, flows, strict=True)]
    assert min(ends) > 0.01
    agree("tof", "OpenCV", tof(sr, motion), [np.nan, *ends], 1e-6)


def test_warp_error_raft_is_torchvisions_flow_and_scipys_warping(
    clips: tuple[Tensor, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On random weights, since the trained ones would have to be fetched; scaled, so that most pixels are visible."""
    torch.manual_seed(0)
    network = raft_small(weights=None).eval()
    with torch.no_grad():
        for parameter in network.update_block.flow_head.parameters():
            parameter.mul_(0.2)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(network.state_dict(), tmp_path / "checkpoints" / Path(Raft_Small_Weights.C_T_V2.url).name)
    sr, hr = (clip.repeat(1, 1, 1, 2, 2) for clip in clips)

    def flow(a: int, b: int) -> np.ndarray:
        with torch.no_grad():
            return network(hr[:, a] * 2 - 1, hr[:, b] * 2 - 1)[-1][0].double().numpy()[::-1]

    flows = [Flows(flow(t, t - 1), flow(t - 1, t)) for t in (1, 2)]
    motion, other = raft_motion(hr), "torchvision and SciPy, random weights"
    agree("warp_error_raft", other, warp_error_raft(sr, motion), changes(sr, flows, np.square, 1000), 1e-3)
    agree("true_warp_error_raft", other, true_warp_error_raft(hr, motion), changes(hr, flows, np.square, 1000), 1e-3)


def test_missing_raft_weights_are_named_with_their_remedy(
    clips: tuple[Tensor, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(UserError, match=r".pth: could not be downloaded \(no network\); put "):
        raft_motion(clips[1])
