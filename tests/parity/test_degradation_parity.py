"""The exact families against their published definitions, written out in numpy, scipy and OpenCV."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy.ndimage import correlate, gaussian_filter

from vsr_lab.core.resize import resize_to
from vsr_lab.degradations import BlurDown, Degradation

CONFIGS = Path(__file__).parents[2] / "configs" / "degradation"
SCIPYS = {"reflect": "mirror", "replicate": "nearest"}  # the edge not repeated; the edge repeated for ever


def family(name: str, scale: int) -> Degradation:
    return instantiate(OmegaConf.merge(OmegaConf.load(CONFIGS / f"{name}.yaml"), {"scale": scale}))


def eight_bit(height: int = 48, width: int = 64) -> np.ndarray:
    """An 8-bit picture, 3 H W in [0, 1]."""
    return np.random.default_rng(0).integers(0, 256, (3, height, width)) / 255


def degraded(name: str, hr: np.ndarray, scale: int = 4) -> np.ndarray:
    """By our yaml, in 8-bit levels."""
    degradation = family(name, scale)
    lr = degradation.apply(torch.from_numpy(hr)[None], degradation.sample(np.random.default_rng(1)))
    return lr[0].numpy() * 255


def levels(lr: np.ndarray) -> np.ndarray:
    return np.round(lr.clip(0, 1) * 255)


@pytest.mark.parametrize("scale", [2, 4])
def test_bd_kair_is_kairs_matlab(scale: int) -> None:
    """cszn/KAIR scripts/matlab_scripts/generate_LR_Vimeo90K_BD.m, BD_degradation.

    kernelsize = ceil(sigma * 3) * 2 + 2; fspecial('gaussian', kernelsize, sigma); imfilter(img, kernel, 'replicate');
    img(up_scale/2:up_scale:end-up_scale/2, ...). imfilter puts an even kernel's middle at floor((size + 1) / 2) from 1.
    """
    hr = eight_bit()
    sigma = 1.6
    size = int(np.ceil(sigma * 3)) * 2 + 2
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    kernel = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    before = (size + 1) // 2 - 1
    padded = np.pad(hr, ((0, 0), (before, size - 1 - before), (before, size - 1 - before)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    blurred = np.einsum("cyxij,ij->cyx", windows, kernel)
    first = scale // 2 - 1  # MATLAB counts from 1
    kept = slice(first, hr.shape[1] - scale // 2, scale), slice(first, hr.shape[2] - scale // 2, scale)
    assert size == 12
    assert np.abs(degraded("bd_kair", hr, scale) - levels(blurred[:, kept[0], kept[1]])).max() < 1e-6


def test_bd_kair_has_no_odd_scale() -> None:
    with pytest.raises(ValueError, match="kernel_size must be odd for phase 1"):
        BlurDown(3, 1.6, 12, phase=None, border="replicate")


def test_bd_duf_is_dufs_kernel_and_stride() -> None:
    """yhjo09/VSR-DUF: gkern(13, 1.6) is scipy's Gaussian of an impulse; utils.py, DownSample pads by 6, 'REFLECT'."""
    hr = eight_bit()
    impulse = np.zeros((13, 13))
    impulse[6, 6] = 1
    kernel = gaussian_filter(impulse, 1.6)
    padded = np.pad(hr, ((0, 0), (6, 6), (6, 6)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (13, 13), axis=(1, 2))[:, ::4, ::4]
    assert np.abs(degraded("bd_duf", hr) - levels(np.einsum("cyxij,ij->cyx", windows, kernel))).max() < 1e-6


def test_bd_tecogan_is_opencvs_blur_every_fourth_pixel() -> None:
    """thunil/TecoGAN lib/dataloader.py, inference_data_loader: float32, GaussianBlur((0, 0), 1.5), [::4, ::4]."""
    hr = eight_bit()
    picture = np.ascontiguousarray((hr * 255).astype(np.float32).transpose(1, 2, 0))
    theirs = cv2.GaussianBlur(picture, (0, 0), sigmaX=1.5)[::4, ::4].transpose(2, 0, 1)
    difference = np.abs(degraded("bd_tecogan", hr) - theirs)
    assert difference.max() < 0.5 + 1e-3  # rounded here, not there
    trained = _valid_gaussian(hr, 9, 1.5)  # lib/ops.py, tf_data_gaussDownby4: nine taps, no border
    inside = slice(1, -1), slice(1, -1)
    close = np.abs(degraded("bd_tecogan", hr)[:, *inside] - trained[:, *inside] * 255)
    assert close.max() < 1.5  # the taps beyond three sigma


def _valid_gaussian(hr: np.ndarray, size: int, sigma: float) -> np.ndarray:
    """Every fourth pixel from 0, of the picture padded only so that sizes agree."""
    taps = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    padded = np.pad(hr, ((0, 0), (size // 2,) * 2, (size // 2,) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::4, ::4]
    return np.einsum("cyxij,ij->cyx", windows, kernel)


def test_area_is_the_mean_of_its_pixels() -> None:
    hr = eight_bit()
    mean = hr.reshape(3, 12, 4, 16, 4).mean((2, 4))
    assert np.abs(degraded("area", hr) - mean * 255).max() < 0.5 + 1e-6


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_nearest_is_one_of_the_pixels_right_of_the_middle(scale: int) -> None:
    hr = eight_bit(48, 60)
    assert np.allclose(degraded("nearest", hr, scale), hr[:, scale // 2 :: scale, scale // 2 :: scale] * 255)


@pytest.mark.parametrize(("name", "reach"), [("bilinear", 1), ("lanczos", 3)])
def test_bilinear_and_lanczos_are_their_kernels_stretched(name: str, reach: int) -> None:
    """One row of the sum that defines them, away from the border: weights k(distance / scale), normalised."""
    hr = np.repeat(eight_bit(4, 64)[:, :1], 16, axis=1)

    def kernel(t: np.ndarray) -> np.ndarray:
        inside = np.abs(t) < reach
        return np.where(inside, 1 - np.abs(t) if name == "bilinear" else np.sinc(t) * np.sinc(t / 3), 0)

    lr = degraded(name, hr)
    for column in (4, 7, 11):
        weights = kernel((np.arange(64) - (4 * column + 1.5)) / 4)
        expected = levels((hr[:, 0] * weights).sum(1) / weights.sum())
        assert np.abs(lr[:, 2, column] - expected).max() < 1e-6


@pytest.mark.parametrize("border", SCIPYS)
@pytest.mark.parametrize(("scale", "sigma", "size", "phase"), [(4, 1.6, 13, 0), (4, 1.5, 13, 2), (2, 0.8, 7, 1)])
def test_blur_down_is_a_correlation_and_every_nth_pixel(
    border: str, scale: int, sigma: float, size: int, phase: int
) -> None:
    hr = np.random.default_rng(0).random((3, 32, 40))
    taps = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    blurred = np.stack([correlate(channel, kernel, mode=SCIPYS[border]) for channel in hr])
    expected = np.round(blurred[:, phase::scale, phase::scale].clip(0, 1) * 255)
    degradation = BlurDown(scale, sigma, size, phase=phase, border=border)
    ours = degradation.apply(torch.from_numpy(hr), {"sigma": sigma}).numpy() * 255
    assert np.abs(ours - expected).max() < 1e-6


@pytest.mark.parametrize("size", [(24, 32), (30, 41), (47, 63), (13, 64)])
def test_area_by_any_factor_is_opencvs(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((48, 64))
    theirs = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(resize_to(torch.from_numpy(picture), size, "area").numpy() - theirs).max() < 1e-6


@pytest.mark.parametrize("size", [(50, 70), (96, 100)])
def test_area_enlarges_as_bilinear(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((48, 64))
    theirs = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR)
    ours = resize_to(torch.from_numpy(picture), size, "area").numpy()
    assert np.abs(ours - theirs).max() < 1e-6
