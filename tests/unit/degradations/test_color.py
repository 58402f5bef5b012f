"""Colour and tone: what is to be left alone is, and what is to change does so by the standard's numbers."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ypbpr
from torch import Tensor

from vsr_lab.degradations import Banding, ChromaSubsampling, ExposureDrift, MatrixConfusion
from vsr_lab.degradations.color import to_rgb, to_yuv


@pytest.fixture
def tinted() -> Tensor:
    """Fine gray detail with fine but faint colour, far from the ends of the range, 2 3 24 32."""
    gray, colour = (torch.rand(2, n, 24, 32, generator=torch.Generator().manual_seed(n)) for n in (1, 3))
    return 0.4 + 0.2 * gray + 0.08 * (colour - 0.5)


def test_yuv_is_the_standards(tinted: Tensor) -> None:
    theirs = rgb2ypbpr(tinted.movedim(-3, -1).numpy().astype(np.float64))
    assert np.abs(to_yuv(tinted.double(), "bt601").movedim(-3, -1).numpy() - theirs).max() < 1e-4
    red = torch.tensor([1.0, 0, 0], dtype=torch.float64).view(3, 1, 1)
    assert to_yuv(red, "bt709").flatten().tolist() == pytest.approx([0.2126, -0.2126 / 1.8556, 0.5], abs=1e-9)
    for matrix in ("bt601", "bt709", "bt2020"):
        assert torch.allclose(to_rgb(to_yuv(tinted, matrix), matrix), tinted, atol=1e-6)
    with pytest.raises(ValueError, match="bt601, bt709"):
        to_yuv(tinted, "601")


@pytest.mark.parametrize("layout", ["420", "422", "411", "440"])
@pytest.mark.parametrize("location", ["left", "center", "topleft"])
def test_chroma_is_halved_and_luma_left_alone(layout: str, location: str, tinted: Tensor) -> None:
    before = to_yuv(tinted, "bt709")
    after = to_yuv(ChromaSubsampling(layout, location).apply(tinted, {}), "bt709")
    assert (after[:, 0] - before[:, 0]).abs().max() < 1e-6
    kept = after[:, 1:].var((-2, -1)) / before[:, 1:].var((-2, -1))
    assert kept.max() < (0.55 if layout in {"422", "440"} else 0.35)


def test_chroma_by_pairs_of_pixels_is_what_it_is_on_paper() -> None:
    """Horizontally sited left, 4:2:2: [1 2 1] / 4 at every second pixel, and the mean of two between them."""
    ramp = torch.zeros(3, 2, 9)
    ramp[1:, :, 4] = 0.2
    yuv = to_yuv(ChromaSubsampling("422", "left").apply(to_rgb(ramp, "bt709") + 0.5, {}) - 0.5, "bt709")
    expected = torch.tensor([0, 0, 0, 0.05, 0.1, 0.05, 0, 0, 0])
    assert torch.allclose(yuv[1, 0], expected, atol=1e-6)


def test_chroma_read_at_another_place_has_moved() -> None:
    colour = torch.zeros(3, 32, 64, dtype=torch.float64)
    colour[1] = 0.2 * torch.exp(-((torch.arange(64.0) - 32) ** 2) / 50)
    clip = to_rgb(colour, "bt709") + 0.5

    def centroid(step: ChromaSubsampling) -> float:
        chroma = to_yuv(step.apply(clip, {}) - 0.5, "bt709")[1]
        return float((chroma * torch.arange(64.0)).sum() / chroma.sum())

    assert centroid(ChromaSubsampling("420", "left")) == pytest.approx(32, abs=0.01)
    assert centroid(ChromaSubsampling("420", "center")) == pytest.approx(32, abs=0.01)
    assert centroid(ChromaSubsampling("420", "left", read_location="center")) == pytest.approx(32.5, abs=0.01)
    assert centroid(ChromaSubsampling("420", "center", read_location="left")) == pytest.approx(31.5, abs=0.01)


def test_unknown_layouts_and_locations_are_refused() -> None:
    with pytest.raises(ValueError, match="layout must be '420', '422'"):
        ChromaSubsampling("421")
    with pytest.raises(ValueError, match="location must be 'left', 'center'"):
        ChromaSubsampling("420", "right")


def test_a_wrong_matrix_keeps_gray_and_turns_green() -> None:
    confusion = MatrixConfusion(["601_as_709", "709_as_601"])
    colours = torch.tensor([[0.5, 0.5, 0.5], [0.2, 0.7, 0.2]]).view(2, 3, 1, 1)
    seen = confusion.apply(colours, {"kind": "601_as_709"})
    assert torch.allclose(seen[0], colours[0], atol=1e-6)
    assert (seen[1] - colours[1]).abs().max() > 0.03
    back = confusion.apply(seen, {"kind": "709_as_601"})
    assert torch.allclose(back, colours, atol=1e-5)


def test_a_wrong_range_washes_out_or_crushes() -> None:
    ends = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    confusion = MatrixConfusion(["limited_as_full", "full_as_limited"])
    washed = confusion.apply(ends, {"kind": "limited_as_full"})
    assert washed[:, 0, 0, 0].tolist() == pytest.approx([16 / 255, 235 / 255])
    assert torch.allclose(confusion.apply(washed, {"kind": "full_as_limited"}), ends, atol=1e-6)
    with pytest.raises(ValueError, match="kind must be '601_as_709'"):
        MatrixConfusion(["601_as_240"])


@pytest.mark.parametrize("bits", [2, 5])
def test_banding_leaves_so_many_levels(bits: int) -> None:
    ramp = torch.linspace(0, 1, 4096).view(1, 1, 1, -1).expand(1, 3, 2, -1)
    banded = Banding(bits=(1, 8)).apply(ramp, {"bits": bits, "dither": False, "seed": 7})
    assert len(banded.unique()) == 2**bits
    assert (banded - ramp).abs().max() <= 0.5 / (2**bits - 1) + 1e-6
    dithered = Banding(bits=(1, 8)).apply(ramp, {"bits": bits, "dither": True, "seed": 7})
    assert len(dithered.unique()) == 2**bits
    off = [(x - ramp).mean((0, 1, 2)).view(-1, 64).mean(1).abs().mean() for x in (banded, dithered)]
    assert off[1] < off[0] / 2  # the mean of a region is right again


def test_exposure_drifts_smoothly_from_one_end_to_the_other() -> None:
    gray = torch.full((9, 3, 4, 4), 0.4)
    lr = ExposureDrift((-1, 1), 0).apply(gray, {"stops": [-0.5, 0.5], "contrast": [0.0, 0.0]})
    means = lr.mean((1, 2, 3))
    assert means.tolist() == sorted(means.tolist())
    assert float(means[-1] / means[0]) == pytest.approx(2 ** (1 / 2.2), rel=1e-4)
    assert float(means[4]) == pytest.approx(0.4, rel=1e-4)
    steps = means.diff()
    assert steps.max() < 0.05
    assert steps[0] < steps[3]  # it sets in gently
    contrasty = ExposureDrift(0, (-0.3, 0.3)).apply(gray, {"stops": [0.0, 0.0], "contrast": [0.3, -0.3]})
    assert float(contrasty[0].mean() - 0.46) == pytest.approx(-0.06 * 1.3, abs=1e-5)
