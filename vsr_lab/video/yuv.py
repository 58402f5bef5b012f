"""YUV and JPEG conversions for degradations, on float RGB and on uint8 frames."""

import cv2
import numpy as np
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames
from vsr_lab.core.luma import ycbcr_matrix


def to_yuv(rgb: Tensor, matrix: str) -> Tensor:
    """Convert RGB to YUV, not rounded.

    Args:
        rgb: (..., 3, H, W) in [0, 1].
        matrix: a key of `core.luma.LUMA_COEFFICIENTS`.

    Returns:
        Same shape: luma in [0, 1], chroma in [-0.5, 0.5].
    """
    return torch.einsum("ij,...jhw->...ihw", torch.from_numpy(ycbcr_matrix(matrix)).to(rgb), rgb)


def to_rgb(yuv: Tensor, matrix: str) -> Tensor:
    """Convert YUV to RGB, not clamped: the inverse of `to_yuv`."""
    inverse = torch.linalg.inv(torch.from_numpy(ycbcr_matrix(matrix)))
    return torch.einsum("ij,...jhw->...ihw", inverse.to(yuv), yuv)


def jpeg(frame: Frames, quality: int) -> Frames:
    """Compress a frame as baseline JPEG with 4:2:0 chroma, and decode it.

    Args:
        frame: RGB uint8 (H, W, 3).
        quality: quality of libjpeg, from 1 (worst) to 100 (best).

    Returns:
        RGB uint8 (H, W, 3).
    """
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
