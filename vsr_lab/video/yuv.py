"""8-bit and YUV pictures for those who stand in front of a coder."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vsr_lab.video.color_conversion import LUMA_COEFFICIENTS


@lru_cache(maxsize=8)
def _matrix(name: str) -> Tensor:
    """RGB to YUV, float64 (3, 3); raises ValueError for an unknown name."""
    if name not in LUMA_COEFFICIENTS:
        raise ValueError(f"matrix must be one of {', '.join(LUMA_COEFFICIENTS)}, not {name!r}")
    red, blue = LUMA_COEFFICIENTS[name]
    luma = np.array([red, 1 - red - blue, blue])
    return torch.from_numpy(
        np.stack([luma, (np.eye(3)[2] - luma) / (2 * (1 - blue)), (np.eye(3)[0] - luma) / (2 * (1 - red))])
    )


def to_yuv(rgb: Tensor, matrix: str) -> Tensor:
    """RGB (..., 3, H, W) in [0, 1] to luma in [0, 1] and chroma in [-0.5, 0.5], (..., 3, H, W), not rounded."""
    return torch.einsum("ij,...jhw->...ihw", _matrix(matrix).to(rgb), rgb)


def to_rgb(yuv: Tensor, matrix: str) -> Tensor:
    """The inverse of `to_yuv`; not clamped."""
    return torch.einsum("ij,...jhw->...ihw", torch.linalg.inv(_matrix(matrix)).to(yuv), yuv)


def jpeg(frame: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    """A uint8 RGB frame (H, W, 3) as 4:2:0 baseline JPEG and back. quality: libjpeg's 1..100."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
