"""imresize against Pillow, whose kernels are the same and whose borders are not; and against numpy's padding."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from vsr_lab.core.resize import BicubicUpsample, imresize

PILLOW = {
    "bicubic": (Image.Resampling.BICUBIC, 2),
    "lanczos": (Image.Resampling.LANCZOS, 3),
    "bilinear": (Image.Resampling.BILINEAR, 1),
    "area": (Image.Resampling.BOX, 1),
}
# Fractions that Pillow, which knows sizes alone, takes to be the same; 48 x 60 is divided by each.
SCALES = [2.0, 3.0, 4.0, 1.5, 1 / 2, 1 / 3, 1 / 4, 2 / 3]


def _picture(height: int = 48, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).random((height, width), np.float32)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("method", PILLOW)
def test_imresize_is_pillows_away_from_the_border(method: str, scale: float) -> None:
    x = _picture()
    size = round(60 * scale), round(48 * scale)
    resample, reach = PILLOW[method]
    theirs = np.asarray(Image.fromarray(x, mode="F").resize(size, resample))
    ours = imresize(torch.from_numpy(x).double(), scale, method).numpy()
    assert ours.shape == theirs.shape
    edge = int(np.ceil(reach * max(scale, 1))) + 1  # pixels that see beyond the border
    inside = (slice(edge, -edge), slice(edge, -edge))
    assert ours[inside].size > 20
    assert np.abs(ours[inside] - theirs[inside]).max() < 1e-5


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("method", [*PILLOW, "nearest"])
def test_the_border_is_mirrored_with_its_edge_repeated(method: str, scale: float) -> None:
    x = _picture(24, 36)
    padded = np.pad(x, 12, mode="symmetric")  # 12 is a multiple of every denominator, so the phase stays
    ours = imresize(torch.from_numpy(x).double(), scale, method)
    margin = round(12 * scale)
    from_padded = imresize(torch.from_numpy(padded).double(), scale, method)[margin:-margin, margin:-margin]
    assert torch.allclose(ours, from_padded, atol=1e-12)


def test_a_border_beyond_the_picture_is_mirrored_again() -> None:
    x = torch.arange(3.0, dtype=torch.float64).expand(3, 3)
    padded = torch.from_numpy(np.pad(x.numpy(), 12, mode="symmetric"))
    assert torch.allclose(imresize(x, 1 / 3, "lanczos"), imresize(padded, 1 / 3, "lanczos")[4:-4, 4:-4], atol=1e-12)


def _by_definition(x: np.ndarray, scale: float) -> np.ndarray:
    """One row, bicubic and antialiased, from the sum that defines it: Keys' kernel with a = -0.5."""

    def keys(t: float) -> float:
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    stretch = min(scale, 1.0)
    out = []
    for i in range(int(np.ceil(len(x) * scale - 1e-9))):
        centre = (i + 0.5) / scale - 0.5
        places = range(int(np.floor(centre - 3 / stretch)), int(np.ceil(centre + 3 / stretch)) + 1)
        weights = np.array([keys((centre - place) * stretch) for place in places])
        mirrored = [place % (2 * len(x)) for place in places]
        values = np.array([x[p] if p < len(x) else x[2 * len(x) - 1 - p] for p in mirrored])
        out.append((weights * values).sum() / weights.sum())
    return np.array(out)


@pytest.mark.parametrize("scale", [2.0, 4.0, 1 / 2, 1 / 3, 1 / 4, 0.3])
def test_bicubic_is_the_sum_that_defines_it(scale: float) -> None:
    x = np.random.default_rng(1).random(23)
    ours = imresize(torch.from_numpy(x).expand(4, 23), scale)[0].numpy()
    assert np.abs(ours - _by_definition(x, scale)).max() < 1e-12


@pytest.mark.parametrize("size", [(2, 2), (5, 8), (17, 3)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_convolution_is_imresize_to_the_last_border(scale: int, size: tuple[int, int]) -> None:
    x: Tensor = torch.rand(2, 3, *size)
    assert torch.allclose(BicubicUpsample(scale)(x), imresize(x, scale), atol=1e-6)
