"""Linear light of OpenEXR files, and the transfer functions by which it is coded for a network and decoded again.

References: IEC 61966-2-1 (sRGB), SMPTE ST 2084 (PQ; linear light of 1 is 100 cd/m2).
"""

import numpy as np
import numpy.typing as npt
import torch
from av import VideoFrame
from torch import Tensor

from vsr_lab.core.clip import AnyFrames
from vsr_lab.video.hdr import light_to_pq, pq_to_light

Floats = npt.NDArray[np.float32]

TRANSFERS = {"srgb": 13, "pq": 16}  # code points of ITU-T H.273
LARGEST = {"srgb": 1, "pq": 100}  # value that becomes full scale
_UNIT = 100.0  # cd/m2
_ORDER = {1: (0, 0, 0), 3: (2, 0, 1), 4: (2, 0, 1)}  # planes of red, green and blue by the number of planes


def is_linear(pixel_format: str) -> bool:
    """Whether the samples of a pixel format are floating-point numbers, which are linear light."""
    return pixel_format.endswith(("f16le", "f32le"))


def coded(frame: VideoFrame, transfer: str) -> AnyFrames:
    """Code a frame of linear light. Premultiplied alpha, as in OpenEXR, becomes straight.

    Args:
        frame: a frame for whose pixel format `is_linear` is true.
        transfer: "srgb" or "pq". Values below 0 and above `LARGEST[transfer]` are cut.

    Returns:
        RGB (H, W, 3), uint16.
    """
    kind = "<f2" if "f16" in frame.format.name else "<f4"
    planes = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1).view(kind)[:, : plane.width]
        for plane in frame.planes
    ]
    light = np.stack([planes[number] for number in _ORDER[len(planes)]], -1).astype(np.float32)
    if len(planes) == 4:
        light /= np.where(planes[3] > 0, planes[3], 1)[..., None]
    given = torch.from_numpy(np.nan_to_num(light)).double()
    signal = light_to_pq(_UNIT * given) if transfer == "pq" else _to_srgb(given.clamp(0, 1))
    return np.rint(65535 * signal.clamp(0, 1).numpy()).astype(np.uint16)


def decoded(picture: AnyFrames, transfer: int) -> Floats:
    """Linear light of coded RGB, uint8 or uint16, in the same shape. transfer: code point of sRGB or PQ."""
    signal = torch.from_numpy(picture / np.iinfo(picture.dtype).max)
    return (pq_to_light(signal) / _UNIT if transfer == TRANSFERS["pq"] else _from_srgb(signal)).float().numpy()


def _to_srgb(light: Tensor) -> Tensor:
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _from_srgb(signal: Tensor) -> Tensor:
    return torch.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
