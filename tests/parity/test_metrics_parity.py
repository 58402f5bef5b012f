"""Luma and the metrics of single frames against the packages that others use."""

import itertools
import re
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import piq
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.linalg import pinv
from scipy.ndimage import shift
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr
from torchmetrics.functional.text import char_error_rate
from torchvision.models import vgg16

from tests.conftest import ROOT
from tests.parity.agreement import agree, as_clip, matlab_y, moving_texture, noisy_clips
from vsr_lab.core.clip import luma
from vsr_lab.core.errors import UserError
from vsr_lab.core.perceptual import PerceptualNet
from vsr_lab.metrics import (
    NETS,
    dists,
    legibility,
    lpips,
    lr_consistency,
    ms_ssim,
    naturalness,
    niqe,
    perceptual,
    psnr,
    psnr_shifted,
    psnr_text,
    ssim,
    st_lpips,
    st_tlp,
    tlp,
)
from vsr_lab.metrics.legibility import Line


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    return noisy_clips()


def test_luma_is_matlabs_and_skimages(clips: tuple[Tensor, Tensor]) -> None:
    ours = luma(clips[0])[0, :, 0].numpy()
    theirs = np.stack([rgb2ycbcr(frame.permute(1, 2, 0).double().numpy())[..., 0] for frame in clips[0][0]])
    assert np.abs(ours - matlab_y(clips[0])).max() < 1e-10
    assert np.abs(ours - theirs).max() < 1e-10


def _channels(rgb: Tensor, colour: str) -> np.ndarray:
    """What is judged, T C H W in 8-bit levels."""
    return matlab_y(rgb)[:, None] if colour == "y" else rgb[0].double().numpy() * 255


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_psnr_is_skimages_and_torchmetrics(clips: tuple[Tensor, Tensor], colour: str) -> None:
    sr, hr = (_channels(clip, colour) for clip in clips)
    skimages = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(sr, hr, strict=True)]
    theirs = [
        torchmetrics_psnr(torch.from_numpy(a), torch.from_numpy(b), data_range=255.0).item()
        for a, b in zip(sr, hr, strict=True)
    ]
    agree("psnr", "scikit-image", psnr(*clips, colour), skimages, 1e-6)
    agree("psnr", "torchmetrics", psnr(*clips, colour), theirs, 1e-5)


def _skimages_ssim(sr: Tensor, hr: Tensor, colour: str) -> list[float]:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    values: list[float] = []
    for a, b in zip(*(_channels(clip, colour) for clip in (sr, hr)), strict=True):
        maps = [structural_similarity(x, y, full=True, **options)[1][5:-5, 5:-5] for x, y in zip(a, b, strict=True)]
        values.append(float(np.mean(maps)))
    return values


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_ssim_is_skimages_in_the_valid_region(clips: tuple[Tensor, Tensor], colour: str) -> None:
    agree("ssim", "scikit-image, valid region", ssim(*clips, colour), _skimages_ssim(*clips, colour), 1e-5)


def test_ssim_of_a_large_picture_is_not_that_of_a_smaller_one(clips: tuple[Tensor, Tensor]) -> None:
    """Some packages shrink what is larger than 256 pixels first."""
    sr, hr = (clip[:, :1].repeat(1, 1, 1, 6, 5) for clip in clips)
    assert ssim(sr, hr, "y")[0].tolist() == pytest.approx(_skimages_ssim(sr, hr, "y"), abs=1e-5)


def test_lpips_and_its_change_in_time_are_its_packages(
    clips: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On random weights, since the trained ones would have to be fetched."""
    from lpips import LPIPS

    torch.manual_seed(0)
    model = LPIPS(net="squeeze", pnet_rand=True, verbose=False).eval()
    with torch.no_grad():
        expected = model(*(clip[0] for clip in clips), normalize=True).flatten()
        changes = [model(clip[0, :-1], clip[0, 1:], normalize=True).flatten() for clip in clips]
    net = PerceptualNet(model)
    monkeypatch.setattr(perceptual, "lpips_net", lambda: net)
    sr, hr = (net.features(clip) for clip in clips)
    assert expected.min() > 1e-4
    agree("lpips", "its package, random weights", lpips(clips[0], sr, hr), expected, 1e-6)
    in_time = tlp(sr, net.changes(hr))
    agree("tlp", "its package, random weights", in_time[:, 1:], 100 * (changes[1] - changes[0]).abs(), 1e-4)


@pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="the extra metrics is not installed")
def test_st_lpips_and_its_change_in_time_are_its_packages_own(clips: tuple[Tensor, Tensor]) -> None:
    from stlpips_pytorch import stlpips

    net = NETS["st_lpips"]()
    theirs = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()
    with torch.no_grad():
        expected = theirs(*(clip[0] for clip in clips), normalize=True).flatten()
        changes = [theirs(clip[0, :-1], clip[0, 1:], normalize=True).flatten() for clip in clips]
    sr, hr = (net.features(clip) for clip in clips)
    assert expected.min() > 1e-4
    agree("st_lpips", "its package", st_lpips(clips[0], sr, hr), expected, 1e-6)
    in_time = st_tlp(sr, net.changes(hr))
    agree("st_tlp", "its package", in_time[:, 1:], 100 * (changes[1] - changes[0]).abs(), 1e-4)


def test_ms_ssim_is_torchmetrics(clips: tuple[Tensor, Tensor]) -> None:
    """Both on luma; torchmetrics pads each scale and crops it again."""
    sr, hr = (clip.repeat(1, 1, 1, 3, 3) for clip in clips)
    theirs = [
        multiscale_structural_similarity_index_measure(
            torch.from_numpy(a)[None, None], torch.from_numpy(b)[None, None], data_range=255.0, kernel_size=11
        ).item()
        for a, b in zip(matlab_y(sr), matlab_y(hr), strict=True)
    ]
    assert max(theirs) < 0.99
    agree("ms_ssim", "torchmetrics", ms_ssim(sr, hr, "y"), theirs, 1e-4)
    assert ms_ssim(*clips, "y").isnan().all()


@pytest.mark.parametrize("moved", [(0.25, -0.75), (-1.5, 1.0)])
def test_psnr_shifted_is_psnr_of_the_best_of_opencvs_shifts(
    clips: tuple[Tensor, Tensor], moved: tuple[float, float]
) -> None:
    """A shift by a cubic spline; the best of all shifts by quarters of a pixel with OpenCV's cubic interpolation."""
    hr = matlab_y(clips[1])[0]
    sr = shift(hr, moved, order=3, mode="nearest")
    a, b = (torch.from_numpy((y[None, None, None] - 16) / 219).float().repeat(1, 1, 3, 1, 1) for y in (sr, hr))
    rows, columns = np.indices(hr.shape, np.float32)
    inside, theirs = (slice(2, -2), slice(2, -2)), list[float]()
    for y, x in itertools.product(np.arange(-1.75, 2, 0.25, np.float32), repeat=2):
        moved_back = cv2.remap(
            sr.astype(np.float32), columns + x, rows + y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        theirs.append(peak_signal_noise_ratio(hr[inside], moved_back[inside], data_range=255))
    assert max(theirs) > peak_signal_noise_ratio(hr[inside], sr[inside], data_range=255) + 10
    agree("psnr_shifted", "scikit-image and OpenCV, best of 225 shifts", psnr_shifted(a, b, "y"), [max(theirs)], 1e-3)


def test_dists_is_its_formula(clips: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, on the same random VGG16 and weights, since the trained ones would have to be fetched."""
    torch.manual_seed(0)
    network, channels = vgg16(weights=None).eval(), [3, 64, 128, 256, 512, 512]
    alpha, beta = (torch.rand(1, sum(channels), 1, 1) for _ in range(2))
    total = alpha.sum() + beta.sum()
    monkeypatch.setattr(piq.perceptual, "vgg16", lambda **_: network)
    monkeypatch.setattr(
        torch.hub, "load_state_dict_from_url", lambda *_, **__: {"alpha": alpha / total, "beta": beta / total}
    )
    monkeypatch.setattr(perceptual, "dists_net", perceptual.dists_net.__wrapped__)
    sr, hr = (clip[0, :1] for clip in clips)
    window = torch.tensor([0.5, 1.0, 0.5])
    window = (window[:, None] * window / 4).expand(512, 1, 3, 3)

    def layers(x: Tensor) -> list[Tensor]:
        found = [x]
        for layer in vgg16_layers:
            if isinstance(layer, torch.nn.MaxPool2d):
                count = x.shape[1]
                x = (F.conv2d(x.square(), window[:count], stride=2, padding=1, groups=count) + 1e-12).sqrt()
            else:
                x = layer(x)
            found.append(x)
        return [found[0], *(found[i + 1] for i in (3, 8, 15, 22, 29))]

    vgg16_layers = list(network.features.children())
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    score, first = 0.0, 0
    with torch.no_grad():
        ours = dists(sr[None], hr[None])
        for a, b in zip(layers((sr - mean) / std), layers((hr - mean) / std), strict=True):
            part = slice(first, first + a.shape[1])
            first += a.shape[1]
            (ma, mb), (va, vb) = ([x.mean((2, 3)) for x in (a, b)], [x.var((2, 3), correction=0) for x in (a, b)])
            covariance = (a * b).mean((2, 3)) - ma * mb
            luminance, texture = (
                (2 * ma * mb + 1e-6) / (ma**2 + mb**2 + 1e-6),
                (2 * covariance + 1e-6) / (va + vb + 1e-6),
            )
            score += ((alpha[0, part, 0, 0] * luminance + beta[0, part, 0, 0] * texture) / total).sum().item()
    assert 1 - score > 1e-3
    agree("dists", "its formula, random weights", ours, [1 - score], 1e-5)


def test_niqe_is_that_of_scikit_videos_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features by scikit-video, half the size by Pillow; the model of photographs is random, and the same for both.

    scikit-video's own score cannot be used: it calls functions that SciPy removed, and has another model.
    """
    statistics = pytest.importorskip("skvideo.utils", reason="the extra demo is not installed: NIQE is not tested")
    rng = np.random.default_rng(0)
    frame = as_clip(moving_texture(rng, 1, (288, 300), 1.0))
    y = matlab_y(frame)[0, :, :288].round()

    def features(picture: np.ndarray, side: int) -> list[list[float]]:
        normal = statistics.compute_image_mscn_transform(picture, extend_mode="nearest")[0]
        rows: list[list[float]] = []
        for top, left in itertools.product(range(0, normal.shape[0], side), range(0, normal.shape[1], side)):
            block = normal[top : top + side, left : left + side].copy()
            alpha, _, low, high, *_ = statistics.aggd_features(block.copy())
            rows.append([alpha, (low + high) / 2])
            for product in statistics.paired_product(block):
                rows[-1] += statistics.aggd_features(product)[:4]
        return rows

    y = y[:, :288]
    half = np.asarray(Image.fromarray(y.astype(np.float32)).resize((144, 144), Image.Resampling.BICUBIC))
    found = np.hstack([features(y, 96), features(half, 48)])
    mean, root = rng.normal(found.mean(0), 0.3), rng.normal(size=(36, 36))
    covariance = np.eye(36) + root @ root.T / 36
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    naturalness._photographs.cache_clear()
    np.savez(tmp_path / "checkpoints/niqe_pris_params.npz", mu_pris_param=mean[None], cov_pris_param=covariance)
    difference = found.mean(0) - mean
    theirs = np.sqrt(difference @ pinv((covariance + np.cov(found.T)) / 2) @ difference)
    agree("niqe", "scikit-video's features, Pillow, SciPy; a random model", niqe(frame), [theirs], 1e-3)
    assert niqe(frame[..., :96, :]).isfinite().all() and niqe(frame[..., :96, :190]).isnan().all()
    naturalness._photographs.cache_clear()
    (tmp_path / "checkpoints/niqe_pris_params.npz").write_bytes(b"of somebody")
    with pytest.raises(UserError, match="is no model of NIQE"):
        niqe(frame)


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_psnr_text_is_skimages_on_the_pixels_of_the_lines(clips: tuple[Tensor, Tensor], colour: str) -> None:
    lines = [[Line("one", 3, 5, 30, 17), Line("two", 20, 10, 70, 25)], [], [Line("all", 0, 0, 80, 64)]]
    sr, hr = (_channels(clip, colour) for clip in clips)
    inside = np.zeros((64, 80), bool)
    inside[5:17, 3:30] = inside[10:25, 20:70] = True
    theirs = peak_signal_noise_ratio(hr[0][:, inside], sr[0][:, inside], data_range=255)
    everywhere = peak_signal_noise_ratio(hr[2], sr[2], data_range=255)
    agree("psnr_text", "scikit-image", psnr_text(*clips, colour, lines), [theirs, np.nan, everywhere], 1e-6)


def test_legibility_is_torchmetrics_character_error_rate(clips: tuple[Tensor, Tensor]) -> None:
    lines = [[Line("Settings", 0, 0, 40, 12), Line("Cancel", 0, 20, 30, 32)], [], [Line("42 files", 0, 0, 40, 12)]]
    texts = [["Setlings", "Cance1 "], [], ["42 files"]]
    rates = [char_error_rate(read, [line.text for line in known]) for read, known in zip(texts, lines, strict=True)]
    theirs = [1 - rate.item() if known else np.nan for rate, known in zip(rates, lines, strict=True)]
    agree("legibility", "torchmetrics, from recognised text", legibility(clips[0], texts, lines), theirs, 1e-6)


def test_lr_consistency_is_skimages_psnr(clips: tuple[Tensor, Tensor]) -> None:
    degraded, lr = (_channels(clip, "rgb") for clip in clips)
    theirs = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(degraded, lr, strict=True)]
    agree("lr_consistency", "scikit-image", lr_consistency(*clips), theirs, 1e-6)


def test_every_metric_is_in_the_table_of_the_documentation() -> None:
    """A metric that is contributed needs a comparison with another implementation."""
    page = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    compared = set(re.findall(r"^\| `(\w+)` \| .* \| [\d.]+e[+-]\d+ \| \de-\d+ \|$", page, re.MULTILINE))
    files = list((ROOT / "configs/metric").glob("*.yaml"))
    functions = {
        re.findall(r"_target_: vsr_lab\.metrics\.(\w+)", file.read_text(encoding="utf-8"))[0] for file in files
    }
    assert functions <= compared
