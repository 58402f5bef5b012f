"""RGB to the encoder's YUV."""

import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame

from vsr_lab.core.clip import Frames
from vsr_lab.core.records.deployment import VideoPlan
from vsr_lab.deployment.streams.frames import FrameEncoder


def _planes(frame: VideoFrame, bits: int) -> npt.NDArray[np.int64]:
    kind = np.uint8 if bits == 8 else np.uint16
    rows = (np.frombuffer(plane, kind).reshape(plane.height, -1)[:, : plane.width] for plane in frame.planes)
    return np.stack([row.astype(np.int64) for row in rows])


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(("pixel_format", "bits"), [("yuv444p10le", 10), ("yuv444p12le", 12), ("yuv444p", 8)])
def test_deep_and_shallow_frames_become_yuv_without_bias(
    frames: Frames, pixel_format: str, bits: int, deep: bool
) -> None:
    """Against BT.709 in float64: swscale left alone makes 16-bit RGB 0.45 of 255 levels too bright."""
    height, width = frames.shape[1:3]
    plan = VideoPlan(
        codec="ffv1",
        pixel_format=pixel_format,
        options={},
        size=(width, height),
        sample_aspect="1/1",
        rate="25",
        time_base="1/25",
        constant=True,
        primaries=1,
        transfer=1,
        matrix=1,
        range="limited",
    )
    pictures = frames.astype(np.uint16) * 257 if deep else frames
    rgb = frames / 255
    luma = rgb @ [0.2126, 0.7152, 0.0722]
    blue, red = (rgb[..., 2] - luma) / 1.8556, (rgb[..., 0] - luma) / 1.5748
    wanted = np.stack([16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red], 1) * 2 ** (bits - 8)
    encode = FrameEncoder(plan)
    error = np.stack([_planes(encode(picture), bits) for picture in pictures]) - wanted
    assert np.abs(error).max() < 0.7
    assert np.abs(error.mean((0, 2, 3))).max() < 0.2
