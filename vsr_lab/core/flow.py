"""Estimators of optical flow. One contract: `estimator(clip) -> Motion`."""

from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames
from vsr_lab.core.warp import Motion, visible


class FlowEstimator(Protocol):
    """clip: B T C H W, RGB in [0, 1]. Gradients do not pass."""

    def __call__(self, clip: Tensor) -> Motion: ...


def to_gray(clip: Tensor) -> Frames:
    """Clip (..., 3, H, W) in [0, 1] as 8-bit gray (N, H, W), with OpenCV's rounding."""
    frames = to_frames(clip.reshape(-1, *clip.shape[-3:]))
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])


def farneback(previous: Frames, current: Frames) -> Tensor:
    """Dense flow from previous to current (8-bit gray H W), 2 H W, with TecoGAN's tOF parameters."""
    flow = cv2.calcOpticalFlowFarneback(previous, current, np.empty(0), 0.5, 3, 15, 3, 5, 1.2, 0)  # pyright: ignore
    return torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1)))


class Farneback:
    """OpenCV's Farneback (2003) flow on 8-bit gray, on the CPU: needs no weights and is deterministic."""

    @torch.no_grad()
    def __call__(self, clip: Tensor) -> Motion:
        batch, length = clip.shape[:2]
        if length < 2:
            flow = clip.new_zeros(batch, 0, 2, *clip.shape[-2:])
            return Motion(flow, flow, flow[:, :, :1])
        gray = to_gray(clip)
        gray = gray.reshape(batch, length, *gray.shape[1:])
        pairs = [(gray[b, t - 1], gray[b, t]) for b in range(batch) for t in range(1, length)]
        forward = torch.stack([farneback(previous, current) for previous, current in pairs]).to(clip.device)
        backward = torch.stack([farneback(current, previous) for previous, current in pairs]).to(clip.device)
        shape = (batch, length - 1)
        mask = visible(backward, forward)
        return Motion(backward.unflatten(0, shape), forward.unflatten(0, shape), mask.unflatten(0, shape))
