"""PSNR, SSIM, luma, tOF and the learned distances against the packages that others use."""

import csv
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import piq
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter, shift
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr
from torchvision.models import vgg16

from vsr_lab.core.clip import luma, quantise
from vsr_lab.core.errors import UserError
from vsr_lab.core.flow import Farneback
from vsr_lab.core.inputs import Inputs
from vsr_lab.metrics import NETS, Stream, cvvdp, dists, ms_ssim, perceptual, psnr, psnr_shifted, ssim, st_tlp, tof, vmaf
from vsr_lab.metrics.perceptual import PerceptualNet


@pytest.fixture
def clips() -> tuple[Tensor, Tensor]:
    """sr and hr, 1 3 3 64 80 on 8-bit levels: a moving texture with noise, and the texture."""
    rng = np.random.default_rng(0)
    hr = _moving_texture(rng, 3, (64, 80), 2)
    sr = hr + rng.normal(0, 0.05, hr.shape)
    return quantise(torch.from_numpy(sr).float())[None], quantise(torch.from_numpy(hr).float())[None]


def _moving_texture(rng: np.random.Generator, frames: int, size: tuple[int, int], sigma: float) -> np.ndarray:
    """T 3 H W in [0, 1]: smoothed noise that moves by (1, 2) pixels a frame."""
    texture = gaussian_filter(rng.random((3, *size)), (0, sigma, sigma), mode="wrap")
    texture = (texture - texture.min()) / (texture.max() - texture.min())
    return np.stack([np.roll(texture, (t, 2 * t), (1, 2)) for t in range(frames)])


def _matlab_y(rgb: Tensor) -> np.ndarray:
    """rgb2ycbcr's first row, written out: T H W."""
    r, g, b = rgb[0].double().numpy().transpose(1, 0, 2, 3)
    return 65.481 * r + 128.553 * g + 24.966 * b + 16


def test_luma_is_matlabs_and_skimages(clips: tuple[Tensor, Tensor]) -> None:
    ours = luma(clips[0])[0, :, 0].numpy()
    theirs = np.stack([rgb2ycbcr(frame.permute(1, 2, 0).double().numpy())[..., 0] for frame in clips[0][0]])
    assert np.abs(ours - _matlab_y(clips[0])).max() < 1e-10
    assert np.abs(ours - theirs).max() < 1e-10


def _channels(rgb: Tensor, colour: str) -> np.ndarray:
    """What is judged, T C H W in 8-bit levels."""
    return _matlab_y(rgb)[:, None] if colour == "y" else rgb[0].double().numpy() * 255


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_psnr_is_skimages_and_torchmetrics(clips: tuple[Tensor, Tensor], colour: str) -> None:
    sr, hr = (_channels(clip, colour) for clip in clips)
    skimages = [peak_signal_noise_ratio(b, a, data_range=255) for a, b in zip(sr, hr, strict=True)]
    theirs = [
        torchmetrics_psnr(torch.from_numpy(a), torch.from_numpy(b), data_range=255.0).item()
        for a, b in zip(sr, hr, strict=True)
    ]
    ours = psnr(*clips, colour)[0].tolist()
    assert ours == pytest.approx(skimages, abs=1e-6)
    assert ours == pytest.approx(theirs, abs=1e-5)


def _skimages_ssim(sr: Tensor, hr: Tensor, colour: str) -> list[float]:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    values: list[float] = []
    for a, b in zip(*(_channels(clip, colour) for clip in (sr, hr)), strict=True):
        maps = [structural_similarity(x, y, full=True, **options)[1][5:-5, 5:-5] for x, y in zip(a, b, strict=True)]
        values.append(float(np.mean(maps)))
    return values


@pytest.mark.parametrize("colour", ["y", "rgb"])
def test_ssim_is_skimages_in_the_valid_region(clips: tuple[Tensor, Tensor], colour: str) -> None:
    assert ssim(*clips, colour)[0].tolist() == pytest.approx(_skimages_ssim(*clips, colour), abs=1e-5)


def test_ssim_of_a_large_picture_is_not_that_of_a_smaller_one(clips: tuple[Tensor, Tensor]) -> None:
    """Some packages shrink what is larger than 256 pixels first."""
    sr, hr = (clip[:, :1].repeat(1, 1, 1, 6, 5) for clip in clips)
    assert ssim(sr, hr, "y")[0].tolist() == pytest.approx(_skimages_ssim(sr, hr, "y"), abs=1e-5)


def test_tof_is_opencvs_flow_by_itself(clips: tuple[Tensor, Tensor]) -> None:
    def flows(clip: Tensor) -> list[np.ndarray]:
        frames = (clip[0].permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
        gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
        return [cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0) for a, b in pairwise(gray)]

    sr, hr = clips
    expected = [np.linalg.norm(a - b, axis=2).mean() for a, b in zip(flows(sr), flows(hr), strict=True)]
    assert min(expected) > 0.01
    assert tof(sr, Farneback()(hr))[0, 1:].tolist() == pytest.approx(expected, rel=1e-5)


def test_the_split_lpips_is_lpips(clips: tuple[Tensor, Tensor]) -> None:
    """On random weights, since the trained ones would have to be fetched."""
    import lpips

    torch.manual_seed(0)
    model = lpips.LPIPS(net="squeeze", pnet_rand=True, verbose=False).eval()
    with torch.no_grad():
        expected = model(*(clip[0] for clip in clips), normalize=True).flatten()
    net = PerceptualNet(model)
    ours = net.distance(*(net.features(clip) for clip in clips))
    assert expected.min() > 1e-4
    assert ours.tolist() == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-6)


@pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="the extra metrics is not installed")
def test_st_lpips_and_its_change_in_time_are_its_packages_own(clips: tuple[Tensor, Tensor]) -> None:
    from stlpips_pytorch import stlpips

    net = NETS["st_lpips"]()
    theirs = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()
    with torch.no_grad():
        expected = theirs(*(clip[0] for clip in clips), normalize=True).flatten()
    ours = net.distance(*(net.features(clip) for clip in clips))
    assert expected.min() > 1e-4
    assert ours.tolist() == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-6)
    with torch.no_grad():
        changes = [theirs(clip[0, :-1], clip[0, 1:], normalize=True).flatten() for clip in clips]
    in_time = st_tlp(net.features(clips[0]), net.changes(net.features(clips[1])))[0, 1:]
    assert in_time.tolist() == pytest.approx((100 * (changes[1] - changes[0]).abs()).tolist(), rel=1e-3, abs=1e-4)


def test_ms_ssim_is_torchmetrics(clips: tuple[Tensor, Tensor]) -> None:
    """Both on luma; torchmetrics pads each scale and crops it again."""
    sr, hr = (clip.repeat(1, 1, 1, 3, 3) for clip in clips)
    theirs = [
        multiscale_structural_similarity_index_measure(
            torch.from_numpy(a)[None, None], torch.from_numpy(b)[None, None], data_range=255.0, kernel_size=11
        ).item()
        for a, b in zip(_matlab_y(sr), _matlab_y(hr), strict=True)
    ]
    assert max(theirs) < 0.99
    assert ms_ssim(sr, hr, "y")[0].tolist() == pytest.approx(theirs, abs=1e-4)
    assert ms_ssim(*clips, "y").isnan().all()


@pytest.mark.parametrize("moved", [(0.0, 0.0), (0.25, -0.75), (-1.5, 1.0)])
def test_psnr_shifted_is_psnr_of_the_best_of_scipys_shifts(
    clips: tuple[Tensor, Tensor], moved: tuple[float, float]
) -> None:
    """A shift by a cubic spline, undone by our cubic interpolation, and by the spline at every quarter of a pixel."""
    hr = _matlab_y(clips[1])[0]
    sr = shift(hr, moved, order=3, mode="nearest")
    a, b = (torch.from_numpy((y[None, None, None] - 16) / 219).float().repeat(1, 1, 3, 1, 1) for y in (sr, hr))
    steps = np.arange(-1.75, 2, 0.25)
    theirs = [
        peak_signal_noise_ratio(hr[2:-2, 2:-2], shift(sr, (y, x), order=3, mode="nearest")[2:-2, 2:-2], data_range=255)
        for y in steps
        for x in steps
    ]
    ours = psnr_shifted(a, b, "y").item()
    if moved == (0, 0):
        assert ours > 80
    else:
        alone = peak_signal_noise_ratio(hr[2:-2, 2:-2], sr[2:-2, 2:-2], data_range=255)
        assert min(ours, max(theirs)) > alone + 10


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
        ours = dists(sr[None], hr[None]).item()
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
    assert ours == pytest.approx(1 - score, abs=1e-5)


# Whole clips


@pytest.fixture
def long_clips() -> tuple[Tensor, Tensor]:
    """sr and hr, 1 12 3 96 130 on 8-bit levels: a moving texture, blurred and with noise, and the texture."""
    rng = np.random.default_rng(0)
    hr = _moving_texture(rng, 12, (96, 130), 1.5)
    sr = gaussian_filter(hr, (0, 0, 1, 1)) + rng.normal(0, 0.02, hr.shape)
    return quantise(torch.from_numpy(sr).float())[None], quantise(torch.from_numpy(hr).float())[None]


def _stream(clips: tuple[Tensor, Tensor]) -> Stream:
    """In windows of five frames, the first of which was in the window before."""
    windows = [
        (first, Inputs({"sr": clips[0][:, first:][:, :5], "hr": clips[1][:, first:][:, :5]}, {})) for first in (0, 4, 8)
    ]
    return Stream(12, 25.0, iter([(known, slice(first > 0, None)) for first, known in windows]))


@pytest.mark.skipif(not find_spec("imageio_ffmpeg"), reason="the extra vmaf is not installed: VMAF is not tested")
@pytest.mark.parametrize("model", ["vmaf_v0.6.1", "vmaf_v0.6.1neg"])
def test_vmaf_is_that_of_ffmpeg_on_files(long_clips: tuple[Tensor, Tensor], tmp_path: Path, model: str) -> None:
    """Two files of YUV 4:2:0, and FFmpeg's filter run on them by hand."""
    import imageio_ffmpeg

    files: list[str] = []
    for name, clip in zip(("sr", "hr"), long_clips, strict=True):
        frames = [[*plane.round().astype(np.uint8).ravel(), *[128] * (48 * 65 * 2)] for plane in _matlab_y(clip)]
        (tmp_path / name).write_bytes(np.array(frames, np.uint8).tobytes())
        files += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", "130x96", "-i", str(tmp_path / name)]
    log = tmp_path / "log.csv"
    graph = f"libvmaf=model=version={model}:log_fmt=csv:log_path={log}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *files, "-lavfi", graph, "-f", "null", "-"]
    subprocess.run(command, check=True)
    theirs = [float(row["vmaf"]) for row in csv.DictReader(log.open())]
    ours = vmaf(_stream(long_clips), model)[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert 5 < ours.min() < ours.max() < 95


@pytest.mark.skipif(not find_spec("imageio_ffmpeg"), reason="the extra vmaf is not installed: VMAF is not tested")
def test_vmaf_of_what_it_cannot_measure_is_refused_in_one_sentence(long_clips: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(UserError, match=r"^vmaf: cannot be computed by .*ffmpeg"):
        vmaf(_stream(long_clips), "none")


@pytest.mark.skipif(not find_spec("pycvvdp"), reason="the extra cvvdp is not installed: ColorVideoVDP is not tested")
def test_cvvdp_is_that_of_its_package_on_arrays(long_clips: tuple[Tensor, Tensor]) -> None:
    import pycvvdp

    metric = pycvvdp.cvvdp("standard_fhd", quiet=True, device=torch.device("cpu"))
    theirs, _ = metric.predict(*(clip[0] for clip in long_clips), dim_order="FCHW", frames_per_second=25)
    ours = cvvdp(_stream(long_clips), "standard_fhd")[0]
    assert ours[0].item() == pytest.approx(theirs.item(), abs=1e-5)
    assert ours[1:].isnan().all() and 2 < ours[0] < 9.9


@pytest.mark.parametrize(("metric", "package"), [(vmaf, "imageio_ffmpeg"), (cvvdp, "pycvvdp")])
def test_a_missing_package_is_named_with_its_remedy(
    long_clips: tuple[Tensor, Tensor],
    metric: Callable[[Stream], Tensor],
    package: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    name = metric.__name__
    with pytest.raises(UserError, match=rf"^{name}: its package is not installed .*; pip install 'vsr-lab\[{name}\]'"):
        metric(_stream(long_clips))
